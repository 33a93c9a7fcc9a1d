import { serialAdd, serialLess } from '../../core/serial.ts';
import { DUPLICATE_THRESHOLD } from './rack.ts';

/**
 * Counts duplicate acknowledgements of a peer without SACK (RFC 6582). A duplicate says that one
 * segment has left the network, so it makes room for another one (which gives the limited transmit
 * of RFC 3042 too).
 */
export class DuplicateAcks {
  #count = 0;
  /** Duplicates for less than this may be echoes of what was sent again. */
  #trustedFrom: number;

  /** @param sequence the initial sequence number */
  constructor(sequence: number) {
    this.#trustedFrom = sequence;
  }

  /** Segments that have arrived beyond the first missing one. */
  get count(): number {
    return this.#count;
  }

  /**
   * One more, while `segments` are in flight. True: the first segment is lost. A peer that sends
   * more of them than segments were sent gains nothing.
   */
  onDuplicate(sndUna: number, segments: number, recovering: boolean): boolean {
    if (!recovering && serialLess(sndUna, this.#trustedFrom)) return false;
    if (this.#count + 1 < segments) this.#count += 1;
    else if (!recovering) return false;
    return !recovering && this.#count >= DUPLICATE_THRESHOLD;
  }

  /** `bytes` up to `acknowledgment` were acknowledged, which ends no recovery. */
  onPartialAck(acknowledgment: number, bytes: number, mss: number): void {
    this.#trust(acknowledgment);
    this.#count = Math.max(0, this.#count - Math.ceil(bytes / mss) + 1);
  }

  /** All up to `acknowledgment` has arrived. */
  onFullAck(acknowledgment: number): void {
    this.#trust(acknowledgment);
    this.#count = 0;
  }

  /** All in flight goes out again. */
  onTimeout(sndNxt: number): void {
    this.#count = 0;
    this.#trustedFrom = serialAdd(sndNxt, 1);
  }

  #trust(acknowledgment: number): void {
    if (serialLess(this.#trustedFrom, acknowledgment)) this.#trustedFrom = acknowledgment;
  }
}
