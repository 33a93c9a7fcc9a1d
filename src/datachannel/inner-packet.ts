import { u8, u16 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const IPV4_TOTAL_LENGTH_AT = 2;
const IPV6_PAYLOAD_LENGTH_AT = 4;

/**
 * An IP packet without what follows its end; `Drop.MARTIAN` when it is none, or longer than the
 * bytes at hand. Looks at version and lengths only, addresses are the netstack's matter.
 */
export function trimInnerPacket(packet: Buffer): Buffer | Drop {
  const length = ipLengthOf(packet);
  if (length === 0 || length > packet.length) return Drop.MARTIAN;
  return length === packet.length ? packet : packet.subarray(0, length);
}

/** The length that the header claims; 0 when there is no sound header. */
function ipLengthOf(packet: Buffer): number {
  if (packet.length < IPV4_HEADER_BYTES) return 0;
  const version = u8(packet, 0) >>> 4;
  if (version === 4) {
    const headerBytes = (u8(packet, 0) & 0x0f) << 2;
    const totalBytes = u16(packet, IPV4_TOTAL_LENGTH_AT);
    return headerBytes < IPV4_HEADER_BYTES || headerBytes > totalBytes ? 0 : totalBytes;
  }
  if (version !== 6 || packet.length < IPV6_HEADER_BYTES) return 0;
  return IPV6_HEADER_BYTES + u16(packet, IPV6_PAYLOAD_LENGTH_AT);
}
