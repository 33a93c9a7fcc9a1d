import type { Channel } from '../core/channel.ts';
import type { RandomSource } from '../core/random.ts';
import type { IpAddress } from './ip-address.ts';
import { IPV4_HEADER_BYTES, Ipv4Flag, OFFSET_UNIT, writeIpv4 } from './ipv4.ts';
import {
  Extension,
  FRAGMENT_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  writeFragmentHeader,
  writeIpv6,
} from './ipv6.ts';

/** Bytes of the IP header that we write. */
export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

/** A packet whose payload of `payloadLength` bytes is still to be written, behind the header. */
export function allocatePacket(family: 4 | 6, payloadLength: number): Buffer {
  return Buffer.allocUnsafe(ipHeaderBytes(family) + payloadLength);
}

/** Puts IP headers in front of UDP and ICMP messages, and cuts what is larger than the MTU. */
export class IpOutput {
  readonly mtu: number;
  readonly #random: RandomSource;
  #fragmentId: number;

  /** @param mtu largest IP packet, in bytes */
  constructor(mtu: number, random: RandomSource) {
    this.mtu = mtu;
    this.#random = random;
    this.#fragmentId = random.uint32();
  }

  /** How many packets {@link send} makes of one of `length` bytes. */
  packetsFor(family: 4 | 6, length: number): number {
    if (length <= this.mtu) return 1;
    return Math.ceil((length - ipHeaderBytes(family)) / this.#fragmentPayload(family));
  }

  /**
   * Finishes `packet`, made by {@link allocatePacket}, and places it into `queue`: whole or in
   * fragments. False, and nothing placed, when there is no room for all of it.
   */
  send(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    queue: Channel<Buffer>,
  ): boolean {
    const needed = this.packetsFor(source.family, packet.length);
    if (queue.slots - queue.size < needed) return false;
    if (needed > 1) {
      this.#sendFragments(packet, protocol, source, destination, queue);
    } else {
      this.#finish(packet, protocol, source, destination);
      queue.push(packet);
    }
    return true;
  }

  /** Don't Fragment stays clear, so the identification is random (RFC 6864 §4.1, RFC 7739). */
  #finish(packet: Buffer, protocol: number, source: IpAddress, destination: IpAddress): void {
    if (source.family === 4) {
      writeIpv4(packet, protocol, source, destination, this.#random.uint32() & 0xffff, 0);
    } else {
      writeIpv6(packet, protocol, source, destination, 0);
    }
  }

  #sendFragments(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    queue: Channel<Buffer>,
  ): void {
    const { family } = source;
    const payload = packet.subarray(ipHeaderBytes(family));
    const step = this.#fragmentPayload(family);
    // Counted up, because a repeated number mixes two datagrams.
    this.#fragmentId = (this.#fragmentId + 1) >>> 0;
    for (let offset = 0; offset < payload.length; offset += step) {
      const piece = payload.subarray(offset, offset + step);
      const more = offset + step < payload.length;
      queue.push(
        family === 4
          ? this.#fragment4(piece, protocol, source, destination, offset, more)
          : this.#fragment6(piece, protocol, source, destination, offset, more),
      );
    }
  }

  #fragment4(
    piece: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    offset: number,
    more: boolean,
  ): Buffer {
    const packet = Buffer.allocUnsafe(IPV4_HEADER_BYTES + piece.length);
    packet.set(piece, IPV4_HEADER_BYTES);
    const flags = more ? Ipv4Flag.MORE_FRAGMENTS : 0;
    const fragment = flags | (offset / OFFSET_UNIT);
    writeIpv4(packet, protocol, source, destination, this.#fragmentId & 0xffff, fragment);
    return packet;
  }

  #fragment6(
    piece: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    offset: number,
    more: boolean,
  ): Buffer {
    const headerBytes = IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES;
    const packet = Buffer.allocUnsafe(headerBytes + piece.length);
    packet.set(piece, headerBytes);
    writeIpv6(packet, Extension.FRAGMENT, source, destination, 0);
    writeFragmentHeader(packet, protocol, offset, more, this.#fragmentId);
    return packet;
  }

  /** Payload of every fragment but the last. */
  #fragmentPayload(family: 4 | 6): number {
    const headerBytes =
      family === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES + FRAGMENT_HEADER_BYTES;
    return Math.floor((this.mtu - headerBytes) / OFFSET_UNIT) * OFFSET_UNIT;
  }
}
