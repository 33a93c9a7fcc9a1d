import { u8 } from '../core/bytes.ts';

/** The payload of a keepalive packet (ping.c). */
export const PING: Buffer = Buffer.from('2a187bf3641eb4cb07ed2d0a981fc748', 'hex');

/** What an OCC message begins with; its opcode follows (occ.c). */
export const OCC_MAGIC: Buffer = Buffer.from('287f346bd4ef7a812d56b8d3afc5459c', 'hex');

/** The only OCC opcode that is acted on; the others ask for sizes or option strings. */
export const OCC_EXIT = 6;

/** The payload that says goodbye on a data channel. */
export const EXIT: Buffer = Buffer.concat([OCC_MAGIC, Buffer.of(OCC_EXIT)]);

/** What a payload is, beside an IP packet. */
export const InBandMessage = {
  NONE: 0,
  PING: 1,
  EXIT: 2,
  /** An OCC message that asks for nothing we give. */
  OTHER_OCC: 3,
} as const;
export type InBandMessage = (typeof InBandMessage)[keyof typeof InBandMessage];

/** Tells keepalive and OCC messages from IP packets. No IP packet begins as they do. */
export function inBandMessageOf(payload: Buffer): InBandMessage {
  if (payload.length === 0) return InBandMessage.NONE;
  const first = u8(payload, 0);
  if (first === u8(PING, 0)) {
    return payload.equals(PING) ? InBandMessage.PING : InBandMessage.NONE;
  }
  if (first !== u8(OCC_MAGIC, 0)) return InBandMessage.NONE;
  if (payload.length <= OCC_MAGIC.length) return InBandMessage.NONE;
  if (!payload.subarray(0, OCC_MAGIC.length).equals(OCC_MAGIC)) return InBandMessage.NONE;
  return u8(payload, OCC_MAGIC.length) === OCC_EXIT ? InBandMessage.EXIT : InBandMessage.OTHER_OCC;
}
