import type { Millis } from './machine.ts';

const SECOND_MS = 1000;

/** Allows so many things a second on average, and as many at once after a quiet second. */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
  }

  /** Takes one; false when the rate is used up. */
  take(now: Millis): boolean {
    const gained = ((now - this.#filledAt) * this.#perSecond) / SECOND_MS;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
