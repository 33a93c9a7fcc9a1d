import type { Millis } from '../core/machine.ts';

const WORD_BITS = 32;
const WORD_SHIFT = 5;

/**
 * Remembers which packet ids of one key, of up to 48 bits, have come. The bitmap is a ring of 32-bit
 * words that is never shifted (RFC 6479): moving forward clears the words it enters.
 *
 *     id      highest − packets      highest
 *     ────────┼──────────────────────┼────────▶
 *     refused   once each, and only    moves the window
 *               while no higher id
 *               is older than `ms`
 */
export class ReplayWindow {
  readonly #packets: number;
  readonly #maxAgeMs: Millis;
  readonly #words: Uint32Array;
  readonly #wordMask: number;
  /** When the ids of the window came, by id modulo its length. */
  readonly #seenAt: Float64Array;
  readonly #seenMask: number;
  #highest = 0;

  /**
   * @param packets how far behind the highest id an id may be, that one included. 0: no reordering.
   * @param ms how long after a higher id an id may come. 0: no bound.
   */
  constructor({ packets, ms }: { readonly packets: number; readonly ms: Millis }) {
    let words = 2;
    while ((words - 1) * WORD_BITS < packets) words *= 2;
    this.#packets = packets;
    this.#maxAgeMs = ms === 0 ? Number.POSITIVE_INFINITY : ms;
    this.#words = new Uint32Array(words);
    this.#wordMask = words - 1;
    this.#seenAt = new Float64Array(words * WORD_BITS);
    this.#seenMask = words * WORD_BITS - 1;
  }

  /** The highest id that was accepted; 0 for none. */
  get highest(): number {
    return this.#highest;
  }

  /** Takes `id` as seen, or refuses it. Only for ids of packets that have proved authentic. */
  accept(id: number, now: Millis): boolean {
    if (id === 0) return false;
    if (id > this.#highest) {
      this.#advance(id);
    } else if (this.#highest - id >= this.#packets || this.#seen(id) || this.#late(id, now)) {
      return false;
    }
    const word = (id >>> WORD_SHIFT) & this.#wordMask;
    this.#words[word] = (this.#words[word] as number) | (1 << (id & (WORD_BITS - 1)));
    this.#seenAt[id & this.#seenMask] = now;
    return true;
  }

  /** Ids may exceed 32 bits, and `>>>` gives the lower 32 only: enough for a place in the ring. */
  #advance(id: number): void {
    const from = this.#highest >>> WORD_SHIFT;
    const isFar = id - this.#highest > this.#wordMask * WORD_BITS;
    const steps = isFar ? this.#words.length : ((id >>> WORD_SHIFT) - from) & this.#wordMask;
    for (let step = 1; step <= steps; step += 1) this.#words[(from + step) & this.#wordMask] = 0;
    this.#highest = id;
  }

  #seen(id: number): boolean {
    const word = this.#words[(id >>> WORD_SHIFT) & this.#wordMask] as number;
    return ((word >>> (id & (WORD_BITS - 1))) & 1) === 1;
  }

  #late(id: number, now: Millis): boolean {
    for (let higher = id + 1; higher <= this.#highest; higher += 1) {
      const age = now - (this.#seenAt[higher & this.#seenMask] as number);
      if (age > this.#maxAgeMs && this.#seen(higher)) return true;
    }
    return false;
  }
}
