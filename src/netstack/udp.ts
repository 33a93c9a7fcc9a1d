import { setU16, u16 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { checksumOf, sumBytes, sumIsIntact } from './checksum.ts';
import type { IpAddress } from './ip-address.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import { allocatePacket } from './ip-output.ts';
import { incomingPseudoSum, outgoingPseudoSum } from './pseudo-header.ts';

/**
 *      0                   1                   2                   3      RFC 768
 *     |          Source Port          |       Destination Port        |
 *     |            Length             |           Checksum            |
 */
export const UDP_HEADER_BYTES = 8;

/** Largest payload of a datagram over IPv4, and of ours over IPv6. Unit: bytes. */
export const MAX_UDP_PAYLOAD_BYTES = 65_507;

/** Whether the header and the checksum of the UDP datagram in `packet` are right. */
export function checkUdp(packet: Buffer, header: IpHeader): Drop {
  const at = header.payloadAt;
  if (header.payloadLength < UDP_HEADER_BYTES) return Drop.MALFORMED;
  const length = u16(packet, at + LENGTH_AT);
  if (length < UDP_HEADER_BYTES || length > header.payloadLength) return Drop.MALFORMED;
  if (u16(packet, at + CHECKSUM_AT) === NO_CHECKSUM) {
    return header.family === 4 ? Drop.NONE : Drop.BAD_CHECKSUM;
  }
  const sum = incomingPseudoSum(header, IpProtocol.UDP) + length + sumBytes(packet, at, length);
  return sumIsIntact(sum) ? Drop.NONE : Drop.BAD_CHECKSUM;
}

/** The payload of a datagram that {@link checkUdp} found right; shares the packet's memory. */
export function udpPayload(packet: Buffer, header: IpHeader): Buffer {
  const length = u16(packet, header.payloadAt + LENGTH_AT);
  return packet.subarray(header.payloadAt + UDP_HEADER_BYTES, header.payloadAt + length);
}

/** A packet with the datagram in it, and room in front for the IP header. Copies `payload`. */
export function buildUdp(
  source: IpAddress,
  sourcePort: number,
  destination: IpAddress,
  destinationPort: number,
  payload: Uint8Array,
): Buffer {
  const length = UDP_HEADER_BYTES + payload.length;
  const packet = allocatePacket(source.family, length);
  const at = packet.length - length;
  setU16(packet, at, sourcePort);
  setU16(packet, at + 2, destinationPort);
  setU16(packet, at + LENGTH_AT, length);
  setU16(packet, at + CHECKSUM_AT, 0);
  packet.set(payload, at + UDP_HEADER_BYTES);
  const sum = outgoingPseudoSum(source, destination, IpProtocol.UDP) + length;
  const checksum = checksumOf(sum + sumBytes(packet, at, length));
  setU16(packet, at + CHECKSUM_AT, checksum === NO_CHECKSUM ? COMPUTED_ZERO : checksum);
  return packet;
}

const LENGTH_AT = 4;
const CHECKSUM_AT = 6;
const NO_CHECKSUM = 0;
const COMPUTED_ZERO = 0xffff;
