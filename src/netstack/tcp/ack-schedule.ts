/** Segments that one acknowledgement may cover. */
export const SEGMENTS_PER_ACK = 16;
/** The same while the connection is young and its peer's window is small. */
const YOUNG_SEGMENTS_PER_ACK = 2;
/** Segments for which a connection is young. */
const YOUNG_SEGMENTS = 32;
/** Acknowledgements in the middle of a burst that are remembered. */
const MAX_POINTS = 64;

/**
 * When to acknowledge. Segments come in bursts, and one acknowledgement at the end of a burst does
 * for all in it, but not for more than {@link SEGMENTS_PER_ACK}; what reports a gap goes out one
 * for one, because the peer counts.
 */
export class AckSchedule {
  /** Acknowledgement numbers that must be sent one by one, before anything else: a ring. */
  readonly #points: number[] = [];
  #firstPoint = 0;
  #due = false;
  #segments = 0;
  #bytes = 0;
  #seen = 0;

  /** An acknowledgement must go out now, alone or with data. */
  get due(): boolean {
    return this.#due;
  }

  /** A segment came in order. @param before `rcvNxt` before it */
  onSegment(before: number, bytes: number): void {
    const limit = this.#seen < YOUNG_SEGMENTS ? YOUNG_SEGMENTS_PER_ACK : SEGMENTS_PER_ACK;
    if (this.#segments >= limit) {
      this.sendAt(before);
      this.#segments = 0;
      this.#bytes = 0;
    }
    this.#seen += 1;
    this.#segments += 1;
    this.#bytes += bytes;
  }

  /** Acknowledge `number` once more, and separately. */
  sendAt(number: number): void {
    if (this.#points.length - this.#firstPoint < MAX_POINTS) this.#points.push(number);
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
    if (this.#segments === 0 || this.#due) return false;
    if (this.#seen <= YOUNG_SEGMENTS || this.#bytes >= 2 * fullSegment) {
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
}
