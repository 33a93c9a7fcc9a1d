import { serialAdd, serialDiff } from '../../core/serial.ts';

/** What holding a chunk costs beside its bytes, so that many tiny writes fill the buffer too. */
const CHUNK_OVERHEAD = 128;
/** Released chunks are cut off the list when they are this many and the larger part of it. */
const COMPACT_AFTER = 64;

/**
 * What the application wrote and the peer has not acknowledged: its own chunks, first in first
 * out, copied once, into the segments. The FIN is one more byte behind the last.
 */
export class SendBuffer {
  #chunks: Buffer[] = [];
  #head = 0;
  /** Bytes of the head chunk that are acknowledged. */
  #headOffset = 0;
  #start: number;
  #length = 0;
  #finished = false;
  /** Where the last copy ended: the chunk, and the position of its first byte. */
  #cursor = 0;
  #cursorPosition = 0;

  /** @param start sequence number of the first byte */
  constructor(start: number) {
    this.#start = start;
  }

  /** Bytes held. */
  get length(): number {
    return this.#length;
  }

  /** What is charged against the buffer's limit. */
  get charge(): number {
    return this.#length + (this.#chunks.length - this.#head) * CHUNK_OVERHEAD;
  }

  /** Sequence number behind the last byte: that of the FIN. */
  get end(): number {
    return serialAdd(this.#start, this.#length);
  }

  /** Nothing more will be written: a FIN follows the last byte. */
  get finished(): boolean {
    return this.#finished;
  }

  finish(): void {
    this.#finished = true;
  }

  /** Keeps `chunk`; the caller must not change it any more. */
  append(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Copies `length` bytes from `sequence` on into `target` at `at`. */
  copy(sequence: number, target: Buffer, at: number, length: number): void {
    const wanted = this.#headOffset + serialDiff(sequence, this.#start);
    if (wanted < this.#cursorPosition || this.#cursor < this.#head) {
      this.#cursor = this.#head;
      this.#cursorPosition = 0;
    }
    let copied = 0;
    while (copied < length) {
      const chunk = this.#chunks[this.#cursor];
      if (chunk === undefined) return;
      const from = wanted + copied - this.#cursorPosition;
      if (from >= chunk.length) {
        this.#cursorPosition += chunk.length;
        this.#cursor += 1;
        continue;
      }
      const part = Math.min(chunk.length - from, length - copied);
      target.set(part === chunk.length ? chunk : chunk.subarray(from, from + part), at + copied);
      copied += part;
    }
  }

  /** Forgets the bytes before `sequence`. */
  release(sequence: number): void {
    const bytes = Math.min(serialDiff(sequence, this.#start), this.#length);
    if (bytes <= 0) return;
    this.#start = serialAdd(this.#start, bytes);
    this.#length -= bytes;
    this.#headOffset += bytes;
    for (;;) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined || this.#headOffset < chunk.length) break;
      this.#headOffset -= chunk.length;
      this.#cursorPosition -= chunk.length;
      this.#chunks[this.#head] = RELEASED;
      this.#head += 1;
    }
    if (this.#head >= COMPACT_AFTER && this.#head * 2 > this.#chunks.length) this.#compact();
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.#start = this.end;
    this.#length = 0;
    this.#cursor = 0;
    this.#cursorPosition = 0;
  }

  #compact(): void {
    this.#chunks = this.#chunks.slice(this.#head);
    this.#cursor -= this.#head;
    this.#head = 0;
  }
}

const RELEASED = Buffer.alloc(0);
