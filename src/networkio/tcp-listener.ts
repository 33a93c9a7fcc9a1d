import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '../core/clock.ts';
import { Drop, DropCounter } from '../core/machine.ts';
import { linkFailed } from './network-errors.ts';
import { DEFAULT_MAX_PEERS, type ListenOptions, type OnPeer, type PeerGate } from './peer-gate.ts';
import { TcpNewcomer } from './tcp-newcomer.ts';

/** Sockets that have not passed the gate, at a time, where no other number is given. */
export const DEFAULT_MAX_HALF_OPEN = 64;

export interface TcpListenerOptions {
  readonly gate: PeerGate;
  readonly onPeer: OnPeer;
  /** The listening socket broke; nothing more comes. Default: ignored. */
  readonly onError?: (error: Error) => void;
  /** Peers at a time; more are turned away. Default: 1024. */
  readonly maxPeers?: number;
  /** Sockets at a time that have not passed the gate; more are turned away. Default: 64. */
  readonly maxHalfOpen?: number;
  readonly clock?: Clock;
}

/** The server's TCP socket: every connection passes the gate before it becomes a link. */
export class TcpListener {
  readonly #gate: PeerGate;
  readonly #onPeer: OnPeer;
  readonly #maxPeers: number;
  readonly #maxHalfOpen: number;
  readonly #clock: Clock;
  readonly #drops = new DropCounter();
  readonly #newcomers = new Set<TcpNewcomer>();
  readonly #peers = new Set<Socket>();
  readonly #server: Server;
  #closing: Promise<void> | undefined;

  constructor(options: TcpListenerOptions) {
    this.#gate = options.gate;
    this.#onPeer = options.onPeer;
    this.#maxPeers = options.maxPeers ?? DEFAULT_MAX_PEERS;
    this.#maxHalfOpen = options.maxHalfOpen ?? DEFAULT_MAX_HALF_OPEN;
    this.#clock = options.clock ?? systemClock;
    this.#server = createServer({ noDelay: true }, (socket) => this.#welcome(socket));
    const { onError } = options;
    this.#server.on('error', (cause) => {
      if (this.#server.listening) onError?.(linkFailed(cause));
    });
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  /** Sockets that wait at the gate. */
  get halfOpenCount(): number {
    return this.#newcomers.size;
  }

  /** Connections that were turned away, by reason. */
  get drops(): Record<string, number> {
    return this.#drops.snapshot();
  }

  /** @throws OvpnNetworkError `OVPN_LINK_FAILED`: the address cannot be had */
  listen({ host, port, ipv6Only = false }: ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const onError = (cause: Error): void => reject(linkFailed(cause));
      this.#server.once('error', onError);
      this.#server.listen({ host, port, ipv6Only }, () => {
        this.#server.off('error', onError);
        resolve();
      });
    });
  }

  /** Where it listens; only between `listen` and `close`. */
  address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === 'string')
      throw new Error('the listener is not open');
    return address;
  }

  /** Ends all connections, then the listening socket. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      for (const newcomer of [...this.#newcomers]) newcomer.refuse();
      for (const socket of this.#peers) socket.destroy();
      this.#server.close(() => resolve());
    });
    return this.#closing;
  }

  #welcome(socket: Socket): void {
    if (this.#newcomers.size >= this.#maxHalfOpen || this.#peers.size >= this.#maxPeers) {
      this.#drops.count(Drop.NO_ROOM);
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    const newcomer = new TcpNewcomer(socket, this.#gate, this.#clock, {
      accepted: (link, ids, firstPacket, memory) => {
        this.#newcomers.delete(newcomer);
        this.#peers.add(socket);
        socket.once('close', () => this.#peers.delete(socket));
        this.#onPeer(link, ids, firstPacket, memory);
      },
      refused: (drop) => {
        this.#newcomers.delete(newcomer);
        this.#drops.count(drop ?? Drop.NONE);
      },
    });
    this.#newcomers.add(newcomer);
  }
}
