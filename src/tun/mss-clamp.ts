import { setU16, u8, u16 } from '../core/bytes.ts';

const PROTOCOL_TCP = 6;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const TCP_HEADER_BYTES = 20;
const TCP_DATA_OFFSET_AT = 12;
const TCP_FLAGS_AT = 13;
const TCP_CHECKSUM_AT = 16;
const SYN = 0x02;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_MSS_BYTES = 4;

/** By how much an IPv6 header is longer than IPv4's, and a segment shorter. */
const IPV6_EXTRA_BYTES = IPV6_HEADER_BYTES - IPV4_HEADER_BYTES;

/**
 * Lowers the MSS that a TCP SYN announces, in place, and fixes its checksum (`mssfix`). Packets
 * that are anything else stay as they are. IPv6 with extension headers before TCP is left alone.
 * @param maxMss the largest MSS over IPv4; 20 bytes less count over IPv6
 */
export function clampMss(packet: Buffer, maxMss: number): void {
  const tcpAt = tcpOffset(packet);
  if (tcpAt < 0 || (u8(packet, tcpAt + TCP_FLAGS_AT) & SYN) === 0) return;
  const optionAt = findMss(packet, tcpAt);
  if (optionAt < 0) return;
  const limit = isIpv6(packet) ? maxMss - IPV6_EXTRA_BYTES : maxMss;
  const mss = u16(packet, optionAt + 2);
  if (mss <= limit) return;
  setU16(packet, optionAt + 2, limit);
  // A value at an odd offset lies across two checksum words, where its bytes change places.
  const isOdd = ((optionAt - tcpAt) & 1) === 1;
  const checksum = u16(packet, tcpAt + TCP_CHECKSUM_AT);
  const fixed = isOdd
    ? updateChecksum(checksum, swap16(mss), swap16(limit))
    : updateChecksum(checksum, mss, limit);
  setU16(packet, tcpAt + TCP_CHECKSUM_AT, fixed);
}

/** Where a whole TCP header begins, or -1. */
function tcpOffset(packet: Buffer): number {
  let tcpAt: number;
  if (isIpv6(packet)) {
    if (packet.length < IPV6_HEADER_BYTES || u8(packet, 6) !== PROTOCOL_TCP) return -1;
    tcpAt = IPV6_HEADER_BYTES;
  } else {
    if (packet.length < IPV4_HEADER_BYTES || u8(packet, 9) !== PROTOCOL_TCP) return -1;
    const isLaterFragment = (u16(packet, 6) & 0x1fff) !== 0;
    tcpAt = (u8(packet, 0) & 0x0f) << 2;
    if (isLaterFragment || tcpAt < IPV4_HEADER_BYTES) return -1;
  }
  return tcpAt + TCP_HEADER_BYTES > packet.length ? -1 : tcpAt;
}

/** Where the MSS option begins, or -1. Malformed options end the search. */
function findMss(packet: Buffer, tcpAt: number): number {
  const headerBytes = (u8(packet, tcpAt + TCP_DATA_OFFSET_AT) >>> 4) << 2;
  const end = Math.min(tcpAt + headerBytes, packet.length);
  let at = tcpAt + TCP_HEADER_BYTES;
  while (at < end) {
    const kind = u8(packet, at);
    if (kind === OPTION_END) return -1;
    if (kind === OPTION_NOP) {
      at += 1;
      continue;
    }
    if (at + 2 > end) return -1;
    const length = u8(packet, at + 1);
    if (length < 2 || at + length > end) return -1;
    if (kind === OPTION_MSS) return length === OPTION_MSS_BYTES ? at : -1;
    at += length;
  }
  return -1;
}

function isIpv6(packet: Buffer): boolean {
  return packet.length > 0 && u8(packet, 0) >>> 4 === 6;
}

/** The checksum after one 16-bit word changed (RFC 1624 §3, equation 3). */
function updateChecksum(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}
