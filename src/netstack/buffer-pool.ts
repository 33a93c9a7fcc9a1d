/** Memory for what all flows together have received. Unit: bytes. */
export const RECEIVE_POOL_BYTES: number = 256 * 1024 * 1024;
/** One offer takes at most this part of what is free, so that the last of many still gets one. */
const OFFER_PART = 16;
/** No offer is made from the last part of the pool: it is for what comes before any offer. */
const RESERVE_PART = 8;
/** The pool is short when less than this part of it is free. */
const SHORT_PART = 4;

/**
 * Memory that many receivers share. A receiver that holds unread bytes claims them, and with them
 * all that its peer may still send into the window that it was told: so what was offered always
 * finds room. One that holds nothing claims nothing, however wide its window: most never fill it.
 *
 * Nobody is refused. A pool that runs short tells its receivers to offer less.
 */
export class BufferPool {
  readonly limitBytes: number;
  #claimed = 0;

  constructor(limitBytes: number = RECEIVE_POOL_BYTES) {
    this.limitBytes = limitBytes;
  }

  /** Bytes that are held, or promised to those who hold some. */
  get claimed(): number {
    return this.#claimed;
  }

  get free(): number {
    return Math.max(this.limitBytes - this.#claimed, 0);
  }

  /** Whether no buffer should grow now. */
  get isShort(): boolean {
    return this.free < this.limitBytes / SHORT_PART;
  }

  /** How much further one receiver may open its window now. */
  get offer(): number {
    const free = this.free - this.limitBytes / RESERVE_PART;
    return Math.max(Math.floor(free / OFFER_PART), 0);
  }

  /** Changes what is claimed by `bytes`, which may be negative. */
  claim(bytes: number): void {
    this.#claimed += bytes;
  }
}
