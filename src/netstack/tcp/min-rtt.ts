import type { Millis } from '../../core/machine.ts';

/** A path changes: a round trip says nothing about it after twice this time (RFC 8985 §6.2). */
export const MIN_RTT_WINDOW_MS: Millis = 150_000;

/** The shortest round trip of the last minutes: the least of this window and of the one before. */
export class MinRtt {
  #now: Millis = Number.POSITIVE_INFINITY;
  #before: Millis = Number.POSITIVE_INFINITY;
  #windowEnd: Millis = Number.NEGATIVE_INFINITY;

  /** 0 before the first sample. */
  get valueMs(): Millis {
    const least = Math.min(this.#now, this.#before);
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  }

  sample(roundTrip: Millis, now: Millis): void {
    if (now >= this.#windowEnd) {
      const silent = now >= this.#windowEnd + MIN_RTT_WINDOW_MS;
      this.#before = silent ? Number.POSITIVE_INFINITY : this.#now;
      this.#now = Number.POSITIVE_INFINITY;
      this.#windowEnd = now + MIN_RTT_WINDOW_MS;
    }
    if (roundTrip < this.#now) this.#now = roundTrip;
  }
}
