import { setU8, u8 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import type { CompressionFraming } from '../model/push-options.ts';
import type { Framing } from './compression-framing.ts';
import { openLz4Block } from './lz4-block.ts';
import { openLzo1xBlock } from './lzo1x-block.ts';

/*
 * Compressed payloads (lzo.c, comp-lz4.c):
 *
 *     comp-lzo-no   66 | LZO1X block
 *     stub          69 | LZ4 block without its first byte | its first byte
 *     stub-v2       50 01 | LZ4 block
 */
const LZO = 0x66;
const LZ4_SWAPPED = 0x69;
const V2_LZ4 = 0x01;
const V2_MARKER_BYTES = 2;

/** Largest payload that a compressed one may become, whatever the tunnel carries. Unit: bytes. */
export const MAX_DECOMPRESSED_BYTES = 65_536;

/** Where the block is in a payload, which may be changed for it, and how it is opened. */
interface Compression {
  /** undefined: another compression than the framing's. */
  blockOf(bytes: Buffer): Buffer | undefined;
  open(block: Buffer, output: Buffer): number;
}

/**
 * A framing that opens what comes compressed, up to `maxBytes`, and compresses nothing. What opens
 * to more, or to nothing, is malformed.
 */
export class DecompressingFraming implements Framing {
  readonly overheadBytes: number;
  readonly #framing: Framing;
  readonly #compression: Compression;
  readonly #output: Buffer;

  /** @param framing that of `kind` */
  constructor(kind: Exclude<CompressionFraming, 'none'>, framing: Framing, maxBytes: number) {
    this.overheadBytes = framing.overheadBytes;
    this.#framing = framing;
    this.#compression = COMPRESSIONS[kind];
    this.#output = Buffer.alloc(Math.min(maxBytes, MAX_DECOMPRESSED_BYTES));
  }

  frame(payload: Buffer): Buffer {
    return this.#framing.frame(payload);
  }

  unframe(bytes: Buffer): Buffer | Drop {
    const payload = this.#framing.unframe(bytes);
    if (payload !== Drop.COMPRESSED) return payload;
    const block = this.#compression.blockOf(bytes);
    if (block === undefined) return Drop.COMPRESSED;
    const length = this.#compression.open(block, this.#output);
    return length < 1 ? Drop.MALFORMED : Buffer.from(this.#output.subarray(0, length));
  }
}

const COMPRESSIONS: Readonly<Record<Exclude<CompressionFraming, 'none'>, Compression>> = {
  'comp-lzo-no': {
    blockOf: (bytes) => (u8(bytes, 0) === LZO ? bytes.subarray(1) : undefined),
    open: openLzo1xBlock,
  },
  stub: {
    blockOf(bytes) {
      if (u8(bytes, 0) !== LZ4_SWAPPED) return undefined;
      const last = bytes.length - 1;
      setU8(bytes, 0, u8(bytes, last));
      return bytes.subarray(0, last);
    },
    open: openLz4Block,
  },
  'stub-v2': {
    blockOf: (bytes) => (u8(bytes, 1) === V2_LZ4 ? bytes.subarray(V2_MARKER_BYTES) : undefined),
    open: openLz4Block,
  },
};
