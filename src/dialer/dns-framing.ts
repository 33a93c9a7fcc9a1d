import { u16 } from '../core/bytes.ts';

const LENGTH_BYTES = 2;

/** `message` behind its length, as streams carry it (RFC 1035 §4.2.2, RFC 7766 §8). */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** Cuts a stream into its messages, across any chunking. Keeps at most one message and a chunk. */
export class DnsFraming {
  #received: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
  }

  /** The next whole message. */
  take(): Buffer | undefined {
    if (this.#received.length < LENGTH_BYTES) return undefined;
    const end = LENGTH_BYTES + u16(this.#received, 0);
    if (this.#received.length < end) return undefined;
    const message = this.#received.subarray(LENGTH_BYTES, end);
    this.#received = this.#received.subarray(end);
    return message;
  }
}
