import { u16 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { FlowKey } from './flow-key.ts';
import type { FlowTuple } from './flow-tuple.ts';
import type { IpAddress } from './ip-address.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import type { LocalAddresses } from './local-addresses.ts';
import { NetstackError } from './netstack-error.ts';
import type { NetstackSettings } from './netstack-options.ts';
import { pickPort } from './ports.ts';
import { incomingPseudoSum } from './pseudo-header.ts';
import type { TcpConnection } from './tcp/connection.ts';
import { segmentIsIntact, sequenceOf, TCP_HEADER_BYTES } from './tcp/segment.ts';
import type { TcpEvents } from './tcp/tcp-events.ts';
import type { TcpOptions } from './tcp/tcp-options.ts';
import { TcpFlows, type TcpFlowsOptions } from './tcp-flows.ts';
import { TcpListeners } from './tcp-listeners.ts';
import { type OnTcpConnection, TcpListening, type TcpListenOptions } from './tcp-listening.ts';
import type { UnreachableKind } from './unreachable.ts';

/** What may be chosen for one connection. */
export interface TcpConnectOptions {
  /** Default: a free ephemeral port. */
  readonly localPort?: number;
  /** Default: our address of the remote's family. */
  readonly localAddress?: IpAddress;
  /** See `TcpOptions.noDelay`. */
  readonly noDelay?: boolean;
  /** See `TcpOptions.userTimeoutMs`. */
  readonly userTimeoutMs?: Millis;
}

/** Segments → flows and listeners; makes both. */
export class TcpTable {
  readonly flows: TcpFlows;
  readonly #random: RandomSource;
  readonly #addresses: LocalAddresses;
  readonly #listeners = new TcpListeners();
  readonly #key = new FlowKey();

  constructor(options: TcpFlowsOptions, addresses: LocalAddresses) {
    this.flows = new TcpFlows(options);
    this.#random = options.random;
    this.#addresses = addresses;
  }

  /** Hands the segment in `packet` on; `NO_SOCKET` asks for a reset. */
  fromBelow(packet: Buffer, header: IpHeader, now: Millis): Drop {
    const { payloadAt, payloadLength } = header;
    if (payloadLength < TCP_HEADER_BYTES) return Drop.MALFORMED;
    const remotePort = u16(packet, payloadAt);
    const localPort = u16(packet, payloadAt + 2);
    this.#key.readIncoming(header, remotePort, localPort);
    const flow = this.flows.find(this.#key);
    if (flow !== undefined) {
      this.flows.touch(flow);
      return flow.connection.fromBelow(packet, payloadAt, payloadLength, now);
    }
    const drop = this.flows.timeWaits.fromBelow(this.#key, packet, header, now);
    if (drop !== undefined) return drop;
    const listening = this.#listeners.find(header, localPort);
    if (listening !== undefined) return listening.fromBelow(packet, header, this.#key, now);
    const pseudoHeaderSum = incomingPseudoSum(header, IpProtocol.TCP);
    const intact = segmentIsIntact(packet, payloadAt, payloadLength, pseudoHeaderSum);
    return intact ? Drop.NO_SOCKET : Drop.BAD_CHECKSUM;
  }

  /**
   * Tells the flow whose segment is quoted.
   *
   * @param mtu what a `too-big` error names
   */
  icmpError(
    kind: UnreachableKind,
    mtu: number,
    packet: Buffer,
    quoted: IpHeader,
    now: Millis,
  ): Drop {
    const at = quoted.payloadAt;
    this.#key.readOutgoing(quoted, u16(packet, at), u16(packet, at + 2));
    const flow = this.flows.find(this.#key);
    if (flow === undefined) return Drop.NO_SOCKET;
    const sequence = sequenceOf(packet, at);
    const failure = FAILURES[kind];
    if (kind === 'too-big') flow.connection.pathMtu(mtu, sequence, now);
    else if (failure !== undefined) flow.connection.icmpError(failure, sequence);
    this.flows.settle(flow, now);
    return Drop.NONE;
  }

  /**
   * Opens a connection; `events` hears what becomes of it.
   *
   * @throws NetstackError `ENETUNREACH`, `EADDRNOTAVAIL`, `EADDRINUSE` or `ENOBUFS`
   */
  connect(
    remoteAddress: IpAddress,
    remotePort: number,
    events: TcpEvents,
    options: TcpConnectOptions,
    now: Millis,
  ): TcpConnection {
    const localAddress = this.#localAddress(remoteAddress, options.localAddress);
    if (remotePort === 0 || remoteAddress.isUnspecified) {
      throw new NetstackError('EADDRNOTAVAIL', 'connect', `${remoteAddress} port ${remotePort}`);
    }
    if (this.flows.full) throw new NetstackError('ENOBUFS', 'connect', 'too many connections');
    const partial = { localAddress, remoteAddress, remotePort };
    const localPort = this.#localPort(partial, options.localPort ?? 0, now);
    const tuple = { ...partial, localPort };
    const opening = this.flows.opening(this.#key.readTuple(tuple), now);
    const flow = this.flows.make(tuple, events, events, tcpOptions(options), opening);
    flow.connection.connect(now);
    return flow.connection;
  }

  /** @throws NetstackError `EADDRNOTAVAIL` or `EADDRINUSE` */
  listen(options: TcpListenOptions, onConnection: OnTcpConnection): TcpListening {
    const { address } = options;
    if (address !== undefined && !address.isUnspecified && !this.#addresses.owns(address)) {
      throw new NetstackError('EADDRNOTAVAIL', 'listen', `${address}`);
    }
    const port = options.port === 0 ? this.#freeListenPort() : options.port;
    const listening = new TcpListening(port, options, onConnection, {
      callers: this.flows.callers,
      makeFlow: (tuple, events, handshake) =>
        this.flows.full ? undefined : this.flows.make(tuple, undefined, events, {}, handshake),
      removeListening: (closed) => this.#listeners.remove(closed),
    });
    if (this.#listeners.isTaken(listening.address, port)) {
      throw new NetstackError('EADDRINUSE', 'listen', `${address ?? 'any address'} port ${port}`);
    }
    this.#listeners.add(listening);
    return listening;
  }

  /** What the tunnel is like from now on; what stands on an address that went away ends. */
  configure(
    {
      mtu,
      mssLimit4 = Number.POSITIVE_INFINITY,
      mssLimit6 = Number.POSITIVE_INFINITY,
    }: Pick<NetstackSettings, 'mssLimit4' | 'mssLimit6'> & { readonly mtu: number },
    now: Millis,
  ): void {
    const owns = (address: IpAddress) => this.#addresses.owns(address);
    for (const listening of this.#listeners.all()) {
      if (listening.address !== undefined && !owns(listening.address)) listening.lose();
    }
    this.flows.endStrangers(owns);
    this.flows.resize({ mtu, mssLimit4, mssLimit6 }, now);
  }

  /** Ends all flows and listeners. */
  stop(): void {
    for (const listening of this.#listeners.all()) listening.close();
    this.flows.stop();
  }

  #localAddress(remote: IpAddress, wanted: IpAddress | undefined): IpAddress {
    const source = remote.isMulticast ? undefined : this.#addresses.sourceFor(remote);
    if (source === undefined) throw new NetstackError('ENETUNREACH', 'connect', `${remote}`);
    if (wanted === undefined || wanted.isUnspecified) return source;
    if (wanted.family !== remote.family || !this.#addresses.owns(wanted)) {
      throw new NetstackError('EADDRNOTAVAIL', 'connect', `${wanted}`);
    }
    return wanted;
  }

  #localPort(partial: Omit<FlowTuple, 'localPort'>, wanted: number, now: Millis): number {
    const key = this.#key.readTuple({ ...partial, localPort: wanted });
    if (wanted !== 0 && this.flows.mayConnect(key, now)) return wanted;
    const port = wanted === 0 ? this.#freePort(key) : undefined;
    if (port === undefined) {
      throw new NetstackError('EADDRINUSE', 'connect', `${partial.localAddress} port ${wanted}`);
    }
    return port;
  }

  #freePort(key: FlowKey): number | undefined {
    return pickPort(this.#random, this.flows.secret.portOffset(key), (port) => {
      key.localPort = port;
      return !this.#listeners.has(port) && this.flows.isFree(key);
    });
  }

  #freeListenPort(): number {
    const port = pickPort(this.#random, 0, (candidate) => !this.#listeners.has(candidate));
    if (port === undefined) throw new NetstackError('EADDRINUSE', 'listen', 'no free port');
    return port;
  }
}

/** What a connection is made with beside what all have. */
function tcpOptions({ noDelay, userTimeoutMs }: TcpConnectOptions): Partial<TcpOptions> {
  return {
    ...(noDelay === undefined ? {} : { noDelay }),
    ...(userTimeoutMs === undefined ? {} : { userTimeoutMs }),
  };
}

/** What an ICMP error means to a connection; undefined for what it ignores. */
const FAILURES: Readonly<
  Record<UnreachableKind, 'unreachable' | 'network-unreachable' | 'refused' | undefined>
> = {
  'network-unreachable': 'network-unreachable',
  'host-unreachable': 'unreachable',
  'protocol-unreachable': 'refused',
  'port-unreachable': 'refused',
  prohibited: 'unreachable',
  'time-exceeded': undefined,
  'parameter-problem': undefined,
  'too-big': undefined,
};
