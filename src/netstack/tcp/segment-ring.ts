import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff } from '../../core/serial.ts';

/** What a ring can hold before it grows. A power of two. */
export const INITIAL_SLOTS = 8;

/**
 * A ring of numbers about segments, contiguous in sequence space, oldest first: no object per
 * segment. An index counts from the oldest; a slot stays the same until the ring grows.
 */
export class SegmentRing {
  #sequences = new Uint32Array(INITIAL_SLOTS);
  #lengths = new Uint32Array(INITIAL_SLOTS);
  #sentAt = new Float64Array(INITIAL_SLOTS);
  #marks = new Uint8Array(INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Slot of the oldest. */
  get head(): number {
    return this.#head;
  }

  get slots(): number {
    return this.#mask + 1;
  }

  get full(): boolean {
    return this.#size > this.#mask;
  }

  /** Adds one behind all others; there must be room. Returns its slot. */
  push(sequence: number, length: number, sentAt: Millis, marks: number): number {
    const slot = (this.#head + this.#size) & this.#mask;
    this.#sequences[slot] = sequence;
    this.#lengths[slot] = length;
    this.#sentAt[slot] = sentAt;
    this.#marks[slot] = marks;
    this.#size += 1;
    return slot;
  }

  /** Takes out the oldest. */
  shift(): void {
    this.#head = (this.#head + 1) & this.#mask;
    this.#size -= 1;
  }

  /** Twice the room; the head is slot 0 then. */
  grow(): void {
    this.#sequences = unrolled(this.#sequences, this.#head, new Uint32Array(2 * this.slots));
    this.#lengths = unrolled(this.#lengths, this.#head, new Uint32Array(2 * this.slots));
    this.#sentAt = unrolled(this.#sentAt, this.#head, new Float64Array(2 * this.slots));
    this.#marks = unrolled(this.#marks, this.#head, new Uint8Array(2 * this.slots));
    this.#mask = 2 * this.slots - 1;
    this.#head = 0;
  }

  /** Empties it, with room for `slots`. */
  reset(slots: number): void {
    this.#sequences = new Uint32Array(slots);
    this.#lengths = new Uint32Array(slots);
    this.#sentAt = new Float64Array(slots);
    this.#marks = new Uint8Array(slots);
    this.#mask = slots - 1;
    this.#head = 0;
    this.#size = 0;
  }

  slotAt(index: number): number {
    return (this.#head + index) & this.#mask;
  }

  indexOf(slot: number): number {
    return (slot - this.#head) & this.#mask;
  }

  /** Index of the last segment that begins at or before `sequence`; 0 when none does. */
  find(sequence: number): number {
    let low = 0;
    let high = this.#size - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (serialDiff(sequence, this.sequence(this.slotAt(middle))) < 0) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  sequence(slot: number): number {
    return this.#sequences[slot] ?? 0;
  }

  length(slot: number): number {
    return this.#lengths[slot] ?? 0;
  }

  /** Sequence number behind the segment. */
  end(slot: number): number {
    return serialAdd(this.sequence(slot), this.length(slot));
  }

  sentAt(slot: number): Millis {
    return this.#sentAt[slot] ?? 0;
  }

  marks(slot: number): number {
    return this.#marks[slot] ?? 0;
  }

  setSentAt(slot: number, at: Millis): void {
    this.#sentAt[slot] = at;
  }

  setMarks(slot: number, marks: number): void {
    this.#marks[slot] = marks;
  }

  /** Cuts `bytes` off the front of the segment. */
  trim(slot: number, bytes: number): void {
    this.#sequences[slot] = serialAdd(this.sequence(slot), bytes);
    this.#lengths[slot] = this.length(slot) - bytes;
  }
}

/** The ring `from`, whose head is at `head`, from the beginning of `into` on. */
function unrolled<T extends Uint32Array | Float64Array | Uint8Array>(
  from: T,
  head: number,
  into: T,
): T {
  into.set(from.subarray(head));
  into.set(from.subarray(0, head), from.length - head);
  return into;
}
