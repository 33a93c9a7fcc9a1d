import type { Drop, Millis } from '../core/machine.ts';
import type { FlowKey } from './flow-key.ts';
import type { FlowTuple } from './flow-tuple.ts';
import type { IpAddress } from './ip-address.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import { incomingPseudoSum } from './pseudo-header.ts';
import type { SynQueue } from './syn-queue.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { HalfOpen } from './tcp/half-open.ts';
import { TcpListener } from './tcp/listener.ts';
import type { TcpEvents } from './tcp/tcp-events.ts';
import type { TcpFlow } from './tcp-flow.ts';

/** Where connections are awaited. */
export interface TcpListenOptions {
  /** Default: any address of ours. */
  readonly address?: IpAddress;
  /** 0: a free ephemeral port. */
  readonly port: number;
  /** Most connections that are open and wait to be taken. Default: 128. */
  readonly backlog?: number;
  /** Hears that `address` is no longer ours; the port is closed then. */
  readonly onAddressGone?: () => void;
}

/**
 * Takes a connection that is open, and gives who hears of it from now on. What arrived before is
 * inside: read at once.
 */
export type OnTcpConnection = (connection: TcpConnection, tuple: FlowTuple) => TcpEvents;

/** What a listening port needs of those who keep it. */
export interface TcpListeningHost {
  /** Where callers of all ports wait for the end of their handshake. */
  readonly callers: SynQueue;
  /** Makes and enters the flow of a caller; undefined when there are too many. */
  makeFlow(tuple: FlowTuple, events: TcpEvents, handshake: HalfOpen): TcpFlow | undefined;
  removeListening(listening: TcpListening): void;
}

/** A port where TCP connections are accepted. */
export class TcpListening {
  readonly port: number;
  /** undefined for any address of ours. */
  readonly address: IpAddress | undefined;
  readonly #host: TcpListeningHost;
  readonly #onConnection: OnTcpConnection;
  readonly #onAddressGone: (() => void) | undefined;
  readonly #listener: TcpListener;
  readonly #flows = new WeakMap<TcpConnection, TcpFlow>();

  constructor(
    port: number,
    options: TcpListenOptions,
    onConnection: OnTcpConnection,
    host: TcpListeningHost,
  ) {
    this.port = port;
    this.address = options.address?.isUnspecified === false ? options.address : undefined;
    this.#host = host;
    this.#onConnection = onConnection;
    this.#onAddressGone = options.onAddressGone;
    this.#listener = new TcpListener({
      ...(options.backlog === undefined ? {} : { backlog: options.backlog }),
      callers: host.callers,
      makeConnection: (key, events, handshake) =>
        this.#makeConnection(key.tuple(), events, handshake),
      onConnection: () => this.#accept(),
    });
  }

  /** Whether packets with these headers are for it. */
  takes(header: IpHeader): boolean {
    const { destination0, destination1, destination2, destination3 } = header;
    return this.address?.matches(destination0, destination1, destination2, destination3) ?? true;
  }

  /** Takes a segment that belongs to no flow; `NO_SOCKET` asks for a reset. */
  fromBelow(packet: Buffer, header: IpHeader, key: FlowKey, now: Millis): Drop {
    const pseudoHeaderSum = incomingPseudoSum(header, IpProtocol.TCP);
    const { payloadAt, payloadLength } = header;
    return this.#listener.fromBelow(packet, payloadAt, payloadLength, pseudoHeaderSum, key, now);
  }

  /** Stops listening; connections that were accepted live on. May be called twice. */
  close(): void {
    this.#host.removeListening(this);
    this.#host.callers.forget(this.port, this.address);
    this.#listener.close();
  }

  /** Its address went away: stops listening, and tells. */
  lose(): void {
    this.close();
    this.#onAddressGone?.();
  }

  #makeConnection(
    tuple: FlowTuple,
    events: TcpEvents,
    handshake: HalfOpen,
  ): TcpConnection | undefined {
    const flow = this.#host.makeFlow(tuple, events, handshake);
    if (flow === undefined) return undefined;
    this.#flows.set(flow.connection, flow);
    return flow.connection;
  }

  #accept(): void {
    const connection = this.#listener.accept(NOBODY_YET);
    const flow = connection === undefined ? undefined : this.#flows.get(connection);
    if (connection === undefined || flow === undefined) return;
    const owner = this.#onConnection(connection, flow);
    flow.owner = owner;
    connection.events = owner;
  }
}

const NOBODY_YET: TcpEvents = {
  connected: () => {},
  readable: () => {},
  writable: () => {},
  closed: () => {},
};
