import type { Millis } from '../../core/machine.ts';

/** Segments that go out at once whatever the rate: as many as a new connection's (RFC 6928). */
const LEAST_BURST_SEGMENTS = 10;
/** Timers tick by a millisecond and may be late by one more: what gathers meanwhile may go at once. */
const LONGEST_BURST_MS: Millis = 2;
const TICK_MS: Millis = 1;
/** By how much faster than a window a round trip new data goes, as hosts do with their pacing. */
const SLOW_START_GAIN = 2;
const AVOIDANCE_GAIN = 1.25;

/** What pacing depends on. */
export interface PacedSender {
  readonly congestion: { readonly cwnd: number; readonly ssthresh: number };
  readonly rto: { readonly smoothedMs: Millis };
  readonly mss: number;
}

/**
 * Spreads a window over its round trip: acknowledgements come in bursts, and what they let go would
 * overflow short queues on the way if it all went at once. A bucket that fills with the rate; where
 * a round trip is shorter than a timer's tick, there is nothing to spread.
 */
export class Pacing {
  #bytes = 0;
  #filledAt: Millis = Number.NEGATIVE_INFINITY;
  /** When to ask again, after `allows` said no. */
  nextAt: Millis = 0;

  /** Whether a segment of `length` bytes may go now. */
  allows(length: number, { congestion, rto, mss }: PacedSender, now: Millis): boolean {
    const { smoothedMs } = rto;
    if (smoothedMs < TICK_MS) return true;
    const { cwnd, ssthresh } = congestion;
    const gain = cwnd < ssthresh / 2 ? SLOW_START_GAIN : AVOIDANCE_GAIN;
    const bytesPerMs = (gain * cwnd) / smoothedMs;
    const most = Math.max(LEAST_BURST_SEGMENTS * mss, LONGEST_BURST_MS * bytesPerMs);
    this.#bytes = Math.min(this.#bytes + (now - this.#filledAt) * bytesPerMs, most);
    this.#filledAt = now;
    if (this.#bytes >= length) return true;
    this.nextAt = now + TICK_MS;
    return false;
  }

  /** A segment of `length` bytes of new data went out. */
  sent(length: number): void {
    this.#bytes -= length;
  }
}
