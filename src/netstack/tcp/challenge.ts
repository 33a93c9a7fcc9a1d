import type { Millis } from '../../core/machine.ts';
import type { ChallengeBudget } from './challenge-budget.ts';

/** Shortest time between two answers to segments that make no sense. */
export const CHALLENGE_INTERVAL_MS: Millis = 500;
const JITTER_BITS = 7;

/**
 * Limits challenge acknowledgements (RFC 5961 §7) and answers to empty segments out of the window,
 * which two confused ends could send each other for ever. Per connection, with an interval of its
 * own; the budget of all connections comes behind it.
 */
export class ChallengeLimit {
  readonly #interval: Millis;
  readonly #budget: ChallengeBudget | undefined;
  #next: Millis = Number.NEGATIVE_INFINITY;

  /**
   * @param seed random number of the connection
   * @param budget what all connections share; undefined for no such limit
   */
  constructor(seed: number, budget?: ChallengeBudget) {
    this.#interval = CHALLENGE_INTERVAL_MS + (seed >>> (32 - JITTER_BITS));
    this.#budget = budget;
  }

  /** Whether one may be sent now; it counts as sent. */
  allows(now: Millis): boolean {
    if (now < this.#next) return false;
    if (this.#budget?.take(now) === false) return false;
    this.#next = now + this.#interval;
    return true;
  }
}
