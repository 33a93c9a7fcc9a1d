/** Chunks shorter than this are put together while they wait, so that none costs more than it holds. */
const SMALL_BYTES = 256;
/** Size of a buffer that collects small chunks. */
const COLLECTOR_BYTES = 4096;
/** A chunk is copied when what it is a slice of is this many times larger. */
const PINNING_RATIO = 4;
const COMPACT_AFTER = 64;
/** What the objects around a chunk cost. */
const CHUNK_OVERHEAD = 256;

/** Whether `payload` is a small part of what it keeps alive. */
export function isPinning(payload: Buffer): boolean {
  return payload.length * PINNING_RATIO < payload.buffer.byteLength;
}

/** `payload`, or a copy with a buffer of its own when it would keep a much larger one alive. */
export function unpinned(payload: Buffer): Buffer {
  if (!isPinning(payload)) return payload;
  const copy = Buffer.allocUnsafeSlow(payload.length);
  copy.set(payload);
  return copy;
}

/** Memory that `chunk`, which is {@link unpinned}, keeps alive. */
export function chargeOf(chunk: Buffer): number {
  return chunk.buffer.byteLength + CHUNK_OVERHEAD;
}

/** What arrived in order and was not read. */
export class ReceiveQueue {
  #chunks: Buffer[] = [];
  #head = 0;
  #length = 0;
  #charge = 0;
  /** Whole buffer behind the last chunk, where that one collects small chunks. */
  #collector: Buffer | undefined;

  /** Bytes in it. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of memory that it holds, about. */
  get charge(): number {
    return this.#charge;
  }

  push(payload: Buffer): void {
    this.#length += payload.length;
    if (payload.length < SMALL_BYTES && this.#collect(payload)) return;
    const chunk = unpinned(payload);
    this.#chunks.push(chunk);
    this.#charge += chargeOf(chunk);
    this.#collector = undefined;
  }

  /** The oldest chunk; undefined when it is empty. */
  take(): Buffer | undefined {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return undefined;
    this.#chunks[this.#head] = TAKEN;
    this.#head += 1;
    this.#length -= chunk.length;
    this.#charge -= chargeOf(chunk);
    if (this.#head === this.#chunks.length) {
      this.#chunks = this.#chunks.length > COMPACT_AFTER ? [] : cleared(this.#chunks);
      this.#head = 0;
      this.#collector = undefined;
    } else if (this.#head >= COMPACT_AFTER && this.#head * 2 > this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    return chunk;
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#length = 0;
    this.#charge = 0;
    this.#collector = undefined;
  }

  /** Appends to the last chunk, if that is small too; false when it is not. */
  #collect(payload: Buffer): boolean {
    const at = this.#chunks.length - 1;
    const last = at >= this.#head ? this.#chunks[at] : undefined;
    if (last === undefined) return false;
    let collector = this.#collector;
    if (collector === undefined) {
      if (last.length >= SMALL_BYTES) return false;
      collector = Buffer.allocUnsafeSlow(COLLECTOR_BYTES);
      collector.set(last);
      this.#collector = collector;
      this.#charge += chargeOf(collector) - chargeOf(last);
      this.#chunks[at] = collector.subarray(0, last.length);
    }
    if (last.length + payload.length > COLLECTOR_BYTES) return false;
    collector.set(payload, last.length);
    this.#chunks[at] = collector.subarray(0, last.length + payload.length);
    return true;
  }
}

function cleared(chunks: Buffer[]): Buffer[] {
  chunks.length = 0;
  return chunks;
}

const TAKEN = Buffer.alloc(0);
