import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import type { Delivery } from './delivery.ts';
import { INITIAL_SLOTS, SegmentRing } from './segment-ring.ts';
import { NO_SLOT, TransmitOrder } from './transmit-order.ts';

const LOST = 1;
const RESENT = 2;
const SACKED = 4;
const LOST_OR_SACKED: number = LOST | SACKED;
const NEVER: Millis = Number.POSITIVE_INFINITY;
/** A deadline so near has come: sums of the same times differ by their rounding. */
const ROUNDING_MS: Millis = 0.001;

/**
 * Segments that were sent and not acknowledged, oldest first. SYN and FIN are bytes of sequence
 * space like others. What is neither lost nor SACKed is in `#order` too, by its last sending.
 *
 *     [ oldest: sequence, length, sentAt, marks ] … [ newest ]       sequences are contiguous
 */
export class Flight {
  readonly #ring = new SegmentRing();
  readonly #order = new TransmitOrder(INITIAL_SLOTS);
  #lostBytes = 0;
  #sackedBytes = 0;
  #sackedSegments = 0;
  /** Entries before this one, counted from the oldest, are not lost. */
  #firstLost = 0;

  /** Segments in it. */
  get size(): number {
    return this.#ring.size;
  }

  /** Bytes that are held for lost and were not sent again. */
  get lostBytes(): number {
    return this.#lostBytes;
  }

  /** Bytes that have arrived behind a hole, in whole segments. */
  get sackedBytes(): number {
    return this.#sackedBytes;
  }

  get sackedSegments(): number {
    return this.#sackedSegments;
  }

  /** A new segment was sent, behind all others. */
  push(sequence: number, length: number, now: Millis): void {
    if (this.#ring.full) {
      this.#order.grow(2 * this.#ring.slots, this.#ring.head);
      this.#ring.grow();
    }
    this.#order.append(this.#ring.push(sequence, length, now, 0));
  }

