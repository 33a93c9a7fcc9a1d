import type { Millis } from '../../core/machine.ts';

/** Segments that one acknowledgement may cover. */
export const SEGMENTS_PER_ACK = 16;
/** The same while the peer's window is small, and while it repairs a loss (RFC 5681 §4.2). */
const FEW_SEGMENTS_PER_ACK = 2;
/** Segments for which a connection is young. */
const YOUNG_SEGMENTS = 32;
/** Segments for which it is young again after a pause or a loss: the peer's window is small then. */
const RESTART_SEGMENTS = 16;
/** Reports of a gap that go out one for one even where SACK says it all: DupThresh of RFC 5681. */
const SINGLE_REPORTS = 3;
/** Segments that a later report covers: no more than the SACK blocks beside timestamps. */
const SEGMENTS_PER_REPORT = 2;
/** Acknowledgements in the middle of a burst that are remembered. */
const MAX_POINTS = 64;

/**
 * When to acknowledge. Segments come in bursts, and one acknowledgement at the end of a burst does
 * for all in it, but not for more than {@link SEGMENTS_PER_ACK}.
 *
 * What reports a gap goes out one for one, because the peer counts. Where SACK was agreed, only the
 * first three of a burst do: they are enough for a peer that counts to three, and one that counts
 * bytes (RFC 6675 §4) or time (RFC 8985) reads the rest from the blocks of every second one.
 */
export class AckSchedule {
  readonly #segmentsPerAck: number;
  /** Acknowledgement numbers that must be sent one by one, before anything else: a queue. */
  readonly #points: number[] = [];
  #firstPoint = 0;
  #due = false;
  #segments = 0;
  #bytes = 0;
  #youngFor = YOUNG_SEGMENTS;
  #lastSegmentAt: Millis = Number.POSITIVE_INFINITY;
  /** Segments of this burst that are reported; of them, those that no point covers. */
  #reports = 0;
  #unreported = 0;
  #reportNumber = 0;

  /** @param segmentsPerAck 2 … 16: what one acknowledgement may cover */
  constructor(segmentsPerAck: number = SEGMENTS_PER_ACK) {
    const atLeast = Math.max(segmentsPerAck, FEW_SEGMENTS_PER_ACK);
    this.#segmentsPerAck = Math.min(atLeast, SEGMENTS_PER_ACK);
  }

  /** An acknowledgement must go out now, alone or with data. */
  get due(): boolean {
    return this.#due;
  }

  /**
   * A segment came in order.
   *
   * @param before `rcvNxt` before it
   * @param pause silence after which the peer begins anew with a small window
   */
  onSegment(before: number, bytes: number, pause: Millis, now: Millis): void {
    if (now - this.#lastSegmentAt > pause) {
      this.#youngFor = Math.max(this.#youngFor, RESTART_SEGMENTS);
    }
    this.#lastSegmentAt = now;
    this.#count(before, bytes, this.#youngFor > 0 ? FEW_SEGMENTS_PER_ACK : this.#segmentsPerAck);
    if (this.#youngFor > 0) {
      this.#youngFor -= 1;
      this.#due ||= this.#youngFor === 0;
    }
  }

  /**
   * A segment came in order while what lies behind a gap waits. Little is in flight after a loss:
   * where one acknowledgement answered all of it and were lost, the peer would wait for its timer.
   *
   * @param before `rcvNxt` before it
   */
  onGapFill(before: number, bytes: number): void {
    this.#youngFor = Math.max(this.#youngFor, RESTART_SEGMENTS);
    this.#count(before, bytes, FEW_SEGMENTS_PER_ACK);
    this.#due = true;
  }

  /**
   * A segment came that the peer should hear of by itself: ahead of a gap, or for the second time.
   *
   * @param number acknowledged in the report
   * @param withSack whether blocks say what came
   */
  onReport(number: number, withSack: boolean): void {
    this.#reports += 1;
    this.#unreported += 1;
    this.#reportNumber = number;
    const mayWait = withSack && this.#reports > SINGLE_REPORTS;
    if (mayWait && this.#unreported < SEGMENTS_PER_REPORT) return;
    this.#sendAt(number);
  }

  /** Acknowledge at the end of this burst, whatever else. */
  sendSoon(): void {
    this.#due = true;
  }

  /**
   * The burst is over; true when an acknowledgement may wait for company.
   *
   * @param fullSegment what the peer's full segments hold
   */
  endOfBurst(fullSegment: number): boolean {
    if (this.#unreported > 0) this.#sendAt(this.#reportNumber);
    this.#reports = 0;
    if (this.#segments === 0 || this.#due) return false;
    if (this.#youngFor > 0 || this.#bytes >= 2 * fullSegment) {
      this.#due = true;
      return false;
    }
    return true;
  }

  /** The next number to acknowledge separately; -1 for none. */
  takePoint(): number {
    const point = this.#points[this.#firstPoint];
    if (point === undefined) return -1;
    this.#firstPoint += 1;
    if (this.#firstPoint === this.#points.length) {
      this.#points.length = 0;
      this.#firstPoint = 0;
    }
    return point;
  }

  /** A segment with the newest acknowledgement number went out. */
  sent(): void {
    this.#due = false;
    this.#segments = 0;
    this.#bytes = 0;
  }

  #count(before: number, bytes: number, limit: number): void {
    if (this.#segments >= limit) {
      this.#sendAt(before);
      this.#segments = 0;
      this.#bytes = 0;
    }
    this.#segments += 1;
    this.#bytes += bytes;
  }

  /**
   * Acknowledge `number` once more, and separately; at the end where too many wait. It goes out
   * after the burst, so it also carries the blocks of all reports before it.
   */
  #sendAt(number: number): void {
    this.#unreported = 0;
    if (this.#points.length - this.#firstPoint < MAX_POINTS) this.#points.push(number);
    else this.#due = true;
  }
}
