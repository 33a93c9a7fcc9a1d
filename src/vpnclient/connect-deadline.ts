import type { Clock } from '../core/clock.ts';
import { OvpnError, OvpnTimeoutError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';
import type { Session } from '../session/session.ts';

export interface ConnectDeadlineOptions {
  /** The caller's: gives up. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Time for the whole attempt; `Infinity` is none. Unit: milliseconds. */
  readonly timeoutMs: number;
}

/** When connecting ends without a tunnel: the caller's signal, or `connectTimeoutMs`. */
export class ConnectDeadline {
  readonly signal: AbortSignal;
  readonly #options: ConnectDeadlineOptions;
  readonly #late = new AbortController();
  #cancelTimer: () => void = () => {};
  /** What is left of the time when the timer starts, and when that is; undefined while it is held. */
  #leftMs: Millis;
  #startedAt: Millis | undefined;
  #session: Session | undefined;
  #timeout: OvpnTimeoutError | undefined;

  constructor(options: ConnectDeadlineOptions) {
    const { signal, timeoutMs } = options;
    this.#options = options;
    this.signal = AbortSignal.any([signal, this.#late.signal]);
    this.#leftMs = timeoutMs;
    this.resume();
  }

  /** A user is asked: that takes none of the time. May be called twice. */
  hold(): void {
    if (this.#startedAt === undefined) return;
    this.#leftMs -= this.#options.clock.now() - this.#startedAt;
    this.#startedAt = undefined;
    this.#cancelTimer();
  }

  /** Goes on after `hold`. May be called twice. */
  resume(): void {
    if (this.#startedAt !== undefined || this.#leftMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#options;
    this.#startedAt = clock.now();
    this.#cancelTimer = clock.setTimer(this.#startedAt + this.#leftMs, () => this.#onTimer());
  }

  /** Which session is asked, when time runs out, how far it came. */
  follow(session: Session): void {
    this.#session = session;
  }

  /** The error by which it ended; undefined while it has not. */
  get error(): OvpnError | undefined {
    if (!this.signal.aborted) return undefined;
    return this.#timeout ?? connectAborted(this.signal.reason);
  }

  clear(): void {
    this.#leftMs = Number.POSITIVE_INFINITY;
    this.#cancelTimer();
  }

  #onTimer(): void {
    if (this.signal.aborted) return;
    this.#timeout = this.#timedOut();
    this.#late.abort(this.#timeout);
  }

  #timedOut(): OvpnTimeoutError {
    const { timeoutMs } = this.#options;
    const silence = this.#session?.silence(timeoutMs);
    if (silence !== undefined) return silence;
    const phase = this.#session?.negotiation ?? 'connecting';
    return new OvpnTimeoutError(
      'OVPN_DIAL_TIMEOUT',
      `expected a tunnel within ${timeoutMs / 1000} s, got as far as ${phase}`,
      { layer: 'vpnclient', initiator: 'user', phase, timeoutMs },
    );
  }
}

/** The caller gave up. */
export function connectAborted(reason: unknown): OvpnError {
  return new OvpnError('OVPN_ABORTED', 'connecting was aborted', {
    layer: 'vpnclient',
    initiator: 'user',
    cause: reason,
  });
}
