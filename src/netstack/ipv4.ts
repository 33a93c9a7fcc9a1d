import { setU8, setU16, u8, u16, u32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { checksumOf, sumBytes, sumIsIntact } from './checksum.ts';
import { type IpAddress, MAPPED } from './ip-address.ts';
import { HOP_LIMIT, type IpHeader } from './ip-header.ts';

/**
 *      0                   1                   2                   3      RFC 791 §3.1
 *     |Version|  IHL  |Type of Service|          Total Length         |
 *     |         Identification        |Flags|     Fragment Offset     |
 *     |  Time to Live |    Protocol   |        Header Checksum        |
 *     |                         Source Address                        |
 *     |                      Destination Address                      |
 *     |                    Options …                                  |
 */
export const IPV4_HEADER_BYTES = 20;

/** Flags beside the fragment offset. */
export const Ipv4Flag = { DONT_FRAGMENT: 0x4000, MORE_FRAGMENTS: 0x2000 } as const;

/** Reads the header of an IPv4 packet into `header`; anything but `NONE` refuses the packet. */
export function parseIpv4(packet: Buffer, header: IpHeader): Drop {
  header.problem = undefined;
  if (packet.length < IPV4_HEADER_BYTES) return Drop.MALFORMED;
  const headerBytes = (u8(packet, 0) & 0x0f) * 4;
  const totalBytes = u16(packet, TOTAL_LENGTH_AT);
  if (headerBytes < IPV4_HEADER_BYTES || headerBytes > totalBytes) return Drop.MALFORMED;
  if (totalBytes > packet.length) return Drop.MALFORMED;
  if (!sumIsIntact(sumBytes(packet, 0, headerBytes))) return Drop.BAD_CHECKSUM;
  if (headerBytes > IPV4_HEADER_BYTES) {
    const drop = checkOptions(packet, headerBytes);
    if (drop !== Drop.NONE) return drop;
  }
  const fragment = u16(packet, FRAGMENT_AT);
  header.family = 4;
  header.protocol = u8(packet, PROTOCOL_AT);
  header.hopLimit = u8(packet, TTL_AT);
  header.source0 = 0;
  header.source1 = 0;
  header.source2 = MAPPED;
  header.source3 = u32(packet, SOURCE_AT) | 0;
  header.destination0 = 0;
  header.destination1 = 0;
  header.destination2 = MAPPED;
  header.destination3 = u32(packet, DESTINATION_AT) | 0;
  header.payloadAt = headerBytes;
  header.payloadLength = totalBytes - headerBytes;
  header.moreFragments = (fragment & Ipv4Flag.MORE_FRAGMENTS) !== 0;
  header.fragmentOffset = (fragment & OFFSET_MASK) * OFFSET_UNIT;
  header.fragment = header.moreFragments || header.fragmentOffset !== 0;
  header.identification = u16(packet, IDENTIFICATION_AT);
  header.unfragmentableLength = IPV4_HEADER_BYTES;
  return Drop.NONE;
}

/** Source routes let a peer pick the way of our answers: refused. Other options are skipped. */
function checkOptions(packet: Buffer, headerBytes: number): Drop {
  let at = IPV4_HEADER_BYTES;
  while (at < headerBytes) {
    const kind = u8(packet, at);
    if (kind === Option.END) return Drop.NONE;
    if (kind === Option.LOOSE_SOURCE_ROUTE || kind === Option.STRICT_SOURCE_ROUTE) {
      return Drop.MARTIAN;
    }
    if (kind === Option.NO_OPERATION) {
      at += 1;
      continue;
    }
    const length = at + 1 < headerBytes ? u8(packet, at + 1) : 0;
    if (length < 2 || at + length > headerBytes) return Drop.MALFORMED;
    at += length;
  }
  return Drop.NONE;
}

/**
 * Writes a header of 20 bytes at the start of `packet`, whose length is the total length.
 *
 * @param fragment flags and fragment offset (in units of 8 bytes), as on the wire
 * @param hopLimit time to live, 1 … 255
 */
export function writeIpv4(
  packet: Buffer,
  protocol: number,
  source: IpAddress,
  destination: IpAddress,
  identification: number,
  fragment: number,
  hopLimit: number = HOP_LIMIT,
): void {
  setU8(packet, 0, VERSION_AND_IHL);
  setU8(packet, 1, 0);
  setU16(packet, TOTAL_LENGTH_AT, packet.length);
  setU16(packet, IDENTIFICATION_AT, identification);
  setU16(packet, FRAGMENT_AT, fragment);
  setU8(packet, TTL_AT, hopLimit);
  setU8(packet, PROTOCOL_AT, protocol);
  setU16(packet, CHECKSUM_AT, 0);
  source.writeTo(packet, SOURCE_AT);
  destination.writeTo(packet, DESTINATION_AT);
  setU16(packet, CHECKSUM_AT, checksumOf(sumBytes(packet, 0, IPV4_HEADER_BYTES)));
}

/** Makes a header of 20 bytes again that of one whole packet: length, no fragment, checksum. */
export function mendIpv4(packet: Buffer): void {
  setU8(packet, 0, VERSION_AND_IHL);
  setU16(packet, TOTAL_LENGTH_AT, packet.length);
  setU16(packet, FRAGMENT_AT, 0);
  setU16(packet, CHECKSUM_AT, 0);
  setU16(packet, CHECKSUM_AT, checksumOf(sumBytes(packet, 0, IPV4_HEADER_BYTES)));
}

/** Unit of the fragment offset, and of the length of all fragments but the last, of both families. */
export const OFFSET_UNIT = 8;

const TOTAL_LENGTH_AT = 2;
const IDENTIFICATION_AT = 4;
const FRAGMENT_AT = 6;
const TTL_AT = 8;
const PROTOCOL_AT = 9;
const CHECKSUM_AT = 10;
const SOURCE_AT = 12;
const DESTINATION_AT = 16;
const VERSION_AND_IHL = 0x45;
const OFFSET_MASK = 0x1fff;

const Option = {
  END: 0,
  NO_OPERATION: 1,
  LOOSE_SOURCE_ROUTE: 131,
  STRICT_SOURCE_ROUTE: 137,
} as const;