  /** Takes out what ends at or before `acknowledgment`; what of it is news goes to `delivery`. */
  acknowledge(acknowledgment: number, delivery: Delivery): void {
    const ring = this.#ring;
    while (ring.size > 0) {
      const slot = ring.head;
      const covered = serialDiff(acknowledgment, ring.sequence(slot));
      if (covered <= 0) return;
      if (covered < ring.length(slot)) {
        this.#trim(slot, covered, delivery);
        return;
      }
      if ((ring.marks(slot) & SACKED) === 0) this.#deliver(slot, delivery);
      this.#unmark(slot);
      ring.shift();
      if (this.#firstLost > 0) this.#firstLost -= 1;
    }
  }

  /**
   * The peer holds what lies between `left` and `right`, which is news, and all of the range around
   * it. Segments that it holds in part only do not count (RFC 6675 §3).
   */
  sack(left: number, right: number, range: SackedRange, delivery: Delivery): void {
    const ring = this.#ring;
    for (let index = ring.find(left); index < ring.size; index += 1) {
      const slot = ring.slotAt(index);
      if (!serialLess(ring.sequence(slot), right)) return;
      if (serialLess(ring.sequence(slot), range.rangeLeft)) continue;
      if (serialLess(range.rangeRight, ring.end(slot))) return;
      const marks = ring.marks(slot);
      if ((marks & SACKED) !== 0) continue;
      this.#deliver(slot, delivery);
      delivery.selectiveBytes += ring.length(slot);
      if ((marks & RESENT) === 0) delivery.selectiveOnce = true;
      this.#unmark(slot);
      ring.setMarks(slot, SACKED);
      this.#sackedBytes += ring.length(slot);
      this.#sackedSegments += 1;
    }
  }

  /** The oldest segment is lost: it is the next to be sent again. */
  markFirstLost(): void {
    if (this.size > 0) this.#markLost(0);
  }

  /** Nothing that was sent has arrived, as far as we know: even SACKed data may be gone by now. */
  markAllLost(): void {
    for (let index = 0; index < this.size; index += 1) this.#markLost(index);
  }

  /**
   * A timeout (RFC 8985 §6.3): the oldest is lost, and what was sent `allowance` ago or earlier.
   * What the peer SACKed it may have dropped since (RFC 2018 §8).
   */
  markOldLost(allowance: Millis, now: Millis): void {
    const ring = this.#ring;
    for (let index = 0; index < ring.size; index += 1) {
      const slot = ring.slotAt(index);
      const old = ring.sentAt(slot) + allowance <= now;
      if (index === 0 || old || (ring.marks(slot) & SACKED) !== 0) this.#markLost(index);
    }
  }

  /**
   * Marks lost what was sent before a segment that has arrived: one sent at `sentAt`, ending at
   * `end`. Each has `allowance` to come after all. Returns when the next of them will have had it.
   */
  markOvertaken(sentAt: Millis, end: number, allowance: Millis, now: Millis): Millis {
    const ring = this.#ring;
    for (;;) {
      const slot = this.#order.oldest;
      if (slot === NO_SLOT) return NEVER;
      const at = ring.sentAt(slot);
      const overtaken = at < sentAt || (at === sentAt && serialLess(ring.end(slot), end));
      if (!overtaken) return NEVER;
      if (at + allowance > now + ROUNDING_MS) return at + allowance;
      this.#markLost(ring.indexOf(slot));
    }
  }

  /** Nothing was lost after all. */
  unmarkLost(): void {
    const ring = this.#ring;
    for (let index = 0; index < ring.size; index += 1) {
      const slot = ring.slotAt(index);
      ring.setMarks(slot, ring.marks(slot) & ~LOST);
    }
    this.#lostBytes = 0;
    this.#restoreOrder();
  }

  /** Index of the oldest lost segment; -1 for none. */
  nextLost(): number {
    if (this.#lostBytes === 0) return -1;
    const ring = this.#ring;
    while (this.#firstLost < ring.size) {
      if ((ring.marks(ring.slotAt(this.#firstLost)) & LOST) !== 0) return this.#firstLost;
      this.#firstLost += 1;
    }
    return -1;
  }

  sequenceAt(index: number): number {
    return this.#ring.sequence(this.#ring.slotAt(index));
  }

  lengthAt(index: number): number {
    return this.#ring.length(this.#ring.slotAt(index));
  }

  /** Whether the segment at `index` may still arrive: it is neither lost nor SACKed. */
  isOutAt(index: number): boolean {
    return (this.#ring.marks(this.#ring.slotAt(index)) & LOST_OR_SACKED) === 0;
  }

  /** The segment at `index`, which is not SACKed, was sent again. */
  resent(index: number, now: Millis): void {
    const slot = this.#ring.slotAt(index);
    this.#unmark(slot);
    this.#ring.setMarks(slot, RESENT);
    this.#ring.setSentAt(slot, now);
    this.#order.append(slot);
  }

  /** Length of the segment that holds `sequence`; 0 when none does. */
  lengthOf(sequence: number): number {
    const ring = this.#ring;
    if (ring.size === 0) return 0;
    const slot = ring.slotAt(ring.find(sequence));
    const offset = serialDiff(sequence, ring.sequence(slot));
    return offset >= 0 && offset < ring.length(slot) ? ring.length(slot) : 0;
  }

  /** Cuts segments longer than `limit` into pieces, which are lost: the path did not carry them. */
  split(limit: number): void {
    const ring = this.#ring;
    const whole = Array.from({ length: ring.size }, (_, index) => {
      const slot = ring.slotAt(index);
      return {
        sequence: ring.sequence(slot),
        length: ring.length(slot),
        sentAt: ring.sentAt(slot),
        marks: ring.marks(slot),
      };
    });
    this.clear();
    for (const { sequence, length, sentAt, marks } of whole) {
      const lost = length > limit && (marks & SACKED) === 0 ? LOST : 0;
      for (let from = 0; from < length; from += limit) {
        const piece = Math.min(limit, length - from);
        this.push(serialAdd(sequence, from), piece, sentAt);
        this.#restore(ring.slotAt(ring.size - 1), marks | lost);
      }
    }
    this.#restoreOrder();
  }

  /** Forgets everything. */
  clear(): void {
    this.#ring.reset(INITIAL_SLOTS);
    this.#order.reset(INITIAL_SLOTS);
    this.#lostBytes = 0;
    this.#sackedBytes = 0;
    this.#sackedSegments = 0;
    this.#firstLost = 0;
  }

  #deliver(slot: number, delivery: Delivery): void {
    const ring = this.#ring;
    const resent = (ring.marks(slot) & RESENT) !== 0;
    delivery.take(ring.end(slot), ring.length(slot), ring.sentAt(slot), resent);
  }

  #trim(slot: number, covered: number, delivery: Delivery): void {
    const marks = this.#ring.marks(slot);
    if ((marks & SACKED) === 0) delivery.bytes += covered;
    else this.#sackedBytes -= covered;
    if ((marks & LOST) !== 0) this.#lostBytes -= covered;
    this.#ring.trim(slot, covered);
  }

  #markLost(index: number): void {
    const slot = this.#ring.slotAt(index);
    const marks = this.#ring.marks(slot);
    if ((marks & LOST) !== 0) return;
    this.#unmark(slot);
    this.#ring.setMarks(slot, (marks & RESENT) | LOST);
    this.#lostBytes += this.#ring.length(slot);
    if (index < this.#firstLost) this.#firstLost = index;
  }

  /** Takes the segment out of what its marks count it in; the marks stay. */
  #unmark(slot: number): void {
    const marks = this.#ring.marks(slot);
    if ((marks & LOST_OR_SACKED) === 0) {
      this.#order.remove(slot);
    } else if ((marks & LOST) !== 0) {
      this.#lostBytes -= this.#ring.length(slot);
    } else {
      this.#sackedBytes -= this.#ring.length(slot);
      this.#sackedSegments -= 1;
    }
  }

  /** Gives a segment that was pushed just now its marks. */
  #restore(slot: number, marks: number): void {
    this.#ring.setMarks(slot, marks);
    if ((marks & LOST) !== 0) this.#lostBytes += this.#ring.length(slot);
    if ((marks & SACKED) === 0) return;
    this.#sackedBytes += this.#ring.length(slot);
    this.#sackedSegments += 1;
  }

  /** Builds the order anew. Rare: after a cut, or when a recovery is undone. */
  #restoreOrder(): void {
    const ring = this.#ring;
    const out: number[] = [];
    for (let index = 0; index < ring.size; index += 1) if (this.isOutAt(index)) out.push(index);
    out.sort((a, b) => ring.sentAt(ring.slotAt(a)) - ring.sentAt(ring.slotAt(b)) || a - b);
    this.#order.reset(ring.slots);
    for (const index of out) this.#order.append(ring.slotAt(index));
  }
}

/** A range of the scoreboard. */
interface SackedRange {
  readonly rangeLeft: number;
  readonly rangeRight: number;
}
