import { serialDiff } from '../../core/serial.ts';
import { type HeaderOptions, MAX_SACK_BLOCKS } from './header-options.ts';
import type { Reassembly } from './reassembly.ts';

/** Arrivals that wait to be reported; older ones give way. */
const MAX_FRESH = 64;
/** Duplicates that wait to be reported; further ones are not. */
const MAX_DUPLICATES = 4;

/**
 * What the peer is told of segments ahead of a gap (RFC 2018 §4) and of those that came twice
 * (RFC 2883 §4). The blocks are read from the {@link Reassembly} when they are written, so they
 * say what is held then; here is only their order:
 *
 *     duplicate │ its range │ newest arrival … │ reported last … │ any other, from the top
 *
 * A sequence number stands for the range that holds it, however far that has grown since.
 */
export class SackReport {
  /** Arrivals that no report began with: a ring, made with the first of them. */
  #fresh: Uint32Array | undefined;
  #freshFirst = 0;
  #freshCount = 0;
  /** One number of each range reported last, the newest first. */
  readonly #reported: number[] = [];
  /** Starts and ends of what came twice. */
  readonly #duplicates: number[] = [];

  /** Whether something that came twice was not reported. */
  get hasDuplicate(): boolean {
    return this.#duplicates.length > 0;
  }

  /** A segment that holds `sequence` was kept ahead of a gap. */
  note(sequence: number): void {
    this.#fresh ??= new Uint32Array(MAX_FRESH);
    if (this.#freshCount === MAX_FRESH) this.#dropFresh(1);
    this.#fresh[(this.#freshFirst + this.#freshCount) % MAX_FRESH] = sequence;
    this.#freshCount += 1;
  }

  /** What lies from `start` up to `end` came again. Neighbours are reported as one. */
  noteDuplicate(start: number, end: number): void {
    const duplicates = this.#duplicates;
    const last = duplicates.length - 1;
    if (last > 0 && duplicates[last] === start) duplicates[last] = end;
    else if (duplicates.length < 2 * MAX_DUPLICATES) duplicates.push(start, end);
  }

  /**
   * Writes the blocks beside `acknowledgment` into `options`, `room` of them at most. What is
   * written counts as reported.
   */
  write(options: HeaderOptions, acknowledgment: number, held: Reassembly, room: number): void {
    options.sackBlocks = 0;
    const blocks = Math.min(room, MAX_SACK_BLOCKS);
    if (blocks <= 0) return;
    const first = this.#writeDuplicate(options, acknowledgment, held) ? 1 : 0;
    if (first > 0) addRangeOf(edgeAt(options, 0), options, held, blocks, first);
    this.#writeFresh(options, held, blocks, first);
    for (const sequence of this.#reported) addRangeOf(sequence, options, held, blocks, first);
    for (let at = held.ranges - 1; at >= 0 && options.sackBlocks < blocks; at -= 1) {
      addRangeOf(held.startAt(at), options, held, blocks, first);
    }
    this.#remember(options, held, first);
  }

  clear(): void {
    this.#freshCount = 0;
    this.#reported.length = 0;
    this.#duplicates.length = 0;
  }

  /** Only what the peer can tell from news: below `acknowledgment`, or inside what is held. */
  #writeDuplicate(options: HeaderOptions, acknowledgment: number, held: Reassembly): boolean {
    const [start, end] = this.#duplicates;
    if (start === undefined || end === undefined) return false;
    if (serialDiff(end, acknowledgment) > 0 && held.indexOf(start) < 0) return false;
    this.#duplicates.splice(0, 2);
    append(options, start, end);
    return true;
  }

  /** The oldest arrivals that are due, the newest of them first. */
  #writeFresh(options: HeaderOptions, held: Reassembly, blocks: number, first: number): void {
    const count = Math.min(this.#freshCount, blocks - options.sackBlocks);
    for (let ahead = count - 1; ahead >= 0; ahead -= 1) {
      const sequence = this.#fresh?.[(this.#freshFirst + ahead) % MAX_FRESH] ?? 0;
      addRangeOf(sequence, options, held, blocks, first);
    }
    this.#dropFresh(count);
  }

  #dropFresh(count: number): void {
    this.#freshFirst = (this.#freshFirst + count) % MAX_FRESH;
    this.#freshCount -= count;
  }

  /** Keeps one number of each range that was reported last, those just written in front. */
  #remember(options: HeaderOptions, held: Reassembly, first: number): void {
    const reported = this.#reported;
    let kept = 0;
    for (const sequence of reported) {
      if (held.indexOf(sequence) < 0 || isWritten(options, sequence, first)) continue;
      reported[kept] = sequence;
      kept += 1;
    }
    reported.length = kept;
    for (let block = options.sackBlocks - 1; block >= first; block -= 1) {
      reported.unshift(edgeAt(options, 2 * block));
    }
    if (reported.length > MAX_SACK_BLOCKS) reported.length = MAX_SACK_BLOCKS;
  }
}

/** Appends the range that holds `sequence`, unless it is gone, or there already, or has no room. */
function addRangeOf(
  sequence: number,
  options: HeaderOptions,
  held: Reassembly,
  blocks: number,
  first: number,
): void {
  if (options.sackBlocks >= blocks || isWritten(options, sequence, first)) return;
  const at = held.indexOf(sequence);
  if (at >= 0) append(options, held.startAt(at), held.endAt(at));
}

/** Whether a block from `first` on holds `sequence`. */
function isWritten(options: HeaderOptions, sequence: number, first: number): boolean {
  for (let block = first; block < options.sackBlocks; block += 1) {
    const start = edgeAt(options, 2 * block);
    const end = edgeAt(options, 2 * block + 1);
    if (serialDiff(sequence, start) >= 0 && serialDiff(sequence, end) < 0) return true;
  }
  return false;
}

function edgeAt(options: HeaderOptions, edge: number): number {
  return options.sackEdges[edge] ?? 0;
}

function append(options: HeaderOptions, start: number, end: number): void {
  options.sackEdges[2 * options.sackBlocks] = start;
  options.sackEdges[2 * options.sackBlocks + 1] = end;
  options.sackBlocks += 1;
}
