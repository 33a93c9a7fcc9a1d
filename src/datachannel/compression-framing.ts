import { setU8, u8 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import type { CompressionFraming } from '../model/push-options.ts';

/*
 * What stands before or around a payload, before it is sealed (comp.c, comp-lz4.c, lzo.c):
 *
 *     framing       sent                    received as well     compressed, dropped
 *     comp-lzo-no   FA p0 p1 … pn           -                    66
 *     stub          FB p1 … pn p0           -                    69
 *     stub-v2       p0 p1 … pn              50 00 p0 … pn        50 01
 *                   50 00 p0 … pn, if p0    50 0A p0 … pn
 *                   is 50
 *
 * OpenVPN writes the escape of stub-v2 as 50 0A, and does not take it back itself.
 */
const LZO_NOT_COMPRESSED = 0xfa;
const STUB_NOT_COMPRESSED = 0xfb;
const V2_MARKER = 0x50;
const V2_NOT_COMPRESSED = 0x00;
const V2_ESCAPED_BY_OPENVPN = 0x0a;
const V2_MARKER_BYTES = 2;

/** One in-band framing. It never compresses, and takes nothing that is compressed. */
export interface Framing {
  /** By how much a payload grows at most. */
  readonly overheadBytes: number;
  /** The payload as it is sealed; keeps no reference to `payload`, but may be it. */
  frame(payload: Buffer): Buffer;
  /**
   * The payload inside authentic bytes, as a part of them, which are overwritten in place;
   * `Drop.COMPRESSED` for what is compressed or framed in another way.
   */
  unframe(bytes: Buffer): Buffer | Drop;
}

const COMP_LZO_NO: Framing = {
  overheadBytes: 1,
  frame(payload) {
    const framed = Buffer.allocUnsafe(payload.length + 1);
    setU8(framed, 0, LZO_NOT_COMPRESSED);
    framed.set(payload, 1);
    return framed;
  },
  unframe(bytes) {
    if (bytes.length < 2) return Drop.MALFORMED;
    return u8(bytes, 0) === LZO_NOT_COMPRESSED ? bytes.subarray(1) : Drop.COMPRESSED;
  },
};

const STUB: Framing = {
  overheadBytes: 1,
  frame(payload) {
    const { length } = payload;
    if (length === 0) return payload;
    const framed = Buffer.allocUnsafe(length + 1);
    framed.set(payload);
    setU8(framed, 0, STUB_NOT_COMPRESSED);
    setU8(framed, length, u8(payload, 0));
    return framed;
  },
  unframe(bytes) {
    const last = bytes.length - 1;
    if (last < 1) return Drop.MALFORMED;
    if (u8(bytes, 0) !== STUB_NOT_COMPRESSED) return Drop.COMPRESSED;
    setU8(bytes, 0, u8(bytes, last));
    return bytes.subarray(0, last);
  },
};

const STUB_V2: Framing = {
  overheadBytes: V2_MARKER_BYTES,
  frame(payload) {
    if (payload.length === 0 || u8(payload, 0) !== V2_MARKER) return payload;
    const framed = Buffer.allocUnsafe(payload.length + V2_MARKER_BYTES);
    setU8(framed, 0, V2_MARKER);
    setU8(framed, 1, V2_NOT_COMPRESSED);
    framed.set(payload, V2_MARKER_BYTES);
    return framed;
  },
  unframe(bytes) {
    if (bytes.length === 0) return Drop.MALFORMED;
    if (u8(bytes, 0) !== V2_MARKER) return bytes;
    if (bytes.length <= V2_MARKER_BYTES) return Drop.MALFORMED;
    const how = u8(bytes, 1);
    if (how !== V2_NOT_COMPRESSED && how !== V2_ESCAPED_BY_OPENVPN) return Drop.COMPRESSED;
    return bytes.subarray(V2_MARKER_BYTES);
  },
};

const FRAMINGS: Readonly<Record<CompressionFraming, Framing | undefined>> = {
  none: undefined,
  'comp-lzo-no': COMP_LZO_NO,
  stub: STUB,
  'stub-v2': STUB_V2,
};

/** The framing that both ends agreed on; undefined where payloads go as they are. */
export function framingOf(kind: CompressionFraming): Framing | undefined {
  return FRAMINGS[kind];
}
