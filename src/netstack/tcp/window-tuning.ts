import type { Millis } from '../../core/machine.ts';

/**
 * Grows the receive buffer with the rate at which the application reads: twice what it reads in a
 * round trip, so that the window never is what limits the peer (dynamic right-sizing).
 */
export class WindowTuning {
  readonly #maxBytes: number;
  #limit: number;
  #roundTrip: Millis = 0;
  #lastEcho = -1;
  #readInRound = 0;
  #roundStart: Millis = 0;

  constructor(initialBytes: number, maxBytes: number) {
    this.#limit = initialBytes;
    this.#maxBytes = maxBytes;
  }

  /** Unread bytes that may wait. */
  get limit(): number {
    return this.#limit;
  }

  /** The application read `bytes`. */
  onRead(bytes: number): void {
    this.#readInRound += bytes;
  }

  /** A segment with data came that echoes our timestamp `echo`, written `age` ago. */
  onEcho(echo: number, age: Millis): void {
    if (echo === this.#lastEcho || age < 0) return;
    this.#lastEcho = echo;
    this.#roundTrip += this.#roundTrip === 0 ? age : (age - this.#roundTrip) / 8;
  }

  /** Looks, once a round trip, at what was read. `fallback`: the sender's estimate. */
  update(fallback: Millis, now: Millis): void {
    const roundTrip = Math.max(this.#roundTrip || fallback, 1);
    if (now - this.#roundStart < roundTrip) return;
    const wanted = 2 * this.#readInRound;
    if (wanted > this.#limit) this.#limit = Math.min(wanted, this.#maxBytes);
    this.#roundStart = now;
    this.#readInRound = 0;
  }
}
