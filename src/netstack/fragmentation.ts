import type { Channel } from '../core/channel.ts';
import type { IpAddress } from './ip-address.ts';
import { IPV4_HEADER_BYTES, Ipv4Flag, OFFSET_UNIT, writeIpv4 } from './ipv4.ts';
import {
  Extension,
  FRAGMENT_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  writeFragmentHeader,
  writeIpv6,
} from './ipv6.ts';

/** What all fragments of one datagram have in common. */
export interface FragmentedDatagram {
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Of IPv4 the low 16 bits are sent. */
  readonly identification: number;
  /** IPv6 only. */
  readonly flowLabel: number;
  readonly hopLimit: number;
}

/** Payload of every fragment but the last, in packets of at most `mtu` bytes. */
export function fragmentPayloadBytes(family: 4 | 6, mtu: number): number {
  return Math.floor((mtu - headerBytesOf(family)) / OFFSET_UNIT) * OFFSET_UNIT;
}

/** Places `payload` into `queue` in fragments; there is room for all of them. */
export function pushFragments(
  payload: Buffer,
  datagram: FragmentedDatagram,
  mtu: number,
  queue: Channel<Buffer>,
): void {
  const { family } = datagram.source;
  const step = fragmentPayloadBytes(family, mtu);
  for (let offset = 0; offset < payload.length; offset += step) {
    const piece = payload.subarray(offset, offset + step);
    const packet = Buffer.allocUnsafe(headerBytesOf(family) + piece.length);
    packet.set(piece, headerBytesOf(family));
    const more = offset + step < payload.length;
    if (family === 4) writeFragment4(packet, datagram, offset, more);
    else writeFragment6(packet, datagram, offset, more);
    queue.push(packet);
  }
}

function headerBytesOf(family: 4 | 6): number {
  return family === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES;
}

function writeFragment4(
  packet: Buffer,
  { protocol, source, destination, identification, hopLimit }: FragmentedDatagram,
  offset: number,
  more: boolean,
): void {
  const field = (more ? Ipv4Flag.MORE_FRAGMENTS : 0) | (offset / OFFSET_UNIT);
  writeIpv4(packet, protocol, source, destination, identification & 0xffff, field, hopLimit);
}

function writeFragment6(
  packet: Buffer,
  { protocol, source, destination, identification, flowLabel, hopLimit }: FragmentedDatagram,
  offset: number,
  more: boolean,
): void {
  writeIpv6(packet, Extension.FRAGMENT, source, destination, flowLabel, hopLimit);
  writeFragmentHeader(packet, protocol, offset, more, identification);
}
