import type { Cancel, Clock } from '../core/clock.ts';
import { OvpnUsageError, toError } from '../core/errors.ts';
import { allFailed } from '../networkio/network-errors.ts';

/** How several ways are tried at a time. */
export interface RaceSettings {
  /** Head start of each way over the next. Unit: milliseconds. Range: 0 and more. Default: 250. */
  readonly delayMs?: number;
  /** Ways that are tried at a time. Range: 1 and more. Default: 3. */
  readonly atOnce?: number;
}

/** Source: RFC 8305 §8, Connection Attempt Delay. */
export const DEFAULT_RACE_DELAY_MS = 250;

export const DEFAULT_RACE_AT_ONCE = 3;

export interface RaceOptions<C, R> extends RaceSettings {
  readonly clock: Clock;
  /** The caller's: gives up. */
  readonly signal: AbortSignal;
  /** Takes back what came of an attempt after another one had won, or after the end. */
  readonly discard: (late: R) => void;
  /** Hears of each attempt that failed, but for those that were told to stop. Default: nobody. */
  readonly failed?: (candidate: C, error: Error) => void;
  /** Whether no other way can mend an error: it ends the race. Default: never. */
  readonly isFinal?: (error: Error) => boolean;
}

/**
 * Tries `candidates` in their order, the next one when its delay is over or the one before it has
 * failed, until one attempt succeeds; the others are then told to stop by their signal.
 *
 * @param candidates at least one
 * @throws what {@link allFailed} makes of the errors of all; a final one at once; the signal's reason
 */
export function raceInOrder<C, R>(
  candidates: readonly C[],
  attempt: (candidate: C, signal: AbortSignal) => Promise<R>,
  options: RaceOptions<C, R>,
): Promise<R> {
  return new Promise((resolve, reject) => {
    new Race(candidates, attempt, options, { resolve, reject }).start();
  });
}

interface Outcome<R> {
  readonly resolve: (winner: R) => void;
  readonly reject: (error: unknown) => void;
}

class Race<C, R> {
  readonly #candidates: readonly C[];
  readonly #attempt: (candidate: C, signal: AbortSignal) => Promise<R>;
  readonly #options: RaceOptions<C, R>;
  readonly #outcome: Outcome<R>;
  readonly #running = new Map<number, AbortController>();
  readonly #errors: Error[] = [];
  readonly #onAbort: () => void;
  #next = 0;
  #failures = 0;
  #over = false;
  #cancelTimer: Cancel = () => {};
  /** The delay of the last started one is over, and there was no room for another. */
  #due = false;

  constructor(
    candidates: readonly C[],
    attempt: (candidate: C, signal: AbortSignal) => Promise<R>,
    options: RaceOptions<C, R>,
    outcome: Outcome<R>,
  ) {
    this.#candidates = candidates;
    this.#attempt = attempt;
    this.#options = options;
    this.#outcome = outcome;
    this.#onAbort = () => {
      const { reason } = options.signal;
      this.#end(() => outcome.reject(reason), reason);
    };
  }

  start(): void {
    const { signal } = this.#options;
    if (this.#candidates.length === 0) {
      this.#outcome.reject(new Error('nothing to try'));
      return;
    }
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
    else this.#startNext();
  }

  #startNext(): void {
    const { atOnce = DEFAULT_RACE_AT_ONCE, delayMs = DEFAULT_RACE_DELAY_MS, clock } = this.#options;
    const index = this.#next;
    const candidate = this.#candidates[index];
    if (this.#over || candidate === undefined) return;
    this.#due = this.#running.size >= atOnce;
    if (this.#due) return;
    this.#next += 1;
    void this.#run(index, candidate);
    this.#cancelTimer();
    this.#cancelTimer = clock.setTimer(clock.now() + delayMs, () => this.#startNext());
  }

  async #run(index: number, candidate: C): Promise<void> {
    const controller = new AbortController();
    this.#running.set(index, controller);
    try {
      const result = await this.#attempt(candidate, controller.signal);
      if (this.#over) this.#options.discard(result);
      else this.#win(index, result);
    } catch (thrown) {
      this.#running.delete(index);
      if (!this.#over) this.#onFailure(index, candidate, toError(thrown));
    }
  }

  #win(index: number, result: R): void {
    this.#running.delete(index);
    this.#end(() => this.#outcome.resolve(result), new Error('another way was faster'));
  }

  #onFailure(index: number, candidate: C, error: Error): void {
    const { failed, isFinal } = this.#options;
    this.#errors[index] = error;
    this.#failures += 1;
    if (isFinal?.(error)) {
      this.#end(() => this.#outcome.reject(error), error);
      return;
    }
    failed?.(candidate, error);
    if (this.#failures === this.#candidates.length) {
      const error = allFailed(this.#errors);
      this.#end(() => this.#outcome.reject(error), error);
    } else if (this.#due || index === this.#next - 1) {
      this.#startNext();
    }
  }

  /** Tells the outcome, and `reason` to all that still run. */
  #end(tell: () => void, reason: unknown): void {
    this.#over = true;
    this.#cancelTimer();
    this.#options.signal.removeEventListener('abort', this.#onAbort);
    tell();
    for (const controller of this.#running.values()) controller.abort(reason);
  }
}

/**
 * What the option `race` asks for; undefined for none.
 *
 * @throws OvpnUsageError
 */
export function resolveRace(
  race: boolean | RaceSettings | undefined,
): Required<RaceSettings> | undefined {
  if (race === undefined || race === false) return undefined;
  const { delayMs = DEFAULT_RACE_DELAY_MS, atOnce = DEFAULT_RACE_AT_ONCE } =
    race === true ? {} : race;
  if (!(delayMs >= 0) || !Number.isInteger(atOnce) || atOnce < 1) {
    throw new OvpnUsageError(
      'expected `race` to be true or { delayMs, atOnce }, 0 and more milliseconds and 1 and more ways',
      'vpnclient',
    );
  }
  return { delayMs, atOnce };
}
