import ipaddr from 'ipaddr.js';
import { setU8, setU16, setU32, u16 } from '../core/bytes.ts';

/** One end of a link. */
export interface Endpoint {
  /** IPv4 or IPv6, as text; an IPv4 address written as IPv6 counts as IPv4. */
  readonly address: string;
  readonly port: number;
}

/** Longest payload that fits in one UDP packet over IPv4, header included in 65,535 bytes. */
export const MAX_UDP_PAYLOAD = 65_507;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const UDP = 17;
const HOP_LIMIT = 64;

/**
 * `payload` inside the IP and UDP headers (RFC 791, RFC 8200, RFC 768) that it had, or would have
 * had, between the two ends; both checksums are right. Payloads beyond {@link MAX_UDP_PAYLOAD}
 * are the caller's mistake.
 */
export function udpPacket(from: Endpoint, to: Endpoint, payload: Uint8Array): Buffer {
  const source = addressBytes(from.address);
  const destination = addressBytes(to.address);
  const isIpv4 = source.length === 4 && destination.length === 4;
  const header = isIpv4 ? IPV4_HEADER : IPV6_HEADER;
  const packet = Buffer.alloc(header + UDP_HEADER + payload.length);
  packet.set(payload, header + UDP_HEADER);
  setU16(packet, header, from.port);
  setU16(packet, header + 2, to.port);
  setU16(packet, header + 4, UDP_HEADER + payload.length);
  if (isIpv4) writeIpv4(packet, source, destination);
  else writeIpv6(packet, mapped(source), mapped(destination));
  const sum = sumOf(packet, isIpv4 ? 12 : 8, packet.length) + UDP + UDP_HEADER + payload.length;
  setU16(packet, header + 6, complement(sum) || 0xffff);
  return packet;
}

function writeIpv4(
  packet: Buffer,
  source: readonly number[],
  destination: readonly number[],
): void {
  setU8(packet, 0, 0x45);
  setU16(packet, 2, packet.length);
  setU16(packet, 6, 0x4000);
  setU8(packet, 8, HOP_LIMIT);
  setU8(packet, 9, UDP);
  packet.set(source, 12);
  packet.set(destination, 16);
  setU16(packet, 10, complement(sumOf(packet, 0, IPV4_HEADER)));
}

function writeIpv6(
  packet: Buffer,
  source: readonly number[],
  destination: readonly number[],
): void {
  setU32(packet, 0, 0x6000_0000);
  setU16(packet, 4, packet.length - IPV6_HEADER);
  setU8(packet, 6, UDP);
  setU8(packet, 7, HOP_LIMIT);
  packet.set(source, 8);
  packet.set(destination, 24);
}

function addressBytes(text: string): readonly number[] {
  const [withoutZone = ''] = text.split('%');
  return ipaddr.isValid(withoutZone) ? ipaddr.process(withoutZone).toByteArray() : UNKNOWN;
}

/** Stands for a name that is no address: a link of the user's own may have one. */
const UNKNOWN: readonly number[] = [0, 0, 0, 0];

/** An IPv4 address beside an IPv6 one (RFC 4291 §2.5.5.2). */
function mapped(bytes: readonly number[]): readonly number[] {
  return bytes.length === 16 ? bytes : [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes];
}

/** Sum of 16-bit words (RFC 1071 §1); an odd last byte is the upper half of its word. */
function sumOf(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  let at = from;
  for (; at + 1 < to; at += 2) sum += u16(bytes, at);
  return at < to ? sum + bytes.readUInt8(at) * 256 : sum;
}

function complement(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x1_0000);
  return ~folded & 0xffff;
}
