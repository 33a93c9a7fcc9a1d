/**
 * A router on the way whose next line takes shorter packets only. It does not fragment: it answers
 * packets that are too long, as RFC 792 and RFC 4443 §3.2 say.
 */

/** The router's own addresses, which its answers come from. */
const ROUTER4: readonly number[] = [10, 8, 0, 254];
const ROUTER6: readonly number[] = [0xfd, ...Array<number>(13).fill(0), 0, 0xfe];

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const ICMP_HEADER_BYTES = 8;
/** Most of a packet that an answer quotes, so that it is 576 or 1280 bytes long at most. */
const MAX_QUOTE4 = 576 - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES;
const MAX_QUOTE6 = 1280 - IPV6_HEADER_BYTES - ICMP_HEADER_BYTES;
const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;
const HOP_LIMIT = 64;

/**
 * What the router tells the sender of `packet`, which is longer than `mtu`: Destination Unreachable
 * (fragmentation needed) over IPv4, Packet Too Big over IPv6.
 */
export function packetTooBig(packet: Buffer, mtu: number): Buffer {
  return packet.readUInt8(0) >>> 4 === 4 ? tooBig4(packet, mtu) : tooBig6(packet, mtu);
}

function tooBig4(packet: Buffer, mtu: number): Buffer {
  const quote = packet.subarray(0, MAX_QUOTE4);
  const answer = Buffer.alloc(IPV4_HEADER_BYTES + ICMP_HEADER_BYTES + quote.length);
  answer.writeUInt8(0x45, 0);
  answer.writeUInt16BE(answer.length, 2);
  answer.writeUInt8(HOP_LIMIT, 8);
  answer.writeUInt8(PROTOCOL_ICMP, 9);
  answer.set(ROUTER4, 12);
  answer.set(packet.subarray(12, 16), 16);
  answer.writeUInt16BE(checksum(answer.subarray(0, IPV4_HEADER_BYTES), 0), 10);
  const icmp = answer.subarray(IPV4_HEADER_BYTES);
  icmp.writeUInt8(3, 0);
  icmp.writeUInt8(4, 1);
  icmp.writeUInt16BE(mtu, 6);
  icmp.set(quote, ICMP_HEADER_BYTES);
  icmp.writeUInt16BE(checksum(icmp, 0), 2);
  return answer;
}

function tooBig6(packet: Buffer, mtu: number): Buffer {
  const quote = packet.subarray(0, MAX_QUOTE6);
  const icmpLength = ICMP_HEADER_BYTES + quote.length;
  const answer = Buffer.alloc(IPV6_HEADER_BYTES + icmpLength);
  answer.writeUInt8(0x60, 0);
  answer.writeUInt16BE(icmpLength, 4);
  answer.writeUInt8(PROTOCOL_ICMPV6, 6);
  answer.writeUInt8(HOP_LIMIT, 7);
  answer.set(ROUTER6, 8);
  answer.set(packet.subarray(8, 24), 24);
  const icmp = answer.subarray(IPV6_HEADER_BYTES);
  icmp.writeUInt8(2, 0);
  icmp.writeUInt32BE(mtu, 4);
  icmp.set(quote, ICMP_HEADER_BYTES);
  const pseudo = sum(answer.subarray(8, IPV6_HEADER_BYTES), icmpLength + PROTOCOL_ICMPV6);
  icmp.writeUInt16BE(checksum(icmp, pseudo), 2);
  return answer;
}

/** RFC 1071, in its plainest form. */
function checksum(bytes: Buffer, start: number): number {
  let total = sum(bytes, start);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return ~total & 0xffff;
}

function sum(bytes: Buffer, start: number): number {
  let total = start;
  for (let at = 0; at + 1 < bytes.length; at += 2) total += bytes.readUInt16BE(at);
  return bytes.length % 2 === 0 ? total : total + (bytes.readUInt8(bytes.length - 1) << 8);
}
