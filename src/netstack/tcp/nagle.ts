import { serialLess } from '../../core/serial.ts';

/**
 * Whether a small segment waits (RFC 9293 §3.7.4): for small ones only, as hosts have it
 * (draft-minshall-nagle), so that the tail of a long write does not wait for the peer's delayed
 * acknowledgement.
 */
export class Nagle {
  /** Where the last segment ends that was smaller than it could have been. */
  #smallUntil: number;

  /** @param sequence the initial sequence number */
  constructor(sequence: number) {
    this.#smallUntil = sequence;
  }

  /** A segment went out that is smaller than it could have been, and ends before `end`. */
  sentSmall(end: number): void {
    this.#smallUntil = end;
  }

  /** All before `sndUna` is acknowledged. */
  release(sndUna: number): void {
    if (!serialLess(sndUna, this.#smallUntil)) this.#smallUntil = sndUna;
  }

  /** Whether a small segment that was sent is not acknowledged. */
  waits(sndUna: number): boolean {
    return serialLess(sndUna, this.#smallUntil);
  }
}
