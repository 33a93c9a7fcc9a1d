import { setU8, u8 } from '../core/bytes.ts';

/**
 * A block that is being decompressed: where it is read, and what has come of it. Every step looks at
 * both ends first, so that no block reads or writes outside of them, or works longer than its output
 * is.
 */
export class Expansion {
  readonly #block: Buffer;
  readonly #output: Buffer;
  #at = 0;
  #end = 0;

  constructor(block: Buffer, output: Buffer) {
    this.#block = block;
    this.#output = output;
  }

  /** How much has come of the block. Unit: bytes. */
  get length(): number {
    return this.#end;
  }

  /** Whether the whole block was read. */
  get finished(): boolean {
    return this.#at === this.#block.length;
  }

  /** The next byte of the block, which stays where it is; -1 behind its end. */
  get peek(): number {
    return this.#at < this.#block.length ? u8(this.#block, this.#at) : -1;
  }

  /** The next byte of the block; -1 behind its end. */
  byte(): number {
    if (this.#at >= this.#block.length) return -1;
    const value = u8(this.#block, this.#at);
    this.#at += 1;
    return value;
  }

  /** The next two bytes, the low one first; -1 behind the end. */
  littleEndian16(): number {
    if (this.#block.length - this.#at < 2) return -1;
    const value = u8(this.#block, this.#at) | (u8(this.#block, this.#at + 1) << 8);
    this.#at += 2;
    return value;
  }

  /** Copies `count` bytes of the block; false, and nothing done, where they do not fit. */
  literals(count: number): boolean {
    if (count > this.#block.length - this.#at || count > this.#output.length - this.#end) {
      return false;
    }
    this.#block.copy(this.#output, this.#end, this.#at, this.#at + count);
    this.#at += count;
    this.#end += count;
    return true;
  }

  /**
   * Repeats `count` bytes that came of the block `distance` bytes ago, its own ones included; false,
   * and nothing done, where there are none, or no room.
   */
  repeat(distance: number, count: number): boolean {
    if (distance < 1 || distance > this.#end || count > this.#output.length - this.#end) {
      return false;
    }
    const output = this.#output;
    const from = this.#end - distance;
    if (count <= distance) {
      output.copyWithin(this.#end, from, from + count);
    } else {
      for (let each = 0; each < count; each += 1) {
        setU8(output, this.#end + each, u8(output, from + each));
      }
    }
    this.#end += count;
    return true;
  }
}

/** What a length is that the block's end cuts off: too long for any output. */
export const NO_LENGTH = 0x3fff_ffff;
