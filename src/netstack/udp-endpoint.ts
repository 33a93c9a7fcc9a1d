import { Channel } from '../core/channel.ts';
import { type Carriage, ORDINARY } from './carriage.ts';
import type { IpAddress } from './ip-address.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import type { IpOutput } from './ip-output.ts';
import type { LocalAddresses } from './local-addresses.ts';
import { NetstackError } from './netstack-error.ts';
import { QUEUE_PACKETS } from './packet-queue.ts';
import type { PathMtus } from './path-mtu.ts';
import type { PacketSource } from './round-robin.ts';
import { buildUdp, MAX_UDP_PAYLOAD_BYTES } from './udp.ts';
import type { UnreachableKind } from './unreachable.ts';

/** What became of a datagram, of the endpoint's address, or of the whole netstack. */
export type UdpFailure = UnreachableKind | 'network-down' | 'address-gone';

/** Which port an endpoint takes, and whose datagrams. */
export interface UdpOptions {
  readonly family: 4 | 6;
  /** Where to bind; any address of ours by default. */
  readonly address?: IpAddress;
  /** Default: a free ephemeral port. */
  readonly port?: number;
  /** Connects: only datagrams from there are taken, and errors about those sent there are told. */
  readonly remote?: { readonly address: IpAddress; readonly port: number };
}

/** An ICMP error about a datagram that an endpoint sent. */
export interface UdpUnreachable {
  readonly kind: UnreachableKind;
  /** What a `too-big` error names. Unit: bytes. */
  readonly mtu: number;
  /** Who says so: the host, or a router on the way. */
  readonly from: IpAddress;
  /** Where the datagram was going. */
  readonly to: IpAddress;
  readonly port: number;
}

/** Who owns an endpoint hears these, called directly. */
export interface UdpEvents {
  /** Whether a datagram that takes so many bytes of memory is wanted; without it every one is. */
  accepts?(bytes: number): boolean;
  /** `payload` is the owner's to keep. */
  datagram(payload: Buffer, from: IpAddress, port: number): void;
  /** Any ICMP error about a datagram of ours, also when the endpoint is not connected. */
  unreachable?(error: UdpUnreachable): void;
  /**
   * An ICMP error about a datagram of a connected endpoint; `network-down` and `address-gone` are the
   * last event.
   */
  failed(error: UdpFailure): void;
  /** There is room again, after `send` returned false. */
  drained(): void;
}

/** What an endpoint needs of the netstack. */
export interface UdpHost {
  readonly output: IpOutput;
  readonly addresses: LocalAddresses;
  readonly pathMtus: PathMtus;
  wakeSource(source: PacketSource): void;
  removeUdp(endpoint: UdpEndpoint): void;
}

/** One bound UDP port. */
export class UdpEndpoint implements PacketSource {
  readonly family: 4 | 6;
  readonly localPort: number;
  readonly events: UdpEvents;
  /** The peer, when the endpoint is connected. */
  readonly remoteAddress: IpAddress | undefined;
  readonly remotePort: number;
  nextInTurn: PacketSource | undefined;
  inTurn = false;
  readonly #anyAddress: boolean;
  #localAddress: IpAddress;
  readonly #host: UdpHost;
  readonly #queue: Channel<Buffer> = new Channel('udp', QUEUE_PACKETS);
  #carriage: Carriage = ORDINARY;
  #longestSent = 0;
  #starved = false;
  #closed = false;

  /** @param localAddress what is shown; datagrams to any address of ours are taken without `options.address` */
  constructor(
    options: UdpOptions,
    localAddress: IpAddress,
    localPort: number,
    events: UdpEvents,
    host: UdpHost,
  ) {
    this.family = options.family;
    this.#localAddress = localAddress;
    this.localPort = localPort;
    this.events = events;
    this.remoteAddress = options.remote?.address;
    this.remotePort = options.remote?.port ?? 0;
    this.#anyAddress = options.address === undefined || options.address.isUnspecified;
    this.#host = host;
  }

  get localAddress(): IpAddress {
    return this.#localAddress;
  }

  /** Hop limit of what is sent from now on: 1 … 255. Default: 64. */
  set hopLimit(hopLimit: number) {
    this.#carriage = { ...ORDINARY, hopLimit };
  }

