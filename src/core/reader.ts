import { SmartBuffer } from 'smart-buffer';

/**
 * Reads a control-plane message field by field. Every read checks the length first and gives
 * `undefined` at the end: smart-buffer alone returns short instead of failing.
 * Never on the data path.
 */
export class Reader {
  readonly #source: SmartBuffer;

  constructor(bytes: Buffer) {
    this.#source = SmartBuffer.fromBuffer(bytes);
  }

  get remaining(): number {
    return this.#source.remaining();
  }

  u8(): number | undefined {
    return this.remaining < 1 ? undefined : this.#source.readUInt8();
  }

  u16(): number | undefined {
    return this.remaining < 2 ? undefined : this.#source.readUInt16BE();
  }

  u32(): number | undefined {
    return this.remaining < 4 ? undefined : this.#source.readUInt32BE();
  }

  /** `length` bytes in a buffer of their own. */
  bytes(length: number): Buffer | undefined {
    if (length < 0 || length > this.remaining) return undefined;
    return length === 0 ? Buffer.alloc(0) : Buffer.from(this.#source.readBuffer(length));
  }
}
