import type { Millis } from '../../core/machine.ts';
import type { RandomSource } from '../../core/random.ts';

/** Challenge acknowledgements of all connections together in about a second, on average. */
export const CHALLENGES_PER_WINDOW = 1000;
/** Length of the window that they are counted in, on average. */
export const CHALLENGE_WINDOW_MS: Millis = 1000;

/**
 * The limit that all connections share for answers to segments that make no sense (RFC 5961 §7).
 * A fixed shared limit can be used up and read by a third party, who learns of connections so
 * (CVE-2016-5696): so both the number and the window are drawn anew each time, from half to one
 * and a half times the average, and what is left says nothing.
 */
export class ChallengeBudget {
  readonly #random: RandomSource;
  #left = 0;
  #until: Millis = Number.NEGATIVE_INFINITY;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** Whether one may be sent now; it counts as sent. */
  take(now: Millis): boolean {
    if (now >= this.#until) {
      this.#left = this.#around(CHALLENGES_PER_WINDOW);
      this.#until = now + this.#around(CHALLENGE_WINDOW_MS);
    }
    if (this.#left <= 0) return false;
    this.#left -= 1;
    return true;
  }

  #around(average: number): number {
    return average / 2 + (this.#random.uint32() % average);
  }
}
