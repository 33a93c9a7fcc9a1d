import type { Millis } from '../../core/machine.ts';
import { serialLess } from '../../core/serial.ts';
import type { AckRound } from './congestion.ts';

/** By how much the shortest round trip must grow from one round to the next (RFC 9406 §4.3). */
const MIN_RTT_THRESHOLD_MS: Millis = 4;
const MAX_RTT_THRESHOLD_MS: Millis = 16;
const MIN_RTT_DIVISOR = 8;
/** Samples that make the shortest round trip of a round worth something. */
const RTT_SAMPLES = 8;
/** Of these at least so many were measured; the others are the ones that a long burst stands for. */
const MEASURED_SAMPLES = 2;
/** Segments that a receiver acknowledges at once (RFC 1122 §4.2.3.2): one sample each. */
const SEGMENTS_A_SAMPLE = 2;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

/**
 * HyStart++ (RFC 9406): leaves the first slow start when the round trip grows, before the queue at
 * the bottleneck overflows. A round ends when all is acknowledged that was sent as it began.
 *
 *     slow start ── round trip grew ──▶ conservative slow start ── 5 rounds ──▶ finished
 *         ▲                                      │
 *         └────────── round trip fell ───────────┘
 *
 * The RFC wants eight samples a round. A peer that acknowledges per burst gives one for sixteen
 * segments or more, and eight of these would come too late. So a sample weighs as many as the
 * segments it stands for would have given with delayed acknowledgements, and two must have been
 * measured. A round too small for that decides nothing; what it measured is the next one's base.
 *
 * What is seen in a round was sent in the one before, at half the window: the conservative phase
 * begins at 2.25 to 4.5 times what the path holds, and ends at three times as much without a loss.
 */
export class HyStart {
  #begun = false;
  #roundEnd = 0;
  #lastShortest: Millis = Number.POSITIVE_INFINITY;
  #shortest: Millis = Number.POSITIVE_INFINITY;
  #weight = 0;
  #measured = 0;
  /** Shortest round trip when the conservative phase began; `Infinity` outside of it. */
  #baseline: Millis = Number.POSITIVE_INFINITY;
  #conservativeRounds = 0;

  /** Whether slow start is over: the window is what the path carries. */
  get finished(): boolean {
    return this.#conservativeRounds >= CSS_ROUNDS;
  }

  /** Whether the window opens slowly, because the round trip has grown. */
  get conservative(): boolean {
    return this.#baseline !== Number.POSITIVE_INFINITY;
  }

  /** Bytes by which an acknowledgement of `bytes` opens the window: `limit` at most. */
  growth(bytes: number, round: AckRound, mss: number, limit: number): number {
    if (!this.#begun || serialLess(this.#roundEnd, round.sndUna)) this.#nextRound(round.sndNxt);
    if (round.roundTripMs >= 0) this.#sample(round.roundTripMs, bytes / mss);
    const opened = Math.min(bytes, limit);
    return this.conservative ? opened / CSS_GROWTH_DIVISOR : opened;
  }

  #nextRound(sndNxt: number): void {
    this.#begun = true;
    this.#roundEnd = sndNxt;
    if (this.#measured > 0) this.#lastShortest = this.#shortest;
    this.#shortest = Number.POSITIVE_INFINITY;
    this.#weight = 0;
    this.#measured = 0;
    if (this.conservative) this.#conservativeRounds += 1;
  }

  #sample(roundTripMs: Millis, segments: number): void {
    this.#shortest = Math.min(this.#shortest, roundTripMs);
    this.#weight += Math.max(segments / SEGMENTS_A_SAMPLE, 1);
    this.#measured += 1;
    if (this.#measured < MEASURED_SAMPLES || this.#weight < RTT_SAMPLES) return;
    if (this.conservative) {
      if (this.#shortest < this.#baseline) this.#resume();
    } else if (this.#shortest >= this.#lastShortest + threshold(this.#lastShortest)) {
      this.#baseline = this.#shortest;
    }
  }

  #resume(): void {
    this.#baseline = Number.POSITIVE_INFINITY;
    this.#conservativeRounds = 0;
  }
}

function threshold(roundTripMs: Millis): Millis {
  const eighth = roundTripMs / MIN_RTT_DIVISOR;
  return Math.min(Math.max(eighth, MIN_RTT_THRESHOLD_MS), MAX_RTT_THRESHOLD_MS);
}
