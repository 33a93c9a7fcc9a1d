import { u8 } from '../core/bytes.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import { isExtension, MAX_EXTENSIONS } from './ipv6.ts';

/**
 * Whether the first fragment in `packet` holds all headers up to that of the transport protocol
 * (RFC 7112 §5, RFC 1858 §3): one that does not is a way past filters.
 */
export function holdsTransportHeader(packet: Buffer, header: IpHeader): boolean {
  const end = header.payloadAt + header.payloadLength;
  let protocol = header.protocol;
  let at = header.payloadAt;
  if (header.family === 6) {
    for (let walked = 0; isExtension(protocol); walked += 1) {
      if (walked === MAX_EXTENSIONS || at + EXTENSION_UNIT > end) return false;
      protocol = u8(packet, at);
      at += (u8(packet, at + 1) + 1) * EXTENSION_UNIT;
    }
  }
  if (protocol !== IpProtocol.TCP) return at + LEAST_HEADER_BYTES <= end;
  if (at + TCP_HEADER_BYTES > end) return false;
  return at + (u8(packet, at + DATA_OFFSET_AT) >>> 4) * TCP_WORD_BYTES <= end;
}

/** Length of a TCP header without options. */
export const TCP_HEADER_BYTES = 20;

/** UDP and ICMP; of what we do not know we ask for no more. */
const LEAST_HEADER_BYTES = 8;
const EXTENSION_UNIT = 8;
const DATA_OFFSET_AT = 12;
const TCP_WORD_BYTES = 4;
