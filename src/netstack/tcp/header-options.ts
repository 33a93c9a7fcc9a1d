import { setU8, setU16, setU32, u8, u16, u32 } from '../../core/bytes.ts';

/** Kinds of TCP options (RFC 9293 §3.1, RFC 7323 §2.2 and §3.2, RFC 2018). Others are skipped. */
const END = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;

/** Kind and length of timestamps behind two no-operations: how nearly every segment carries them. */
const ALIGNED_TIMESTAMPS = 0x0101_080a;
const MAXIMUM_SEGMENT_SIZE_WORD = 0x0204_0000;
const WINDOW_SCALE_WORD = 0x0103_0300;
const SACK_PERMITTED_WORD = 0x0101_0402;
/** Two no-operations in front; the length is added. */
const SACK_WORD = 0x0101_0500;
export const SACK_BLOCK_BYTES = 8;
/** What SACK takes beside its blocks, padding included. */
export const SACK_HEADER_BYTES = 4;
const OPTION_HEADER_BYTES = 2;
/** Options of one segment (RFC 9293 §3.1): the header is 60 bytes at most. */
const MAX_OPTIONS_BYTES = 40;
/** SACK blocks that fit into one segment beside nothing else. */
export const MAX_SACK_BLOCKS = 4;

/** Bytes that timestamps take in every segment, padding included. */
export const TIMESTAMPS_BYTES = 12;

/** RFC 7323 §2.3: a larger shift is taken for this. */
export const MAX_WINDOW_SCALE = 14;

/** The options of one segment that we know. Reused from segment to segment. */
export class HeaderOptions {
  /** -1: absent. */
  mss = -1;
  /** 0 … 14; -1: absent. */
  windowScale = -1;
  hasTimestamps = false;
  timestamp = 0;
  echo = 0;
  sackPermitted = false;
  /** SACK blocks; block `i` covers `sackEdges[2i]` up to, not with, `sackEdges[2i + 1]`. */
  sackBlocks = 0;
  readonly sackEdges: Uint32Array = new Uint32Array(2 * MAX_SACK_BLOCKS);

  clear(): void {
    this.mss = -1;
    this.windowScale = -1;
    this.hasTimestamps = false;
    this.timestamp = 0;
    this.echo = 0;
    this.sackPermitted = false;
    this.sackBlocks = 0;
  }

  /** SACK blocks that still fit beside the other options. */
  get sackRoom(): number {
    const others = this.length - this.#sackBytes();
    const room = MAX_OPTIONS_BYTES - others - SACK_HEADER_BYTES;
    return Math.min(Math.floor(room / SACK_BLOCK_BYTES), MAX_SACK_BLOCKS);
  }

  /** Takes the options from `at` to `end`; an option that does not fit ends the list. */
  read(packet: Uint8Array, at: number, end: number): void {
    this.clear();
    if (end - at === TIMESTAMPS_BYTES && u32(packet, at) === ALIGNED_TIMESTAMPS) {
      this.#readTimestamps(packet, at + 4);
      return;
    }
    let next = at;
    while (next < end) {
      const kind = u8(packet, next);
      if (kind === END) return;
      if (kind === NO_OPERATION) {
        next += 1;
        continue;
      }
      const length = next + 1 < end ? u8(packet, next + 1) : 0;
      if (length < 2 || next + length > end) return;
      this.#readOne(kind, length, packet, next + 2);
      next += length;
    }
  }

  /** Bytes that `write` takes: a multiple of four. */
  get length(): number {
    const mss = this.mss >= 0 ? 4 : 0;
    const windowScale = this.windowScale >= 0 ? 4 : 0;
    const sackPermitted = this.sackPermitted ? 4 : 0;
    const timestamps = this.hasTimestamps ? TIMESTAMPS_BYTES : 0;
    return mss + windowScale + sackPermitted + timestamps + this.#sackBytes();
  }

  write(packet: Uint8Array, at: number): void {
    let next = at;
    if (this.mss >= 0) {
      setU32(packet, next, MAXIMUM_SEGMENT_SIZE_WORD);
      setU16(packet, next + 2, this.mss);
      next += 4;
    }
    if (this.windowScale >= 0) {
      setU32(packet, next, WINDOW_SCALE_WORD);
      setU8(packet, next + 3, this.windowScale);
      next += 4;
    }
    if (this.hasTimestamps) {
      setU32(packet, next, ALIGNED_TIMESTAMPS);
      setU32(packet, next + 4, this.timestamp);
      setU32(packet, next + 8, this.echo);
      next += TIMESTAMPS_BYTES;
    }
    if (this.sackPermitted) {
      setU32(packet, next, SACK_PERMITTED_WORD);
      next += 4;
    }
    if (this.sackBlocks > 0) this.#writeSack(packet, next);
  }

  #sackBytes(): number {
    return this.sackBlocks === 0 ? 0 : SACK_HEADER_BYTES + this.sackBlocks * SACK_BLOCK_BYTES;
  }

  #writeSack(packet: Uint8Array, at: number): void {
    const edges = 2 * this.sackBlocks;
    setU32(packet, at, SACK_WORD + OPTION_HEADER_BYTES + this.sackBlocks * SACK_BLOCK_BYTES);
    for (let edge = 0; edge < edges; edge += 1) {
      setU32(packet, at + SACK_HEADER_BYTES + 4 * edge, this.sackEdges[edge] ?? 0);
    }
  }

  #readOne(kind: number, length: number, packet: Uint8Array, at: number): void {
    if (kind === MAXIMUM_SEGMENT_SIZE && length === 4) this.mss = u16(packet, at);
    if (kind === WINDOW_SCALE && length === 3) {
      this.windowScale = Math.min(u8(packet, at), MAX_WINDOW_SCALE);
    }
    if (kind === TIMESTAMPS && length === 10) this.#readTimestamps(packet, at);
    if (kind === SACK_PERMITTED && length === 2) this.sackPermitted = true;
    if (kind === SACK) this.#readSack(length - OPTION_HEADER_BYTES, packet, at);
  }

  #readSack(bytes: number, packet: Uint8Array, at: number): void {
    if (bytes % SACK_BLOCK_BYTES !== 0 || bytes > MAX_SACK_BLOCKS * SACK_BLOCK_BYTES) return;
    this.sackBlocks = bytes / SACK_BLOCK_BYTES;
    for (let edge = 0; edge < 2 * this.sackBlocks; edge += 1) {
      this.sackEdges[edge] = u32(packet, at + 4 * edge);
    }
  }

  #readTimestamps(packet: Uint8Array, at: number): void {
    this.hasTimestamps = true;
    this.timestamp = u32(packet, at);
    this.echo = u32(packet, at + 4);
  }
}
