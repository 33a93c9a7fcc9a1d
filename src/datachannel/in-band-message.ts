import { setU8, setU16, u8, u16 } from '../core/bytes.ts';

/** The payload of a keepalive packet (ping.c). */
export const PING: Buffer = Buffer.from('2a187bf3641eb4cb07ed2d0a981fc748', 'hex');

/** What an OCC message begins with; its opcode follows (occ.c). */
export const OCC_MAGIC: Buffer = Buffer.from('287f346bd4ef7a812d56b8d3afc5459c', 'hex');

/** What an OCC message says or asks for (occ.h). */
export const OccOpcode = {
  /** asks for the options string */
  REQUEST: 0,
  /** the options string, ended by NUL */
  REPLY: 1,
  /** asks for a packet of a length: 16 bits */
  MTU_LOAD_REQUEST: 2,
  /** a packet of some length */
  MTU_LOAD: 3,
  /** asks for the longest packets that went and came */
  MTU_REQUEST: 4,
  /** the longest that was received, and that was sent: 16 bits each */
  MTU_REPLY: 5,
  /** says goodbye */
  EXIT: 6,
} as const;
export type OccOpcode = (typeof OccOpcode)[keyof typeof OccOpcode];

/** Length of an OCC message without contents. */
export const OCC_HEADER_BYTES: number = OCC_MAGIC.length + 1;

/** The payload that says goodbye on a data channel. */
export const EXIT: Buffer = occMessage(OccOpcode.EXIT);

/** What a payload is, beside an IP packet. */
export const InBandMessage = {
  NONE: 0,
  PING: 1,
  EXIT: 2,
  /** An OCC message that may want an answer. */
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
  return occOpcodeOf(payload) === OccOpcode.EXIT ? InBandMessage.EXIT : InBandMessage.OTHER_OCC;
}

/** An OCC message, with room for `contentBytes`, which are zero. */
export function occMessage(opcode: OccOpcode, contentBytes = 0): Buffer {
  const message = Buffer.alloc(OCC_HEADER_BYTES + contentBytes);
  message.set(OCC_MAGIC);
  setU8(message, OCC_MAGIC.length, opcode);
  return message;
}

/** An OCC message with 16-bit numbers in it. */
export function occNumbers(opcode: OccOpcode, ...numbers: readonly number[]): Buffer {
  const message = occMessage(opcode, 2 * numbers.length);
  for (const [index, value] of numbers.entries()) {
    setU16(message, OCC_HEADER_BYTES + 2 * index, Math.min(value, 0xffff));
  }
  return message;
}

/** The opcode of an OCC message; not one of `OccOpcode` for one that nobody knows. */
export function occOpcodeOf(message: Buffer): number {
  return u8(message, OCC_MAGIC.length);
}

/** The 16-bit number at `index` of an OCC message; undefined where it is too short. */
export function occNumberOf(message: Buffer, index: number): number | undefined {
  const at = OCC_HEADER_BYTES + 2 * index;
  return at + 2 > message.length ? undefined : u16(message, at);
}
