import type { Channel } from '../core/channel.ts';
import type { RandomSource } from '../core/random.ts';
import { type Carriage, ORDINARY } from './carriage.ts';
import { flowLabelOf } from './flow-label.ts';
import { fragmentPayloadBytes, pushFragments } from './fragmentation.ts';
import type { IpAddress } from './ip-address.ts';
import { IPV4_HEADER_BYTES, Ipv4Flag, writeIpv4 } from './ipv4.ts';
import { IPV6_HEADER_BYTES, writeIpv6 } from './ipv6.ts';

/** Bytes of the IP header that we write. */
export function ipHeaderBytes(family: 4 | 6): number {
  return family === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
}

/** A packet whose payload of `payloadLength` bytes is still to be written, behind the header. */
export function allocatePacket(family: 4 | 6, payloadLength: number): Buffer {
  return Buffer.allocUnsafe(ipHeaderBytes(family) + payloadLength);
}

/** Largest packet that arrives at a destination, as far as is known. Unit: bytes. */
export type MtuTo = (destination: IpAddress) => number;

/** Puts IP headers in front of UDP and ICMP messages, and cuts what is larger than the MTU. */
export class IpOutput {
  /** Largest IP packet of the tunnel. Unit: bytes. */
  mtu: number;
  readonly #random: RandomSource;
  readonly #mtuTo: MtuTo;
  readonly #labelSeed: number;
  #fragmentId: number;

  /**
   * @param mtu largest IP packet of the tunnel, in bytes
   * @param mtuTo where a path is known to be narrower. Default: nowhere
   */
  constructor(mtu: number, random: RandomSource, mtuTo: MtuTo = () => mtu) {
    this.mtu = mtu;
    this.#random = random;
    this.#mtuTo = mtuTo;
    this.#labelSeed = random.uint32();
    this.#fragmentId = random.uint32();
  }

  /** How many packets {@link send} makes of one of `length` bytes that may be cut. */
  packetsFor(destination: IpAddress, length: number): number {
    const mtu = this.#mtuTo(destination);
    if (length <= mtu) return 1;
    const { family } = destination;
    return Math.ceil((length - ipHeaderBytes(family)) / fragmentPayloadBytes(family, mtu));
  }

  /**
   * Finishes `packet`, made by {@link allocatePacket}, and places it into `queue`: whole, or in
   * fragments where those are allowed. False, and nothing placed, when there is no room for all
   * of it, or when it may not be cut and is larger than the tunnel takes.
   */
  send(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    queue: Channel<Buffer>,
    carriage: Carriage = ORDINARY,
  ): boolean {
    const mayBeCut = carriage.fragments === 'allowed';
    if (!mayBeCut && packet.length > this.mtu) return false;
    const needed = mayBeCut ? this.packetsFor(destination, packet.length) : 1;
    if (queue.slots - queue.size < needed) return false;
    if (needed > 1) {
      this.#sendFragments(packet, protocol, source, destination, queue, carriage);
      return true;
    }
    if (source.family === 4) this.#finish4(packet, protocol, source, destination, carriage);
    else this.#finish6(packet, protocol, source, destination, carriage);
    return queue.push(packet);
  }

  /**
   * A packet that nobody may cut needs no identification; that of any other is random (RFC 6864
   * §4.1, RFC 7739).
   */
  #finish4(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    { hopLimit, fragments }: Carriage,
  ): void {
    const whole = fragments === 'forbidden';
    const identification = whole ? 0 : this.#random.uint32() & 0xffff;
    const flags = whole ? Ipv4Flag.DONT_FRAGMENT : 0;
    writeIpv4(packet, protocol, source, destination, identification, flags, hopLimit);
  }

  #finish6(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    { hopLimit }: Carriage,
  ): void {
    const label = flowLabelOf(this.#labelSeed, packet, protocol, source, destination);
    writeIpv6(packet, protocol, source, destination, label, hopLimit);
  }

  #sendFragments(
    packet: Buffer,
    protocol: number,
    source: IpAddress,
    destination: IpAddress,
    queue: Channel<Buffer>,
    { hopLimit }: Carriage,
  ): void {
    const { family } = source;
    const flowLabel =
      family === 4 ? 0 : flowLabelOf(this.#labelSeed, packet, protocol, source, destination);
    // Counted up, because a repeated number mixes two datagrams.
    this.#fragmentId = (this.#fragmentId + 1) >>> 0;
    const identification = this.#fragmentId;
    const datagram = { protocol, source, destination, identification, flowLabel, hopLimit };
    const payload = packet.subarray(ipHeaderBytes(family));
    pushFragments(payload, datagram, this.#mtuTo(destination), queue);
  }
}
