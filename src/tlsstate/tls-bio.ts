import { Duplex } from 'node:stream';

/** Most TLS bytes that wait in one direction before its writer is held. Unit: bytes. */
export const MAX_WAITING_BYTES = 65_536;

/**
 * The "socket" below node:tls: what comes up in control packets is fed in, what TLS wants to send
 * is taken out in pieces. It never ends by itself: the control channel has no end of stream.
 *
 *     controlToTls ─▶ feed ─▶ node:tls ─▶ _write ─▶ takeOutput ─▶ tlsToControl
 */
export class TlsBio extends Duplex {
  readonly #onOutput: () => void;
  readonly #output: Buffer[] = [];
  #outputBytes = 0;
  #heldWrite: (() => void) | undefined;

  /** @param onOutput called when there is something to take. */
  constructor(onOutput: () => void) {
    super({ allowHalfOpen: true, readableHighWaterMark: MAX_WAITING_BYTES });
    this.#onOutput = onOutput;
  }

  /** False while node:tls has not read what was fed: leave the bytes where they are. */
  get acceptsInput(): boolean {
    return this.destroyed || this.readableLength < MAX_WAITING_BYTES;
  }

  get hasOutput(): boolean {
    return this.#output.length > 0;
  }

  /** Hands bytes of the peer to node:tls. Keeps `bytes`. */
  feed(bytes: Buffer): void {
    if (!this.destroyed && bytes.length > 0) this.push(bytes);
  }

  /** At most `maxBytes` of what TLS wants to send, or undefined when nothing waits. */
  takeOutput(maxBytes: number): Buffer | undefined {
    const first = this.#output[0];
    if (first === undefined) return undefined;
    let chunk = first;
    if (first.length > maxBytes) {
      chunk = first.subarray(0, maxBytes);
      this.#output[0] = first.subarray(maxBytes);
    } else {
      this.#output.shift();
    }
    this.#outputBytes -= chunk.length;
    if (this.#outputBytes < MAX_WAITING_BYTES) this.#releaseWrite();
    return chunk;
  }

  override _read(): void {}

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    this.#output.push(chunk);
    this.#outputBytes += chunk.length;
    if (this.#outputBytes < MAX_WAITING_BYTES) done();
    else this.#heldWrite = done;
    this.#onOutput();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#heldWrite = undefined;
    done(error);
  }

  #releaseWrite(): void {
    const done = this.#heldWrite;
    this.#heldWrite = undefined;
    done?.();
  }
}
