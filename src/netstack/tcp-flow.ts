import type { Millis } from '../core/machine.ts';
import { FlowKey } from './flow-key.ts';
import type { Keyed } from './flow-table.ts';
import type { FlowTuple } from './flow-tuple.ts';
import type { IpAddress } from './ip-address.ts';
import { IpPath } from './ip-path.ts';
import type { PathMtus } from './path-mtu.ts';
import type { PacketSource } from './round-robin.ts';
import type { TcpConnection } from './tcp/connection.ts';
import type { TcpEvents } from './tcp/tcp-events.ts';
import type { TcpPath } from './tcp/tcp-path.ts';
import type { Timed } from './timer-queue.ts';

/** What a flow needs of those who keep it. */
export interface TcpFlowHost {
  /** Largest IP packet. Unit: bytes. */
  readonly mtu: number;
  /** What is known of the paths. */
  readonly pathMtus: PathMtus;
  /** The flow has something to send. */
  wakeSource(source: PacketSource): void;
  /** The flow was touched: its deadline may have changed, or it is done. */
  settle(flow: TcpFlow, now: Millis): void;
}

/**
 * One TCP connection in the netstack: its tuple, its place in the flow table, in the timer queue
 * and in the turn of senders, and the path that it sends on.
 */
export class TcpFlow implements FlowTuple, TcpPath, PacketSource, Timed, Keyed<TcpFlow> {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  readonly key: FlowKey;
  readonly mtu: number;
  readonly mssLimit: number;
  readonly ipHeaderBytes: number;
  readonly pseudoHeaderSum: number;
  readonly connection: TcpConnection;
  /** Who owns the connection; undefined while it waits to be accepted. */
  owner: TcpEvents | undefined;
  /** Whether it received something in this burst. */
  touched = false;
  /** It was forgotten: its connection is done, or rests. */
  gone = false;
  nextInBucket: TcpFlow | undefined;
  nextInTurn: PacketSource | undefined;
  inTurn = false;
  queuedAt: Millis = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #path: IpPath;
  readonly #host: TcpFlowHost;

  /**
   * @param mssLimit see {@link TcpPath.mssLimit}
   * @param makeConnection called once, with the finished flow as the connection's path
   */
  constructor(
    tuple: FlowTuple,
    host: TcpFlowHost,
    mssLimit: number,
    owner: TcpEvents | undefined,
    makeConnection: (path: TcpPath) => TcpConnection,
  ) {
    this.localAddress = tuple.localAddress;
    this.localPort = tuple.localPort;
    this.remoteAddress = tuple.remoteAddress;
    this.remotePort = tuple.remotePort;
    this.key = new FlowKey().readTuple(tuple);
    this.mtu = host.mtu;
    this.mssLimit = mssLimit;
    this.owner = owner;
    this.#path = new IpPath(tuple.localAddress, tuple.remoteAddress, this.key.hash(0));
    this.ipHeaderBytes = this.#path.ipHeaderBytes;
    this.pseudoHeaderSum = this.#path.pseudoHeaderSum;
    this.#host = host;
    this.connection = makeConnection(this);
  }

  finish(packet: Buffer): void {
    this.#path.finish(packet);
  }

  knownMtu(now: Millis): number {
    return this.#host.pathMtus.mtuTo(this.remoteAddress, now);
  }

  mtuKnownUntil(now: Millis): Millis {
    return this.#host.pathMtus.knownUntil(this.remoteAddress, now);
  }

  lowerMtu(mtu: number, now: Millis, age: Millis): void {
    this.#host.pathMtus.lower(this.remoteAddress, mtu, now, age);
  }

  wake(): void {
    this.#host.wakeSource(this);
  }

  takeDown(now: Millis): Buffer | undefined {
    const packet = this.connection.takeDown(now);
    this.#host.settle(this, now);
    return packet;
  }
}
