import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { FlowKey } from './flow-key.ts';
import { FlowTable } from './flow-table.ts';
import type { FlowTuple } from './flow-tuple.ts';
import type { PacketSource } from './round-robin.ts';
import { TcpConnection } from './tcp/connection.ts';
import { PacketSlab } from './tcp/packet-slab.ts';
import type { TcpEvents } from './tcp/tcp-events.ts';
import type { TcpPath } from './tcp/tcp-path.ts';
import { TcpFlow, type TcpFlowHost } from './tcp-flow.ts';
import { TimerQueue } from './timer-queue.ts';
import { TupleSecret } from './tuple-secret.ts';

/** Most flows at a time, those in TIME-WAIT included. */
export const MAX_FLOWS = 65_536;

/** What flows need of the netstack. */
export interface TcpFlowsOptions {
  readonly random: RandomSource;
  /** Largest IP packet. Unit: bytes. */
  readonly mtu: number;
  /** Largest payload of a segment over IPv4 and IPv6; `Infinity` for no limit. */
  readonly mssLimit4: number;
  readonly mssLimit6: number;
  readonly wakeSource: (source: PacketSource) => void;
}

/** The life of all flows: from their making over their deadlines to the moment they are done. */
export class TcpFlows implements TcpFlowHost {
  readonly mtu: number;
  readonly secret: TupleSecret;
  readonly #options: TcpFlowsOptions;
  readonly #slab = new PacketSlab();
  readonly #table: FlowTable<TcpFlow>;
  readonly #timers = new TimerQueue<TcpFlow>();
  #touched: TcpFlow[] = [];

  constructor(options: TcpFlowsOptions) {
    this.mtu = options.mtu;
    this.secret = new TupleSecret(options.random);
    this.#options = options;
    this.#table = new FlowTable(options.random.uint32());
  }

  get size(): number {
    return this.#table.size;
  }

  get full(): boolean {
    return this.#table.size >= MAX_FLOWS;
  }

  find(key: FlowKey): TcpFlow | undefined {
    return this.#table.find(key);
  }

  /**
   * Makes a flow and enters it; its tuple is not there yet.
   *
   * @param owner who hears of it; undefined while it waits to be accepted
   * @param events what the connection calls at first
   */
  make(
    tuple: FlowTuple,
    owner: TcpEvents | undefined,
    events: TcpEvents,
    noDelay: boolean,
    now: Millis,
  ): TcpFlow {
    const { random, mssLimit4, mssLimit6 } = this.#options;
    const { localAddress, localPort, remoteAddress, remotePort } = tuple;
    const initialSequence = this.secret.initialSequence(
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
      now,
    );
    const options = {
      initialSequence,
      timestampOffset: random.uint32(),
      noDelay,
      slab: this.#slab,
    };
    const mssLimit = localAddress.family === 4 ? mssLimit4 : mssLimit6;
    const makeConnection = (path: TcpPath) => new TcpConnection(path, events, options);
    const flow = new TcpFlow(tuple, this, mssLimit, owner, makeConnection);
    this.#table.add(flow);
    this.touch(flow);
    return flow;
  }

  /** Notes that `flow` received something: its end of burst is due. */
  touch(flow: TcpFlow): void {
    if (flow.touched) return;
    flow.touched = true;
    this.#touched.push(flow);
  }

  wakeSource(source: PacketSource): void {
    this.#options.wakeSource(source);
  }

  /** Looks at the deadline of a flow that was touched, and forgets it when it is done. */
  settle(flow: TcpFlow): void {
    if (flow.connection.done) this.remove(flow);
    else this.#timers.schedule(flow, flow.connection.nextTimeout());
  }

  remove(flow: TcpFlow): void {
    this.#table.remove(flow);
    this.#timers.remove(flow);
  }

  endOfBurst(now: Millis): void {
    if (this.#touched.length === 0) return;
    const touched = this.#touched;
    this.#touched = [];
    for (const flow of touched) {
      flow.touched = false;
      flow.connection.endOfBurst(now);
      this.settle(flow);
      flow.wake();
    }
  }

  nextTimeout(): Millis {
    return this.#timers.nextAt;
  }

  onTimeout(now: Millis): void {
    const due: TcpFlow[] = [];
    for (let flow = this.#timers.takeDue(now); flow; flow = this.#timers.takeDue(now)) {
      due.push(flow);
    }
    for (const flow of due) {
      if (flow.connection.nextTimeout() <= now) {
        flow.connection.onTimeout(now);
        flow.wake();
      }
      this.settle(flow);
    }
  }

  /** Ends all flows: their owners hear `network-unreachable`. */
  stop(): void {
    for (const flow of this.#table.all()) {
      const { connection, owner } = flow;
      if (owner !== undefined) connection.events = new NetworkGone(owner);
      connection.abort();
      this.remove(flow);
    }
    this.#touched = [];
  }
}

/** Tells the owner that it was the network which ended, not the owner itself. */
class NetworkGone implements TcpEvents {
  readonly #owner: TcpEvents;

  constructor(owner: TcpEvents) {
    this.#owner = owner;
  }

  connected(): void {}
  readable(): void {}
  writable(): void {}

  closed(): void {
    this.#owner.closed('network-unreachable');
  }
}
