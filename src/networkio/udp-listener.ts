import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { lookup } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { type Clock, systemClock } from '../core/clock.ts';
import { Drop, DropCounter } from '../core/machine.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import { growBuffers } from './connect-datagrams.ts';
import { DatagramLink } from './datagram-link.ts';
import { linkFailed } from './network-errors.ts';
import {
  DEFAULT_MAX_PEERS,
  type GateVerdict,
  type ListenOptions,
  type OnPeer,
  type PeerGate,
  peerName,
} from './peer-gate.ts';
import { UdpPeer } from './udp-peer.ts';

export interface UdpListenerOptions {
  readonly gate: PeerGate;
  readonly onPeer: OnPeer;
  /** The socket broke; nothing more comes. Default: ignored. */
  readonly onError?: (error: Error) => void;
  /** Peers at a time; more are turned away. Default: 1024. */
  readonly maxPeers?: number;
  readonly clock?: Clock;
}

interface Entry {
  readonly peer: UdpPeer;
  readonly ids: SessionIds;
}

type AcceptVerdict = Extract<GateVerdict, { kind: 'accept' }>;

/** The server's UDP socket: one for all peers, a link for each that the gate accepted. */
export class UdpListener {
  readonly #gate: PeerGate;
  readonly #onPeer: OnPeer;
  readonly #onError: (error: Error) => void;
  readonly #maxPeers: number;
  readonly #clock: Clock;
  readonly #drops = new DropCounter();
  readonly #peers = new Map<string, Entry>();
  #socket: Socket | undefined;

  constructor(options: UdpListenerOptions) {
    this.#gate = options.gate;
    this.#onPeer = options.onPeer;
    this.#onError = options.onError ?? (() => {});
    this.#maxPeers = options.maxPeers ?? DEFAULT_MAX_PEERS;
    this.#clock = options.clock ?? systemClock;
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  /** Refused packets of strangers, by reason. */
  get drops(): Record<string, number> {
    return this.#drops.snapshot();
  }

  /** @throws OvpnNetworkError `OVPN_LINK_FAILED`: the address cannot be had */
  listen({ host, port, ipv6Only = false }: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({
        type: isIPv6(host) ? 'udp6' : 'udp4',
        ipv6Only,
        lookup: lookupUnlessLiteral,
      });
      socket.once('error', (cause) => {
        socket.close();
        reject(linkFailed(cause));
      });
      socket.bind(port, host, () => {
        this.#socket = socket;
        growBuffers(socket);
        socket.removeAllListeners('error');
        socket.on('error', (cause) => this.#onError(linkFailed(cause)));
        socket.on('message', (packet, from) => this.#receive(packet, from));
        resolve();
      });
    });
  }

  /** Where it listens; only between `listen` and `close`. */
  address(): { address: string; port: number; family: string } {
    if (this.#socket === undefined) throw new Error('the listener is not open');
    return this.#socket.address();
  }

  /** Ends all links, then the socket. May be called twice. */
  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    for (const { peer } of [...this.#peers.values()]) peer.close();
    await new Promise<void>((resolve) => {
      socket.close(resolve);
    });
  }

  #receive(packet: Buffer, { address, port }: RemoteInfo): void {
    // The kernel lets such a forgery through, and to send an answer there would throw.
    if (port === 0) {
      this.#drops.count(Drop.MALFORMED);
      return;
    }
    const name = peerName(address, port);
    const known = this.#peers.get(name);
    if (known !== undefined && this.#gate.belongsTo(packet, known.ids)) {
      known.peer.deliver(packet);
      return;
    }
    const verdict = this.#gate.onPacket(packet, name, this.#clock.now());
    if (verdict.kind === 'drop') {
      this.#drops.count(verdict.drop);
    } else if (verdict.kind === 'reply') {
      this.#socket?.send(verdict.packet, port, address);
    } else if (known === undefined && this.#peers.size >= this.#maxPeers) {
      this.#drops.count(Drop.NO_ROOM);
    } else {
      known?.peer.close();
      this.#accept(packet, verdict, { address, port });
    }
  }

  #accept(
    packet: Buffer,
    { ids, memory }: AcceptVerdict,
    from: { address: string; port: number },
  ): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    const name = peerName(from.address, from.port);
    const peer = new UdpPeer(socket, from.address, from.port);
    this.#peers.set(name, { peer, ids });
    peer.on('close', () => {
      if (this.#peers.get(name)?.peer === peer) this.#peers.delete(name);
    });
    const local = socket.address();
    const link = new DatagramLink(peer, {
      addresses: {
        localAddress: local.address,
        localPort: local.port,
        remoteAddress: from.address,
        remotePort: from.port,
      },
    });
    peer.deliver(packet);
    this.#onPeer(link, ids, packet, memory);
  }
}

/** Peers' addresses are literals: answered at once, a look-up a packet would double a send's cost. */
const lookupUnlessLiteral: typeof lookup = ((
  host: string,
  options: 4 | 6,
  done: (error: Error | null, address: string, family: number) => void,
): void => {
  const family = isIP(host);
  if (family !== 0) done(null, host, family);
  else lookup(host, options, done);
}) as typeof lookup;
