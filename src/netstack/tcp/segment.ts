import { setU8, setU16, setU32, u8, u16, u32 } from '../../core/bytes.ts';
import { checksumOf, sumBytes, sumIsIntact } from '../checksum.ts';
import { HeaderOptions } from './header-options.ts';

/** A TCP header without options. */
export const TCP_HEADER_BYTES = 20;

/** Bits of the flags byte. */
export const Flag = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const;

/**
 * Offsets in the header (RFC 9293 §3.1):
 *
 *      0                   1                   2                   3
 *     +-------------------------------+-------------------------------+
 *   0 |          source port          |       destination port        |
 *   4 |                        sequence number                        |
 *   8 |                     acknowledgment number                     |
 *  12 | offset |   0   |     flags    |            window             |
 *  16 |           checksum            |        urgent pointer         |
 *  20 |                   options, padded to 4 bytes …                |
 */
const SOURCE_PORT = 0;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const DATA_OFFSET = 12;
const FLAGS = 13;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT = 18;

/** The sequence number in the first bytes of a TCP header, as an ICMP error quotes them. */
export function sequenceOf(packet: Uint8Array, tcpOffset: number): number {
  return u32(packet, tcpOffset + SEQUENCE);
}

/** One segment: what a header says, and where its payload is. Reused from segment to segment. */
export class Segment {
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgment = 0;
  flags = 0;
  /** As written: not scaled. */
  window = 0;
  payloadAt = 0;
  payloadLength = 0;
  readonly options: HeaderOptions = new HeaderOptions();

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  /** Length in sequence space: SYN and FIN count one each. */
  get span(): number {
    return this.payloadLength + ((this.flags >>> 1) & 1) + (this.flags & 1);
  }

  /** Takes a header at `at`, of a segment of `length` bytes; false when it is malformed. */
  read(packet: Uint8Array, at: number, length: number): boolean {
    if (length < TCP_HEADER_BYTES || at + length > packet.length) return false;
    const headerBytes = (u8(packet, at + DATA_OFFSET) >>> 4) * 4;
    if (headerBytes < TCP_HEADER_BYTES || headerBytes > length) return false;
    this.sourcePort = u16(packet, at + SOURCE_PORT);
    this.destinationPort = u16(packet, at + DESTINATION_PORT);
    this.sequence = u32(packet, at + SEQUENCE);
    this.acknowledgment = u32(packet, at + ACKNOWLEDGMENT);
    this.flags = u8(packet, at + FLAGS);
    this.window = u16(packet, at + WINDOW);
    this.payloadAt = at + headerBytes;
    this.payloadLength = length - headerBytes;
    if (headerBytes > TCP_HEADER_BYTES) {
      this.options.read(packet, at + TCP_HEADER_BYTES, at + headerBytes);
    } else {
      this.options.clear();
    }
    return true;
  }

  /** Bytes that the header takes with its options. */
  get headerBytes(): number {
    return TCP_HEADER_BYTES + this.options.length;
  }

  /** Writes the header at `at`; the checksum stays zero until {@link sealSegment}. */
  write(packet: Uint8Array, at: number): void {
    setU16(packet, at + SOURCE_PORT, this.sourcePort);
    setU16(packet, at + DESTINATION_PORT, this.destinationPort);
    setU32(packet, at + SEQUENCE, this.sequence);
    setU32(packet, at + ACKNOWLEDGMENT, this.acknowledgment);
    setU8(packet, at + DATA_OFFSET, (this.headerBytes / 4) << 4);
    setU8(packet, at + FLAGS, this.flags);
    setU16(packet, at + WINDOW, this.window);
    setU16(packet, at + CHECKSUM, 0);
    setU16(packet, at + URGENT, 0);
    this.options.write(packet, at + TCP_HEADER_BYTES);
  }
}

/** Writes the checksum of the segment that fills `packet` from `at` to its end. */
export function sealSegment(packet: Uint8Array, at: number, pseudoHeaderSum: number): void {
  const length = packet.length - at;
  setU16(
    packet,
    at + CHECKSUM,
    checksumOf(pseudoHeaderSum + length + sumBytes(packet, at, length)),
  );
}

/** Whether the checksum of the segment of `length` bytes at `at` is right. The bounds are checked. */
export function segmentIsIntact(
  packet: Uint8Array,
  at: number,
  length: number,
  pseudoHeaderSum: number,
): boolean {
  return sumIsIntact(pseudoHeaderSum + length + sumBytes(packet, at, length));
}
