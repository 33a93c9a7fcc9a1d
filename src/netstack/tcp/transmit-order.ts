/** No slot. */
export const NO_SLOT = -1;

/**
 * Slots of a ring in the order in which they were sent: a doubly linked list over two arrays, so
 * that a slot goes to the end, or out, without a search.
 */
export class TransmitOrder {
  #after: Int32Array;
  #before: Int32Array;
  #oldest = NO_SLOT;
  #newest = NO_SLOT;

  constructor(slots: number) {
    this.#after = new Int32Array(slots);
    this.#before = new Int32Array(slots);
  }

  /** The slot that was sent first; {@link NO_SLOT} for none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** `slot`, which is not in it, was sent just now. */
  append(slot: number): void {
    this.#after[slot] = NO_SLOT;
    this.#before[slot] = this.#newest;
    if (this.#newest === NO_SLOT) this.#oldest = slot;
    else this.#after[this.#newest] = slot;
    this.#newest = slot;
  }

  /** Takes out `slot`, which is in it. */
  remove(slot: number): void {
    const after = this.#after[slot] ?? NO_SLOT;
    const before = this.#before[slot] ?? NO_SLOT;
    if (before === NO_SLOT) this.#oldest = after;
    else this.#after[before] = after;
    if (after === NO_SLOT) this.#newest = before;
    else this.#before[after] = before;
  }

  /** Empty, with room for `slots`. */
  reset(slots: number): void {
    this.#after = new Int32Array(slots);
    this.#before = new Int32Array(slots);
    this.#oldest = NO_SLOT;
    this.#newest = NO_SLOT;
  }

  /** Room for `slots`, a power of two; the slot that was `head` is 0 now. */
  grow(slots: number, head: number): void {
    const after = this.#after;
    const mask = after.length - 1;
    let slot = this.#oldest;
    this.reset(slots);
    while (slot !== NO_SLOT) {
      this.append((slot - head) & mask);
      slot = after[slot] ?? NO_SLOT;
    }
  }
}
