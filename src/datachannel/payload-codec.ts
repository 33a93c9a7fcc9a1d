import type { Drop, Millis } from '../core/machine.ts';
import type { CompressionFraming } from '../model/push-options.ts';
import { type Framing, framingOf } from './compression-framing.ts';
import { DecompressingFraming } from './decompressing-framing.ts';
import { FragmentReassembly } from './fragment-reassembly.ts';
import { Fragmenter } from './fragmenter.ts';
import { dataOverheadBytes, type PacketFormat, sealOverheadBytes } from './overhead.ts';

/** By how much a payload may be longer than an IP packet: framing, and messages of the peer's own. */
export const PAYLOAD_SLACK_BYTES = 256;

/** How the payloads of a session look. Unit: bytes. */
export interface PayloadFormat {
  readonly framing: CompressionFraming;
  /** Largest IP packet. */
  readonly mtu: number;
  /** By how much an outer packet is longer than the IP packet inside, at most. */
  readonly overheadBytes: number;
  /** Where `fragment` is on: the longest that is sealed at once, fragment header included; else 0. */
  readonly maxSealedBytes: number;
}

/** The format of payloads in packets of `format`, which carry IP packets of up to `mtu`. */
export function payloadFormat(format: PacketFormat, mtu: number): PayloadFormat {
  const { framing, fragmentBytes = 0 } = format;
  return {
    framing,
    mtu,
    overheadBytes: dataOverheadBytes(format),
    maxSealedBytes: fragmentBytes > 0 ? Math.max(fragmentBytes - sealOverheadBytes(format), 1) : 0,
  };
}

/**
 * What lies between IP packets and the cipher.
 *
 *     pack:    framing ─▶ fragment header, parts
 *     unpack:  parts, fragment header ─▶ framing, decompression
 */
export class PayloadCodec {
  readonly #framing: Framing | undefined;
  readonly #fragmenter: Fragmenter | undefined;
  readonly #reassembly: FragmentReassembly | undefined;

  /** @param decompresses whether what comes compressed is opened; nothing is ever compressed */
  constructor(format: PayloadFormat, decompresses: boolean) {
    const maxBytes = format.mtu + PAYLOAD_SLACK_BYTES;
    this.#framing = framingFor(format, decompresses, maxBytes);
    if (format.maxSealedBytes === 0) return;
    this.#fragmenter = new Fragmenter(format.maxSealedBytes);
    this.#reassembly = new FragmentReassembly(maxBytes);
  }

  /** Whether parts of the last payload are left: `nextPart` before another `pack`. */
  get pending(): boolean {
    return this.#fragmenter?.pending ?? false;
  }

  /** The payload in authentic bytes, which it may be a part of; `Drop.NONE` while parts are missing. */
  unpack(bytes: Buffer, now: Millis): Buffer | Drop {
    const framed = this.#reassembly === undefined ? bytes : this.#reassembly.accept(bytes, now);
    if (typeof framed === 'number' || this.#framing === undefined) return framed;
    return this.#framing.unframe(framed);
  }

  /** What is to be sealed for a payload, or the first part of it; keeps it while `pending`. */
  pack(payload: Buffer): Buffer | Drop {
    const framed = this.#framing === undefined ? payload : this.#framing.frame(payload);
    return this.#fragmenter === undefined ? framed : this.#fragmenter.begin(framed);
  }

  /** The next part of the last payload. Only while `pending`. */
  nextPart(): Buffer {
    if (this.#fragmenter === undefined) throw new Error('expected a part to be left');
    return this.#fragmenter.next();
  }
}

/** Undefined where all of it is off, so that it costs nothing. */
export function payloadCodec(
  format: PayloadFormat,
  decompresses: boolean,
): PayloadCodec | undefined {
  if (format.framing === 'none' && format.maxSealedBytes === 0) return undefined;
  return new PayloadCodec(format, decompresses);
}

function framingFor(
  { framing: kind }: PayloadFormat,
  decompresses: boolean,
  maxBytes: number,
): Framing | undefined {
  const framing = framingOf(kind);
  if (kind === 'none' || framing === undefined || !decompresses) return framing;
  return new DecompressingFraming(kind, framing, maxBytes);
}
