/**
 * Blocks of a pcapng file, little-endian (draft-ietf-opsawg-pcapng §3, §4):
 *
 *     type u32 | total length u32 | body, padded to 32 bits | total length u32
 */
export const BLOCK_SECTION = 0x0a0d_0d0a;
export const BLOCK_INTERFACE = 1;
export const BLOCK_PACKET = 6;

/** The packet begins with its IPv4 or IPv6 header (LINKTYPE_RAW). */
export const LINKTYPE_RAW = 101;

const BLOCK_FRAME = 12;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const OPTION_END = 0;
const OPTION_FLAGS = 2;

/** Direction of a packet, as the flags option has it (§4.3.1). */
export const Direction = { IN: 1, OUT: 2 } as const;
export type Direction = (typeof Direction)[keyof typeof Direction];

/** What every file begins with: a section, and one interface with times in microseconds. */
export function fileHeader(): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const face = Buffer.alloc(8);
  face.writeUInt16LE(LINKTYPE_RAW, 0);
  return Buffer.concat([block(BLOCK_SECTION, section), block(BLOCK_INTERFACE, face)]);
}

/** One packet. @param unixMicros when, in microseconds since 1970, whole */
export function packetBlock(packet: Uint8Array, direction: Direction, unixMicros: number): Buffer {
  const padded = Math.ceil(packet.length / 4) * 4;
  const body = Buffer.alloc(20 + padded + 12);
  body.writeUInt32LE(Math.floor(unixMicros / 0x1_0000_0000), 4);
  body.writeUInt32LE(unixMicros % 0x1_0000_0000, 8);
  body.writeUInt32LE(packet.length, 12);
  body.writeUInt32LE(packet.length, 16);
  body.set(packet, 20);
  const options = 20 + padded;
  body.writeUInt16LE(OPTION_FLAGS, options);
  body.writeUInt16LE(4, options + 2);
  body.writeUInt32LE(direction, options + 4);
  body.writeUInt16LE(OPTION_END, options + 8);
  return block(BLOCK_PACKET, body);
}

/** @param body a multiple of four bytes */
function block(type: number, body: Buffer): Buffer {
  const length = BLOCK_FRAME + body.length;
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  body.copy(bytes, 8);
  bytes.writeUInt32LE(length, length - 4);
  return bytes;
}
