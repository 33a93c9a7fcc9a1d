import { setU16 } from '../core/bytes.ts';
import { Reader } from '../core/reader.ts';
import { EARLY_NEGOTIATION_PACKET_ID } from './tls-crypt-v2-wraps.ts';

/**
 * What ends tell each other in their resets, under tls-crypt-v2 only (ssl_pkt.h, OpenVPN 2.6). The
 * client announces that it knows of it by the first byte of its replay ids; the server answers in
 * the payload of its reset, a sequence of
 *
 *     offset  size  field
 *     0       2     type
 *     2       2     length of the value
 *     4       …     value
 *
 * of which those with an unknown type are passed over.
 */
const TYPE_FLAGS = 0x0001;
const FLAGS_BYTES = 2;
const HEADER_BYTES = 4;

const FLAG_RESEND_WRAPPED_KEY = 0x0001;

/** What a server asks of its client. */
export interface EarlyNegotiation {
  /** Whether message id 1 is to bring the wrapped key again: this server has kept nothing. */
  readonly resendWrappedKey: boolean;
}

/** The payload of a server's reset; undefined when it is malformed. */
export function decodeEarlyNegotiation(payload: Buffer): EarlyNegotiation | undefined {
  const reader = new Reader(payload);
  let flags = 0;
  while (reader.remaining > 0) {
    const type = reader.u16();
    const value = reader.bytes(reader.u16() ?? UNREADABLE);
    if (type === undefined || value === undefined) return undefined;
    if (type !== TYPE_FLAGS) continue;
    if (value.length !== FLAGS_BYTES) return undefined;
    flags |= value.readUInt16BE();
  }
  return { resendWrappedKey: (flags & FLAG_RESEND_WRAPPED_KEY) !== 0 };
}

/** The payload for a client that is to bring its wrapped key again. */
export function encodeEarlyNegotiation({ resendWrappedKey }: EarlyNegotiation): Buffer {
  const payload = Buffer.alloc(HEADER_BYTES + FLAGS_BYTES);
  setU16(payload, 0, TYPE_FLAGS);
  setU16(payload, 2, FLAGS_BYTES);
  setU16(payload, HEADER_BYTES, resendWrappedKey ? FLAG_RESEND_WRAPPED_KEY : 0);
  return payload;
}

/** Whether a client whose packet has this replay id knows of early negotiation. */
export function announcesEarlyNegotiation(replayId: number): boolean {
  return replayId >>> MARK_SHIFT === EARLY_NEGOTIATION_PACKET_ID >>> MARK_SHIFT;
}

/** The mark is the first byte; the second one is for flags, of which there are none yet. */
const MARK_SHIFT = 24;
/** A length that no value has: the length field itself was cut. */
const UNREADABLE = -1;
