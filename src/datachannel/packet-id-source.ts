/** The last packet id that a key can send: the next would repeat a nonce. */
export const LAST_PACKET_ID = 0xffff_ffff;

/** Numbers the packets of one key and direction: 1 to {@link LAST_PACKET_ID}, never again from 1. */
export class PacketIdSource {
  readonly #limit: number;
  #last: number;

  /**
   * @param limit the last id that may be used, at most {@link LAST_PACKET_ID}
   * @param last the id that counts as used already; 0: the first is 1
   */
  constructor(limit: number = LAST_PACKET_ID, last = 0) {
    this.#limit = Math.min(limit, LAST_PACKET_ID);
    this.#last = last;
  }

  /** The id that `next` gave last; 0 for none. */
  get last(): number {
    return this.#last;
  }

  get exhausted(): boolean {
    return this.#last >= this.#limit;
  }

  /** A fresh id, or 0, which no packet may carry, when there is none left. */
  next(): number {
    if (this.#last >= this.#limit) return 0;
    this.#last += 1;
    return this.#last;
  }
}
