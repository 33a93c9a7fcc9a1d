import type { BufferPool } from '../buffer-pool.ts';

/** Memory that a full segment costs beside its payload, as a factor: what is assumed at first. */
const USUAL_COST = 1.25;
/** Tiny segments cost more, but they are put together before they cost more than this. */
const LARGEST_COST = 8;

/** What one receiver claims from the pool: what it holds, and then also what it has offered. */
export class ReceiveClaim {
  readonly #pool: BufferPool;
  #claimed = 0;
  #costPerByte = USUAL_COST;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Whether no buffer should grow now. */
  get poolIsShort(): boolean {
    return this.#pool.isShort;
  }

  /** Payload by which the window may open further, as far as the pool goes. */
  get offer(): number {
    return Math.floor(this.#pool.offer / this.#costPerByte);
  }

  /**
   * Claims what is due now.
   *
   * @param memory bytes of memory that are held
   * @param payload what of them is payload
   * @param window what the peer may still send
   */
  settle(memory: number, payload: number, window: number): void {
    let due = memory;
    if (memory > 0) {
      const cost = memory / Math.max(payload, 1);
      this.#costPerByte = Math.min(Math.max(cost, USUAL_COST), LARGEST_COST);
      due += Math.ceil(window * this.#costPerByte);
    }
    if (due === this.#claimed) return;
    this.#pool.claim(due - this.#claimed);
    this.#claimed = due;
  }
}
