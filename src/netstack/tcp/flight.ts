import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff } from '../../core/serial.ts';

const LOST = 1;
const RESENT = 2;
const INITIAL_SLOTS = 8;

/**
 * Segments that were sent and not acknowledged, oldest first: a ring of numbers, no object per
 * segment. SYN and FIN are bytes of sequence space like others.
 *
 *     [ head: sequence, length, sentAt, marks ] … [ newest ]       sequences are contiguous
 */
export class Flight {
  #sequences = new Uint32Array(INITIAL_SLOTS);
  #lengths = new Uint32Array(INITIAL_SLOTS);
  #sentAt = new Float64Array(INITIAL_SLOTS);
  #marks = new Uint8Array(INITIAL_SLOTS);
  #mask = INITIAL_SLOTS - 1;
  #head = 0;
  #size = 0;
  #lostBytes = 0;
  /** Entries before this one, counted from the head, are not lost. */
  #firstLost = 0;

  /** Segments in it. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that are held for lost and were not sent again. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** A new segment was sent, behind all others. */
  push(sequence: number, length: number, now: Millis): void {
    if (this.#size > this.#mask) this.#grow();
    const slot = (this.#head + this.#size) & this.#mask;
    this.#sequences[slot] = sequence;
    this.#lengths[slot] = length;
    this.#sentAt[slot] = now;
    this.#marks[slot] = 0;
    this.#size += 1;
  }

  /** When the newest segment of the last `acknowledge` was sent; -1 when it took none. */
  acknowledgedSentAt: Millis = -1;
  /** When one of these was sent again, last; -1 when each was sent once. */
  acknowledgedResentAt: Millis = -1;

  /** Takes out what ends at or before `acknowledgment`. */
  acknowledge(acknowledgment: number): void {
    this.acknowledgedSentAt = -1;
    this.acknowledgedResentAt = -1;
    while (this.#size > 0) {
      const slot = this.#head;
      const covered = serialDiff(acknowledgment, this.#sequence(slot));
      if (covered <= 0) break;
      const length = this.#length(slot);
      if (covered < length) {
        this.#trim(slot, covered);
        break;
      }
      this.acknowledgedSentAt = this.#sentAt[slot] ?? -1;
      if (
        (this.#mark(slot) & RESENT) !== 0 &&
        this.acknowledgedSentAt > this.acknowledgedResentAt
      ) {
        this.acknowledgedResentAt = this.acknowledgedSentAt;
      }
      this.#drop();
    }
  }

  /** The oldest segment is lost: it is the next to be sent again. */
  markFirstLost(): void {
    if (this.#size > 0) this.#markLost(this.#head);
    this.#firstLost = 0;
  }

  /** Nothing that was sent has arrived, as far as we know. */
  markAllLost(): void {
    for (let index = 0; index < this.#size; index += 1) this.#markLost(this.#slot(index));
    this.#firstLost = 0;
  }

  /** Index of the oldest lost segment; -1 for none. */
  nextLost(): number {
    if (this.#lostBytes === 0) return -1;
    while (this.#firstLost < this.#size) {
      if ((this.#mark(this.#slot(this.#firstLost)) & LOST) !== 0) return this.#firstLost;
      this.#firstLost += 1;
    }
    return -1;
  }

  sequenceAt(index: number): number {
    return this.#sequence(this.#slot(index));
  }

  lengthAt(index: number): number {
    return this.#length(this.#slot(index));
  }

  /** The segment at `index` was sent again. */
  resent(index: number, now: Millis): void {
    const slot = this.#slot(index);
    if ((this.#mark(slot) & LOST) !== 0) this.#lostBytes -= this.#length(slot);
    this.#marks[slot] = RESENT;
    this.#sentAt[slot] = now;
  }

  /** Length of the segment that holds `sequence`; 0 when none does. */
  lengthOf(sequence: number): number {
    for (let index = 0; index < this.#size; index += 1) {
      const offset = serialDiff(sequence, this.sequenceAt(index));
      if (offset >= 0 && offset < this.lengthAt(index)) return this.lengthAt(index);
    }
    return 0;
  }

  /** Cuts segments longer than `limit` into pieces, which are lost: the path did not carry them. */
  split(limit: number): void {
    const size = this.#size;
    const { sequences, lengths, sentAt, marks } = this.#copy(this.#sequences.length);
    this.#reset(sequences.length);
    for (let index = 0; index < size; index += 1) {
      const sequence = sequences[index] ?? 0;
      const length = lengths[index] ?? 0;
      const mark = marks[index] ?? 0;
      for (let from = 0; from < length; from += limit) {
        const piece = Math.min(limit, length - from);
        this.push(serialAdd(sequence, from), piece, sentAt[index] ?? 0);
        const added = this.#slot(this.#size - 1);
        this.#marks[added] = mark & RESENT;
        if (length > limit || (mark & LOST) !== 0) this.#markLost(added);
      }
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#reset(INITIAL_SLOTS);
  }

  #trim(slot: number, covered: number): void {
    this.#sequences[slot] = serialAdd(this.#sequence(slot), covered);
    this.#lengths[slot] = this.#length(slot) - covered;
    if ((this.#mark(slot) & LOST) !== 0) this.#lostBytes -= covered;
  }

  #drop(): void {
    const slot = this.#head;
    if ((this.#mark(slot) & LOST) !== 0) this.#lostBytes -= this.#length(slot);
    this.#head = (slot + 1) & this.#mask;
    this.#size -= 1;
    if (this.#firstLost > 0) this.#firstLost -= 1;
  }

  #markLost(slot: number): void {
    if ((this.#mark(slot) & LOST) !== 0) return;
    this.#marks[slot] = this.#mark(slot) | LOST;
    this.#lostBytes += this.#length(slot);
  }

  #grow(): void {
    const { sequences, lengths, sentAt, marks } = this.#copy(this.#sequences.length * 2);
    this.#sequences = sequences;
    this.#lengths = lengths;
    this.#sentAt = sentAt;
    this.#marks = marks;
    this.#mask = sequences.length - 1;
    this.#head = 0;
  }

  #copy(slots: number) {
    const sequences = new Uint32Array(slots);
    const lengths = new Uint32Array(slots);
    const sentAt = new Float64Array(slots);
    const marks = new Uint8Array(slots);
    for (let index = 0; index < this.#size; index += 1) {
      const slot = this.#slot(index);
      sequences[index] = this.#sequence(slot);
      lengths[index] = this.#length(slot);
      sentAt[index] = this.#sentAt[slot] ?? 0;
      marks[index] = this.#mark(slot);
    }
    return { sequences, lengths, sentAt, marks };
  }

  #reset(slots: number): void {
    this.#sequences = new Uint32Array(slots);
    this.#lengths = new Uint32Array(slots);
    this.#sentAt = new Float64Array(slots);
    this.#marks = new Uint8Array(slots);
    this.#mask = slots - 1;
    this.#head = 0;
    this.#size = 0;
    this.#lostBytes = 0;
    this.#firstLost = 0;
  }

  #slot(index: number): number {
    return (this.#head + index) & this.#mask;
  }

  #sequence(slot: number): number {
    return this.#sequences[slot] ?? 0;
  }

  #length(slot: number): number {
    return this.#lengths[slot] ?? 0;
  }

  #mark(slot: number): number {
    return this.#marks[slot] ?? 0;
  }
}
