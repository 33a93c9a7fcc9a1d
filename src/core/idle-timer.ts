import type { Cancel, Clock } from './clock.ts';
import type { Millis } from './machine.ts';

/**
 * Calls back once nothing has happened for a while; after that, once more after the next `touch`.
 * A touch only notes the time: the running timer finds out when it fires.
 */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #onIdle: () => void;
  #periodMs: Millis = 0;
  #touchedAt: Millis = 0;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, onIdle: () => void) {
    this.#clock = clock;
    this.#onIdle = onIdle;
  }

  /** 0 switches off. */
  set(periodMs: Millis): void {
    this.stop();
    this.#periodMs = periodMs;
    this.touch();
  }

  /** Something happened. @param now the clock's time, where it is at hand */
  touch(now: Millis = this.#clock.now()): void {
    if (this.#periodMs === 0) return;
    this.#touchedAt = now;
    if (this.#cancel === undefined) this.#arm();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#periodMs = 0;
  }

  #arm(): void {
    this.#cancel = this.#clock.setTimer(this.#touchedAt + this.#periodMs, () => {
      this.#cancel = undefined;
      if (this.#clock.now() < this.#touchedAt + this.#periodMs) this.#arm();
      else this.#onIdle();
    });
  }
}
