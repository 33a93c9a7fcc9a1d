import type { Cancel, Clock } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';
import type { Link } from '../networkio/link.ts';

export interface OpenDeadlineOptions {
  readonly clock: Clock;
  /** Unit: milliseconds; `Infinity` for none. */
  readonly timeoutMs: Millis;
  /** The caller's: gives up. */
  readonly signal: AbortSignal;
  /** What to throw when time is over. */
  readonly timedOut: () => Error;
}

/** Time for one link to be opened. It stands still while the user is asked something. */
export class OpenDeadline {
  readonly #options: OpenDeadlineOptions;
  readonly #controller = new AbortController();
  readonly #onAbort: () => void;
  #leftMs: Millis;
  #startedAt: Millis = 0;
  #cancel: Cancel = () => {};
  #error: Error | undefined;

  constructor(options: OpenDeadlineOptions) {
    this.#options = options;
    this.#leftMs = options.timeoutMs;
    const { signal } = options;
    this.#onAbort = () => this.#controller.abort(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    else this.#run();
  }

  /** Aborted by the caller, or when time is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What is thrown in place of an error that the end of the time brought about. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** What `ask` gives, however long it takes. */
  async hold<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#cancel();
    this.#leftMs -= this.#options.clock.now() - this.#startedAt;
    try {
      return await ask(this.signal);
    } finally {
      if (!this.signal.aborted) this.#run();
    }
  }

  clear(): void {
    this.#cancel();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }

  #run(): void {
    const { clock, timedOut } = this.#options;
    this.#startedAt = clock.now();
    if (this.#leftMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = clock.setTimer(this.#startedAt + this.#leftMs, () => {
      this.#error = timedOut();
      this.#controller.abort(this.#error);
    });
  }
}

/** Runs `open` until `deadline` is over. A link that comes too late is closed. */
export async function openInTime(
  options: OpenDeadlineOptions,
  open: (deadline: OpenDeadline) => Promise<Link>,
): Promise<Link> {
  const deadline = new OpenDeadline(options);
  try {
    const link = await open(deadline);
    if (!deadline.signal.aborted) return link;
    void link.close();
    throw deadline.signal.reason;
  } catch (error) {
    throw deadline.error ?? error;
  } finally {
    deadline.clear();
  }
}
