import { u8, u16, u32 } from '../core/bytes.ts';
import { MAPPED } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';
import { IPV4_HEADER_BYTES } from './ipv4.ts';
import { IPV6_HEADER_BYTES } from './ipv6.ts';

/** How much of the upper layer a quote must hold: ports and a sequence number. Unit: bytes. */
export const QUOTED_BYTES = 8;

/**
 * Reads the packet of ours that an ICMP error quotes into `quoted`; false when it is not one that
 * we can have sent, or too short. It is cut and routers may have changed it, so lengths and
 * checksums say nothing.
 *
 * @param error headers of the error; the quote begins 8 bytes into its payload
 */
export function parseQuoted(packet: Buffer, error: IpHeader, quoted: IpHeader): boolean {
  const at = error.payloadAt + QUOTE_AT;
  const length = error.payloadLength - QUOTE_AT;
  const read =
    error.family === 4 ? read4(packet, at, length, quoted) : read6(packet, at, length, quoted);
  return read && quoted.payloadLength >= QUOTED_BYTES;
}

/** We send no options and quote no fragment but the first. */
function read4(packet: Buffer, at: number, length: number, quoted: IpHeader): boolean {
  if (length < IPV4_HEADER_BYTES || u8(packet, at) !== VERSION_4_WITHOUT_OPTIONS) return false;
  if ((u16(packet, at + 6) & OFFSET_MASK_4) !== 0) return false;
  quoted.family = 4;
  quoted.protocol = u8(packet, at + 9);
  quoted.source0 = 0;
  quoted.source1 = 0;
  quoted.source2 = MAPPED;
  quoted.source3 = u32(packet, at + 12) | 0;
  quoted.destination0 = 0;
  quoted.destination1 = 0;
  quoted.destination2 = MAPPED;
  quoted.destination3 = u32(packet, at + 16) | 0;
  quoted.payloadAt = at + IPV4_HEADER_BYTES;
  quoted.payloadLength = length - IPV4_HEADER_BYTES;
  return true;
}

/** The only extension header that we send is that of fragments; see `ipv6.ts` for the layout. */
function read6(packet: Buffer, at: number, length: number, quoted: IpHeader): boolean {
  if (length < IPV6_HEADER_BYTES || u8(packet, at) >>> 4 !== 6) return false;
  let payloadAt = at + IPV6_HEADER_BYTES;
  let protocol = u8(packet, at + 6);
  if (protocol === FRAGMENT) {
    if (length < IPV6_HEADER_BYTES + QUOTED_BYTES) return false;
    if ((u16(packet, payloadAt + 2) & OFFSET_MASK_6) !== 0) return false;
    protocol = u8(packet, payloadAt);
    payloadAt += QUOTED_BYTES;
  }
  quoted.family = 6;
  quoted.protocol = protocol;
  quoted.source0 = u32(packet, at + 8) | 0;
  quoted.source1 = u32(packet, at + 12) | 0;
  quoted.source2 = u32(packet, at + 16) | 0;
  quoted.source3 = u32(packet, at + 20) | 0;
  quoted.destination0 = u32(packet, at + 24) | 0;
  quoted.destination1 = u32(packet, at + 28) | 0;
  quoted.destination2 = u32(packet, at + 32) | 0;
  quoted.destination3 = u32(packet, at + 36) | 0;
  quoted.payloadAt = payloadAt;
  quoted.payloadLength = at + length - payloadAt;
  return true;
}

const QUOTE_AT = 8;
const VERSION_4_WITHOUT_OPTIONS = 0x45;
const OFFSET_MASK_4 = 0x1fff;
const OFFSET_MASK_6 = 0xfff8;
const FRAGMENT = 44;
