import type { Millis } from '../../core/machine.ts';

/** Shortest time between two answers to segments that make no sense. */
export const CHALLENGE_INTERVAL_MS: Millis = 500;
const JITTER_BITS = 7;

/**
 * Limits challenge acknowledgements (RFC 5961 §7) and answers to empty segments out of the window,
 * which two confused ends could send each other for ever. Per connection, with an interval of its
 * own: a shared counter could be read by others (CVE-2016-5696).
 */
export class ChallengeLimit {
  readonly #interval: Millis;
  #next: Millis = Number.NEGATIVE_INFINITY;

  /** @param seed random number of the connection */
  constructor(seed: number) {
    this.#interval = CHALLENGE_INTERVAL_MS + (seed >>> (32 - JITTER_BITS));
  }

  /** Whether one may be sent now; it counts as sent. */
  allows(now: Millis): boolean {
    if (now < this.#next) return false;
    this.#next = now + this.#interval;
    return true;
  }
}
