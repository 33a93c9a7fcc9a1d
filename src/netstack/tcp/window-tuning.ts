import type { Millis } from '../../core/machine.ts';
import { serialDiff } from '../../core/serial.ts';

/** The weight of a round trip that is longer than the estimate; a shorter one is believed at once. */
const SLOWER_WEIGHT = 1 / 8;
/** A buffer may grow by this factor in a round trip: twice for the rate, twice for its growth. */
const MAX_GROWTH = 4;
/** Part of a round trip after which it is over: the next flight of the peer may come early. */
const NEARLY = 7 / 8;

/**
 * Grows the receive buffer with the rate at which the application reads, so that the window never
 * is what limits the peer (dynamic right-sizing): twice what it reads in a round trip, and more
 * while that still grows from round to round, as it does in the peer's slow start.
 *
 * The round trip is measured by timestamps, or without them by the time that the peer takes to
 * get as far as a window that it was told. Both are upper bounds: the shortest is nearest.
 */
export class WindowTuning {
  readonly #maxBytes: number;
  #limit: number;
  /** By timestamps, and by windows. */
  #roundTrip: Millis = 0;
  #windowTime: Millis = 0;
  #lastEcho = -1;
  #readInRound = 0;
  #readBefore = 0;
  #roundStart: Millis = -1;
  #windowEdge = 0;
  #windowStart: Millis = -1;

  constructor(initialBytes: number, maxBytes: number) {
    this.#limit = initialBytes;
    this.#maxBytes = maxBytes;
  }

  /** Unread bytes that may wait. */
  get limit(): number {
    return this.#limit;
  }

  /** Round trip as the receiver sees it; 0 before the first measurement. */
  get roundTrip(): Millis {
    return this.#roundTrip || this.#windowTime;
  }

  /** The application read `bytes`. */
  onRead(bytes: number): void {
    this.#readInRound += bytes;
  }

  /** A segment with data came that echoes our timestamp `echo`, written `age` ago. */
  onEcho(echo: number, age: Millis): void {
    if (echo === this.#lastEcho || age < 0) return;
    this.#lastEcho = echo;
    this.#roundTrip = nearer(this.#roundTrip, age);
  }

  /** Without timestamps: data up to `rcvNxt` came, while the peer may send up to `edge`. */
  onProgress(rcvNxt: number, edge: number, now: Millis): void {
    if (this.#windowStart >= 0) {
      if (serialDiff(rcvNxt, this.#windowEdge) < 0) return;
      this.#windowTime = nearer(this.#windowTime, now - this.#windowStart);
    }
    this.#windowStart = now;
    this.#windowEdge = edge;
  }

  /**
   * Looks at what was read in this round trip, as soon as it was. `fallback`: the sender's
   * estimate.
   *
   * @param mayGrow false while memory is short
   */
  update(fallback: Millis, now: Millis, mayGrow: boolean): void {
    if (this.#roundStart < 0) this.#startRound(now);
    const roundTrip = this.#roundTripOr(fallback);
    const elapsed = now - this.#roundStart;
    // After a pause, what was read in a longer time than a round trip came in one round of many.
    const rounds = elapsed > 2 * roundTrip ? elapsed / roundTrip : 1;
    const read = this.#readInRound / rounds;
    const growth = this.#readBefore > 0 ? Math.max((2 * read) / this.#readBefore, 2) : 2;
    const wanted = Math.min(growth, MAX_GROWTH) * read;
    if (mayGrow && wanted > this.#limit) this.#limit = Math.min(wanted, this.#maxBytes);
    if (elapsed < NEARLY * roundTrip) return;
    this.#readBefore = read;
    this.#startRound(now);
  }

  #startRound(now: Millis): void {
    this.#roundStart = now;
    this.#readInRound = 0;
  }

  /** By timestamps; else the shorter of the others. */
  #roundTripOr(fallback: Millis): Millis {
    if (this.#roundTrip > 0) return this.#roundTrip;
    if (this.#windowTime > 0 && fallback > 0) return Math.min(this.#windowTime, fallback);
    return Math.max(this.#windowTime, fallback, 1);
  }
}

/** `estimate` after `sample`: a shorter one is believed at once. */
function nearer(estimate: Millis, sample: Millis): Millis {
  if (estimate === 0 || sample < estimate) return sample;
  return estimate + (sample - estimate) * SLOWER_WEIGHT;
}