  /** Largest packet that it has sent. Unit: bytes. */
  get longestSent(): number {
    return this.#longestSent;
  }

  /**
   * Sends one datagram, in fragments where it is larger than the MTU; copies `payload`. False when
   * there is no room: `drained` follows.
   *
   * @throws NetstackError `EMSGSIZE` for more than {@link MAX_UDP_PAYLOAD_BYTES}, `ENETUNREACH`
   *   for an address of the other family, `ENETDOWN` after `close`
   */
  send(payload: Buffer, to: IpAddress, port: number): boolean {
    if (this.#closed) throw new NetstackError('ENETDOWN', 'send', 'the endpoint is closed');
    if (payload.length > MAX_UDP_PAYLOAD_BYTES) {
      throw new NetstackError('EMSGSIZE', 'send', `${payload.length} bytes do not fit`);
    }
    const { output, addresses } = this.#host;
    const source = this.#anyAddress ? addresses.sourceFor(to) : this.#localAddress;
    const isReached = this.#anyAddress || addresses.reaches(to);
    if (source === undefined || !isReached || to.family !== this.family || to.isUnspecified) {
      throw new NetstackError('ENETUNREACH', 'send', `no way to ${to}`);
    }
    const packet = buildUdp(source, this.localPort, to, port, payload);
    if (output.packetsFor(to, packet.length) > this.#queue.slots) {
      throw new NetstackError('EMSGSIZE', 'send', `${payload.length} bytes are too many fragments`);
    }
    if (!output.send(packet, IpProtocol.UDP, source, to, this.#queue, this.#carriage)) {
      this.#starved = true;
      return false;
    }
    this.#longestSent = Math.max(this.#longestSent, Math.min(packet.length, output.mtu));
    this.#host.wakeSource(this);
    return true;
  }

  /**
   * Our addresses have changed: one for any address goes on from the new one, as long as it has no
   * peer that knows it by the old one. Any other ends when its address is gone.
   */
  followAddresses(): void {
    const { addresses } = this.#host;
    if (addresses.owns(this.#localAddress)) return;
    const own = addresses.own(this.family);
    if (this.#anyAddress && this.remoteAddress === undefined && own !== undefined) {
      this.#localAddress = own;
      return;
    }
    this.close();
    this.events.failed('address-gone');
  }

  /** Frees the port; what was sent before still leaves. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.removeUdp(this);
  }

  /** How well a datagram to this port fits: 0 not at all, 2 when it comes from our peer. */
  fit(header: IpHeader, sourcePort: number): 0 | 1 | 2 {
    const { destination0, destination1, destination2, destination3 } = header;
    const bound = this.localAddress.matches(destination0, destination1, destination2, destination3);
    if (header.family !== this.family || !(bound || this.#anyAddress)) return 0;
    const remote = this.remoteAddress;
    if (remote === undefined) return 1;
    const { source0, source1, source2, source3 } = header;
    const fromPeer =
      this.remotePort === sourcePort && remote.matches(source0, source1, source2, source3);
    return fromPeer ? 2 : 0;
  }

  /** Whether `other`, of the same port, cannot be bound beside it. */
  excludes(other: UdpEndpoint): boolean {
    if (this.family !== other.family) return false;
    const shared = this.#anyAddress || other.#anyAddress;
    return shared || this.localAddress.equals(other.localAddress);
  }

  /** Whether a packet with these headers, to `port`, can be one that it sent. */
  canHaveSent(quoted: IpHeader, port: number): boolean {
    if (quoted.family !== this.family) return false;
    const { source0, source1, source2, source3 } = quoted;
    const fromHere = this.#anyAddress
      ? this.#host.addresses.owns(quoted.source())
      : this.localAddress.matches(source0, source1, source2, source3);
    if (!fromHere || this.remoteAddress === undefined) return fromHere;
    return this.isConnectedTo(quoted.destination(), port);
  }

  /** Whether it is connected to `address`:`port`. */
  isConnectedTo(address: IpAddress, port: number): boolean {
    return this.remotePort === port && (this.remoteAddress?.equals(address) ?? false);
  }

  takeDown(): Buffer | undefined {
    const packet = this.#queue.take();
    if (this.#starved && this.#queue.size <= this.#queue.slots / 2) {
      this.#starved = false;
      if (!this.#closed) this.events.drained();
    }
    return packet;
  }
}
