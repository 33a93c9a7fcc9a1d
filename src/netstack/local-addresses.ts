import { u8, u32 } from '../core/bytes.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { Drop } from '../core/machine.ts';
import type { Subnet } from '../model/push-options.ts';
import { IpAddress } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';

/** 127.0.0.1 */
export const LOOPBACK4: IpAddress = IpAddress.ipv4(0x7f00_0001);
/** ::1 */
export const LOOPBACK6: IpAddress = IpAddress.fromWords(0, 0, 0, 1);

/** Whether an address of somebody else's may be spoken to. */
export type Reaches = (remote: IpAddress) => boolean;

/** The addresses of this end, and which packets may come from the tunnel to them. */
export class LocalAddresses {
  #ipv4: IpAddress | undefined;
  #ipv6: IpAddress | undefined;
  /** The subnet's broadcast address, or the limited one where a subnet has none. */
  #broadcast4 = LIMITED_BROADCAST;
  #reaches: Reaches | undefined;

  /**
   * @param reaches Default: everything may be spoken to
   * @throws OvpnUsageError for a text that is no address of its family
   */
  constructor(ipv4: Subnet | undefined, ipv6: Subnet | undefined, reaches?: Reaches) {
    this.use(ipv4, ipv6, reaches);
  }

  /** Other addresses. @throws OvpnUsageError as the constructor: nothing has changed then */
  use(ipv4: Subnet | undefined, ipv6: Subnet | undefined, reaches: Reaches | undefined): void {
    const [own4, own6] = [parseOf(4, ipv4), parseOf(6, ipv6)];
    this.#ipv4 = own4;
    this.#ipv6 = own6;
    this.#broadcast4 = broadcastOf(own4, ipv4?.prefixLength ?? IPV4_BITS);
    this.#reaches = reaches;
  }

  get ipv4(): IpAddress | undefined {
    return this.#ipv4;
  }

  get ipv6(): IpAddress | undefined {
    return this.#ipv6;
  }

  /** Whether it is one of ours, loopback included. */
  owns(address: IpAddress): boolean {
    if (address.isLoopback) return true;
    return this.own(address.family)?.equals(address) ?? false;
  }

  /** Our own address of a family. */
  own(family: 4 | 6): IpAddress | undefined {
    return family === 4 ? this.#ipv4 : this.#ipv6;
  }

  /** The address from which we speak to `remote`; undefined without a way there. */
  sourceFor(remote: IpAddress): IpAddress | undefined {
    if (remote.isLoopback) return remote.family === 4 ? LOOPBACK4 : LOOPBACK6;
    return this.reaches(remote) ? this.own(remote.family) : undefined;
  }

  /** Whether `remote` may be spoken to; our own addresses always may. */
  reaches(remote: IpAddress): boolean {
    return this.#reaches === undefined || this.owns(remote) || this.#reaches(remote);
  }

  /** Whether a packet of ours is meant for this end itself. */
  receives(packet: Buffer): boolean {
    if (u8(packet, 0) >>> 4 === 4) {
      const word = u32(packet, IPV4_DESTINATION_AT) | 0;
      return word >>> 24 === LOOPBACK_NET || word === this.#ipv4?.word3;
    }
    const word0 = u32(packet, IPV6_DESTINATION_AT) | 0;
    const word1 = u32(packet, IPV6_DESTINATION_AT + 4) | 0;
    const word2 = u32(packet, IPV6_DESTINATION_AT + 8) | 0;
    const word3 = u32(packet, IPV6_DESTINATION_AT + 12) | 0;
    return (
      LOOPBACK6.matches(word0, word1, word2, word3) ||
      (this.#ipv6?.matches(word0, word1, word2, word3) ?? false)
    );
  }

  /** Whether a packet with these headers may come out of the tunnel, and whether it is for us. */
  checkFromTunnel(header: IpHeader): Drop {
    return header.family === 4 ? this.#check4(header) : this.#check6(header);
  }

  #check4(header: IpHeader): Drop {
    const own = this.#ipv4?.word3;
    const source = header.source3;
    const net = source >>> 24;
    if (net === 0 || net === LOOPBACK_NET || net >= MULTICAST_NET) return Drop.MARTIAN;
    if (source === own || source === this.#broadcast4) return Drop.MARTIAN;
    const destination = header.destination3;
    if (destination === own) return Drop.NONE;
    const forMany = destination >>> 24 >= MULTICAST_NET || destination === this.#broadcast4;
    return forMany ? Drop.NO_SOCKET : Drop.MARTIAN;
  }

  #check6(header: IpHeader): Drop {
    const { source0, source1, source2, source3 } = header;
    if (source0 >>> 24 === MULTICAST_BYTE) return Drop.MARTIAN;
    // :: and ::1
    if (source0 === 0 && source1 === 0 && source2 === 0 && source3 >>> 1 === 0) return Drop.MARTIAN;
    const own = this.#ipv6;
    if (own?.matches(source0, source1, source2, source3)) return Drop.MARTIAN;
    const { destination0, destination1, destination2, destination3 } = header;
    if (own?.matches(destination0, destination1, destination2, destination3)) return Drop.NONE;
    return destination0 >>> 24 === MULTICAST_BYTE ? Drop.NO_SOCKET : Drop.MARTIAN;
  }
}

function parseOf(family: 4 | 6, subnet: Subnet | undefined): IpAddress | undefined {
  if (subnet === undefined) return undefined;
  const address = IpAddress.parse(subnet.address);
  if (address?.family !== family) {
    throw new OvpnUsageError(`expected an IPv${family} address, got ${subnet.address}`, 'netstack');
  }
  return address;
}

function broadcastOf(address: IpAddress | undefined, prefixLength: number): number {
  if (address === undefined || prefixLength >= IPV4_BITS - 1) return LIMITED_BROADCAST;
  return address.word3 | (LIMITED_BROADCAST >>> prefixLength);
}

const IPV4_BITS = 32;
const IPV4_DESTINATION_AT = 16;
const IPV6_DESTINATION_AT = 24;
const LOOPBACK_NET = 127;
const MULTICAST_NET = 224;
const MULTICAST_BYTE = 0xff;
const LIMITED_BROADCAST = -1;
