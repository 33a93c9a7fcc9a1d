import type { Cancel, Clock } from '../core/clock.ts';
import type { Millis } from '../core/machine.ts';

/**
 * Calls back once when nothing has happened for a set time, and again after the next silence.
 * Touching it costs an assignment: the timer finds out when it is reached.
 */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #onIdle: () => void;
  #timeoutMs: Millis = 0;
  #touchedAt: Millis = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, onIdle: () => void) {
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** 0 switches off. Unit: milliseconds. */
  set(timeoutMs: Millis): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#timeoutMs = timeoutMs;
    this.touch(this.#clock.now());
  }

  touch(now: Millis): void {
    this.#touchedAt = now;
    if (this.#timeoutMs > 0 && this.#cancel === undefined) this.#arm();
  }

  #arm(): void {
    this.#cancel = this.#clock.setTimer(this.#touchedAt + this.#timeoutMs, this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#cancel = undefined;
    if (this.#clock.now() < this.#touchedAt + this.#timeoutMs) this.#arm();
    else this.#onIdle();
  };
}
