import { serialDiff, serialLess } from '../../core/serial.ts';

/** Ranges remembered (CVE-2019-11478): what a peer tells beyond them is only looked at again. */
export const MAX_SACKED_RANGES = 64;

/**
 * What the peer told by SACK blocks (RFC 2018): sorted, disjoint ranges. Blocks repeat for as long
 * as there is a hole; `add` gives only what is new in one, so that a repetition costs nothing.
 */
export class Scoreboard {
  readonly #lefts = new Uint32Array(MAX_SACKED_RANGES);
  readonly #rights = new Uint32Array(MAX_SACKED_RANGES);
  #size = 0;
  /** What the last `add` found new. */
  newLeft = 0;
  newRight = 0;
  /** The range that it belongs to now. */
  rangeLeft = 0;
  rangeRight = 0;

  /** Ranges in it. */
  get size(): number {
    return this.#size;
  }

  /**
   * Takes the first part of `left` up to `right` that is not held; false when all of it is. Call it
   * until then: there are at most as many parts as ranges, and one.
   */
  add(left: number, right: number): boolean {
    const index = this.#firstFrom(left);
    if (index < this.#size && !serialLess(left, this.#left(index))) {
      return this.#extendUp(index, right);
    }
    const next = index < this.#size && !serialLess(right, this.#left(index));
    this.newLeft = left;
    this.newRight = next ? this.#left(index) : right;
    this.rangeLeft = left;
    this.rangeRight = next ? this.#right(index) : right;
    if (next) this.#lefts[index] = left;
    else this.#insert(index, left, right);
    return true;
  }

  /** All before `sequence` is acknowledged. */
  release(sequence: number): void {
    let gone = 0;
    while (gone < this.#size && !serialLess(sequence, this.#right(gone))) gone += 1;
    this.#remove(0, gone);
    if (this.#size > 0 && serialLess(this.#left(0), sequence)) this.#lefts[0] = sequence;
  }

  /** Forgets everything. */
  clear(): void {
    this.#size = 0;
  }

  /** The range at `index` begins at or before what is added, and ends in it, or before it. */
  #extendUp(index: number, right: number): boolean {
    const from = this.#right(index);
    if (!serialLess(from, right)) return false;
    const next = index + 1 < this.#size && !serialLess(right, this.#left(index + 1));
    this.newLeft = from;
    this.newRight = next ? this.#left(index + 1) : right;
    this.rangeLeft = this.#left(index);
    this.rangeRight = next ? this.#right(index + 1) : right;
    this.#rights[index] = this.rangeRight;
    if (next) this.#remove(index + 1, 1);
    return true;
  }

  /** Index of the first range that ends at or after `sequence`. */
  #firstFrom(sequence: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (serialLess(this.#right(middle), sequence)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(at: number, left: number, right: number): void {
    let index = at;
    if (this.#size === MAX_SACKED_RANGES) {
      const smallest = this.#smallest();
      this.#remove(smallest, 1);
      if (smallest < index) index -= 1;
    }
    this.#lefts.copyWithin(index + 1, index, this.#size);
    this.#rights.copyWithin(index + 1, index, this.#size);
    this.#lefts[index] = left;
    this.#rights[index] = right;
    this.#size += 1;
  }

  #remove(index: number, count: number): void {
    if (count === 0) return;
    this.#lefts.copyWithin(index, index + count, this.#size);
    this.#rights.copyWithin(index, index + count, this.#size);
    this.#size -= count;
  }

  #smallest(): number {
    let smallest = 0;
    for (let index = 1; index < this.#size; index += 1) {
      if (this.#span(index) < this.#span(smallest)) smallest = index;
    }
    return smallest;
  }

  #span(index: number): number {
    return serialDiff(this.#right(index), this.#left(index));
  }

  #left(index: number): number {
    return this.#lefts[index] ?? 0;
  }

  #right(index: number): number {
    return this.#rights[index] ?? 0;
  }
}
