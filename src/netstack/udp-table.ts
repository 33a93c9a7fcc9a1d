import { u16 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { IpAddress } from './ip-address.ts';
import type { IpHeader } from './ip-header.ts';
import { NetstackError } from './netstack-error.ts';
import { pickPort } from './ports.ts';
import { checkUdp, udpPayload } from './udp.ts';
import {
  UdpEndpoint,
  type UdpEvents,
  type UdpHost,
  type UdpOptions,
  type UdpUnreachable,
} from './udp-endpoint.ts';

/** What an ICMP error says of itself. */
export type IcmpErrorReport = Pick<UdpUnreachable, 'kind' | 'mtu' | 'from'>;

/** What a datagram costs its receiver beside its packet. Unit: bytes. */
export const DATAGRAM_OVERHEAD_BYTES = 256;

/** The UDP endpoints by local port. */
export class UdpTable {
  readonly #host: UdpHost;
  readonly #random: RandomSource;
  readonly #byPort = new Map<number, UdpEndpoint[]>();

  constructor(host: UdpHost, random: RandomSource) {
    this.#host = host;
    this.#random = random;
  }

  /**
   * @throws NetstackError `EADDRINUSE` for a port that is taken, or when none is free,
   *   `EADDRNOTAVAIL` for an address that is not ours, `ENETUNREACH` for a peer without a way
   */
  open(options: UdpOptions, events: UdpEvents): UdpEndpoint {
    const localAddress = this.#localAddress(options);
    const port = this.#port(options.port ?? 0);
    const endpoint = new UdpEndpoint(options, localAddress, port, events, this.#host);
    const others = this.#byPort.get(port) ?? [];
    if (others.some((other) => other.excludes(endpoint))) {
      throw new NetstackError('EADDRINUSE', 'bind', `${localAddress} port ${port}`);
    }
    this.#byPort.set(port, [...others, endpoint]);
    return endpoint;
  }

  /**
   * Hands the datagram in `packet` to its endpoint; `NO_SOCKET` when there is none, `NO_ROOM` when
   * its owner has no room left.
   */
  fromBelow(packet: Buffer, header: IpHeader): Drop {
    const drop = checkUdp(packet, header);
    if (drop !== Drop.NONE) return drop;
    const sourcePort = u16(packet, header.payloadAt);
    const endpoint = this.#endpointFor(header, sourcePort, u16(packet, header.payloadAt + 2));
    if (endpoint === undefined) return Drop.NO_SOCKET;
    const { events } = endpoint;
    if (events.accepts?.(packet.length + DATAGRAM_OVERHEAD_BYTES) === false) return Drop.NO_ROOM;
    events.datagram(udpPayload(packet, header), header.source(), sourcePort);
    return Drop.NONE;
  }

  /** Tells the endpoint that sent the quoted datagram; `NO_SOCKET` when none can have. */
  icmpError(report: IcmpErrorReport, packet: Buffer, quoted: IpHeader, now: Millis): Drop {
    const localPort = u16(packet, quoted.payloadAt);
    const port = u16(packet, quoted.payloadAt + 2);
    for (const endpoint of this.#byPort.get(localPort) ?? NONE) {
      if (!endpoint.canHaveSent(quoted, port)) continue;
      return this.#tell(endpoint, { ...report, to: quoted.destination(), port }, now);
    }
    return Drop.NO_SOCKET;
  }

  #tell(endpoint: UdpEndpoint, error: UdpUnreachable, now: Millis): Drop {
    if (error.kind === 'too-big' && !this.#isTooBig(endpoint, error)) return Drop.UNEXPECTED;
    if (error.kind === 'too-big') {
      this.#host.pathMtus.lower(error.to, error.mtu, now);
    }
    endpoint.events.unreachable?.(error);
    if (endpoint.isConnectedTo(error.to, error.port)) endpoint.events.failed(error.kind);
    return Drop.NONE;
  }

  /** Routers cut our datagrams over IPv4; over IPv6 one must have been longer than they say. */
  #isTooBig({ family, longestSent }: UdpEndpoint, { mtu }: UdpUnreachable): boolean {
    return family === 6 && longestSent > mtu;
  }

  remove(endpoint: UdpEndpoint): void {
    const others = this.#byPort.get(endpoint.localPort)?.filter((other) => other !== endpoint);
    if (others === undefined || others.length === 0) this.#byPort.delete(endpoint.localPort);
    else this.#byPort.set(endpoint.localPort, others);
  }

  /** Our addresses have changed. */
  followAddresses(): void {
    for (const endpoint of [...this.#byPort.values()].flat()) endpoint.followAddresses();
  }

  /** Ends all endpoints. */
  stop(): void {
    for (const endpoint of [...this.#byPort.values()].flat()) {
      endpoint.close();
      endpoint.events.failed('network-down');
    }
  }

  get size(): number {
    let size = 0;
    for (const endpoints of this.#byPort.values()) size += endpoints.length;
    return size;
  }

  #endpointFor(header: IpHeader, sourcePort: number, port: number): UdpEndpoint | undefined {
    let best: UdpEndpoint | undefined;
    let bestFit = 0;
    for (const endpoint of this.#byPort.get(port) ?? NONE) {
      const fit = endpoint.fit(header, sourcePort);
      if (fit > bestFit) {
        best = endpoint;
        bestFit = fit;
      }
    }
    return best;
  }

  #localAddress({ family, address, remote }: UdpOptions): IpAddress {
    const { addresses } = this.#host;
    if (remote !== undefined && addresses.sourceFor(remote.address) === undefined) {
      throw new NetstackError('ENETUNREACH', 'connect', `no way to ${remote.address}`);
    }
    if (address !== undefined && !address.isUnspecified) {
      if (address.family === family && addresses.owns(address)) return address;
      throw new NetstackError('EADDRNOTAVAIL', 'bind', `${address}`);
    }
    const own = remote === undefined ? addresses.own(family) : addresses.sourceFor(remote.address);
    if (own?.family === family) return own;
    throw new NetstackError('EADDRNOTAVAIL', 'bind', `no IPv${family} address`);
  }

  /** `wanted`, or any port that nobody has. */
  #port(wanted: number): number {
    if (wanted !== 0) return wanted;
    const port = pickPort(this.#random, 0, (candidate) => !this.#byPort.has(candidate));
    if (port === undefined) throw new NetstackError('EADDRINUSE', 'bind', 'no free port');
    return port;
  }
}

const NONE: readonly UdpEndpoint[] = [];
