import { serialAdd, serialDiff } from '../../core/serial.ts';
import { chargeOf, type ReceiveQueue, unpinned } from './receive-queue.ts';

/** Gaps in the stream that are remembered. */
export const MAX_RANGES = 256;

/** Contiguous bytes that arrived ahead of a gap; it grows at both ends at the same cost. */
interface Range {
  start: number;
  end: number;
  /** what came before `chunks`, the first bytes last */
  readonly front: Buffer[];
  readonly chunks: Buffer[];
}

/**
 * Segments that arrived ahead of a gap: sorted ranges that do not touch. Bounded in ranges, and in
 * bytes by what is really held, so that tiny segments fill it as fast as large ones.
 */
export class Reassembly {
  #ranges: Range[] = [];
  #charge = 0;
  #payload = 0;
  overlapStart = 0;
  overlapEnd = 0;

  get empty(): boolean {
    return this.#ranges.length === 0;
  }

  get ranges(): number {
    return this.#ranges.length;
  }

  /** First sequence number of the range at `index`, the lowest range first. */
  startAt(index: number): number {
    return this.#ranges[index]?.start ?? 0;
  }

  /** Sequence number behind the range at `index`. */
  endAt(index: number): number {
    return this.#ranges[index]?.end ?? 0;
  }

  /** Index of the range that holds `sequence`; -1 for none. */
  indexOf(sequence: number): number {
    const at = this.#search(serialAdd(sequence, 1));
    const range = this.#ranges[at];
    return range !== undefined && serialDiff(sequence, range.start) >= 0 ? at : -1;
  }

  /**
   * Looks for what of `start` up to `end` is there already: the first such piece is in
   * {@link overlapStart}, {@link overlapEnd}.
   */
  findOverlap(start: number, end: number): boolean {
    const range = this.#ranges[this.#search(serialAdd(start, 1))];
    if (range === undefined || serialDiff(end, range.start) <= 0) return false;
    this.overlapStart = serialDiff(range.start, start) > 0 ? range.start : start;
    this.overlapEnd = serialDiff(range.end, end) < 0 ? range.end : end;
    return true;
  }

  /** Bytes of memory that it holds, about. */
  get charge(): number {
    return this.#charge;
  }

  /** Bytes of the stream that it holds. */
  get payload(): number {
    return this.#payload;
  }

  /**
   * Keeps what of `payload` is not there yet; false when there is no room for it.
   *
   * @param limit bound for {@link charge}
   */
  insert(sequence: number, payload: Buffer, limit: number): boolean {
    const at = this.#search(sequence);
    const end = serialAdd(sequence, payload.length);
    let from = sequence;
    while (serialDiff(end, from) > 0) {
      const range = this.#ranges[at];
      const touches = range !== undefined && serialDiff(from, range.start) >= 0;
      if (touches && serialDiff(range.end, from) > 0) {
        from = range.end;
        continue;
      }
      const next = this.#ranges[touches ? at + 1 : at];
      const to = next !== undefined && serialDiff(end, next.start) > 0 ? next.start : end;
      const piece = payload.subarray(serialDiff(from, sequence), serialDiff(to, sequence));
      if (!this.#place(at, from, piece, limit)) return false;
      from = to;
    }
    return true;
  }

  /**
   * Moves what follows `rcvNxt` without a gap into `queue`.
   *
   * @returns the new `rcvNxt`
   */
  release(rcvNxt: number, queue: ReceiveQueue): number {
    let reached = rcvNxt;
    while (this.#ranges.length > 0) {
      const range = this.#ranges[0];
      if (range === undefined || serialDiff(range.start, reached) > 0) break;
      let position = range.start;
      for (const chunk of inOrder(range)) {
        const known = Math.min(Math.max(serialDiff(reached, position), 0), chunk.length);
        if (known < chunk.length) queue.push(known === 0 ? chunk : chunk.subarray(known));
        position = serialAdd(position, chunk.length);
        this.#charge -= chargeOf(chunk);
        this.#payload -= chunk.length;
      }
      if (serialDiff(range.end, reached) > 0) reached = range.end;
      this.#ranges.shift();
    }
    return reached;
  }

  clear(): void {
    this.#ranges = [];
    this.#charge = 0;
    this.#payload = 0;
  }

  /** Index of the first range that ends at or after `sequence`. */
  #search(sequence: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (serialDiff(this.#ranges[middle]?.end ?? 0, sequence) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts a piece that overlaps nothing at `at`: behind that range, or before it. */
  #place(at: number, from: number, piece: Buffer, limit: number): boolean {
    const chunk = unpinned(piece);
    const charge = chargeOf(chunk);
    if (this.#charge + charge > limit) return false;
    const end = serialAdd(from, chunk.length);
    const touched = this.#ranges[at];
    if (touched?.end === from) {
      touched.chunks.push(chunk);
      touched.end = end;
      this.#join(at);
    } else if (touched?.start === end) {
      touched.front.push(chunk);
      touched.start = from;
    } else {
      if (this.#ranges.length >= MAX_RANGES) return false;
      this.#ranges.splice(at, 0, { start: from, end, front: [], chunks: [chunk] });
    }
    this.#charge += charge;
    this.#payload += chunk.length;
    return true;
  }

  /** Makes one of the ranges at `at` and behind it, if they touch: the larger takes the smaller. */
  #join(at: number): void {
    const range = this.#ranges[at];
    const next = this.#ranges[at + 1];
    if (range === undefined || next === undefined || range.end !== next.start) return;
    if (count(range) < count(next)) {
      for (const chunk of inOrder(range).reverse()) next.front.push(chunk);
      next.start = range.start;
      this.#ranges.splice(at, 1);
    } else {
      for (const chunk of inOrder(next)) range.chunks.push(chunk);
      range.end = next.end;
      this.#ranges.splice(at + 1, 1);
    }
  }
}

function count({ front, chunks }: Range): number {
  return front.length + chunks.length;
}

/** The chunks of a range, the first bytes first. */
function inOrder({ front, chunks }: Range): Buffer[] {
  return [...front.toReversed(), ...chunks];
}
