import { setU16, u16 } from '../core/bytes.ts';
import { checksumOf } from './checksum.ts';
import type { IpAddress } from './ip-address.ts';
import { IpProtocol } from './ip-header.ts';
import { allocatePacket, ipHeaderBytes } from './ip-output.ts';
import { Ipv4Flag, writeIpv4 } from './ipv4.ts';
import { writeIpv6 } from './ipv6.ts';
import { outgoingPseudoSum } from './pseudo-header.ts';

/**
 * The way of TCP segments from one address to another. Its IP header is written once; a segment
 * gets a copy with its length. IPv4 carries Don't Fragment, hence identification 0 (RFC 6864).
 */
export class IpPath {
  /** 20 or 40. */
  readonly ipHeaderBytes: number;
  /** Unfolded sum of both addresses and the protocol number. */
  readonly pseudoHeaderSum: number;
  readonly #header: Buffer;
  readonly #family: 4 | 6;
  readonly #sumWithoutLength: number;

  /** @param flowLabel 20 bits, the same for all packets of a flow; IPv4 has none */
  constructor(source: IpAddress, destination: IpAddress, flowLabel: number) {
    const header = allocatePacket(source.family, 0);
    if (source.family === 4) {
      writeIpv4(header, IpProtocol.TCP, source, destination, 0, Ipv4Flag.DONT_FRAGMENT);
    } else {
      writeIpv6(header, IpProtocol.TCP, source, destination, flowLabel);
    }
    this.ipHeaderBytes = ipHeaderBytes(source.family);
    this.pseudoHeaderSum = outgoingPseudoSum(source, destination, IpProtocol.TCP);
    this.#header = header;
    this.#family = source.family;
    // The checksum of the template covers its own length; taken out of both.
    this.#sumWithoutLength = (~u16(header, CHECKSUM_AT) & 0xffff) + (~header.length & 0xffff);
  }

  /** Writes the IP header in front of `packet`, which is the whole packet. */
  finish(packet: Buffer): void {
    packet.set(this.#header, 0);
    if (this.#family === 4) {
      setU16(packet, TOTAL_LENGTH_AT, packet.length);
      setU16(packet, CHECKSUM_AT, checksumOf(this.#sumWithoutLength + packet.length));
    } else {
      setU16(packet, PAYLOAD_LENGTH_AT, packet.length - this.ipHeaderBytes);
    }
  }
}

const TOTAL_LENGTH_AT = 2;
const CHECKSUM_AT = 10;
const PAYLOAD_LENGTH_AT = 4;
