import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { BufferPool } from './buffer-pool.ts';
import type { FlowKey } from './flow-key.ts';
import { FlowTable } from './flow-table.ts';
import type { FlowTuple } from './flow-tuple.ts';
import { answerCaller, firstWindow } from './half-open-answer.ts';
import { type IpAddress, MAPPED } from './ip-address.ts';
import { PathMtus } from './path-mtu.ts';
import type { PacketSource } from './round-robin.ts';
import { SynQueue, type SynQueueHost } from './syn-queue.ts';
import { ChallengeBudget } from './tcp/challenge-budget.ts';
import { TcpConnection } from './tcp/connection.ts';
import type { HalfOpen, Opening } from './tcp/half-open.ts';
import { PacketSlab } from './tcp/packet-slab.ts';
import type { TcpEvents, TcpFailure } from './tcp/tcp-events.ts';
import { type TcpOptions, type TcpSettings, tcpSettings } from './tcp/tcp-options.ts';
import type { TcpPath } from './tcp/tcp-path.ts';
import { TcpFlow, type TcpFlowHost } from './tcp-flow.ts';
import { TimeWaits } from './time-wait.ts';
import { TimerQueue } from './timer-queue.ts';
import { TupleSecret } from './tuple-secret.ts';

/** Most flows at a time; what is half open, and what rests in TIME-WAIT, is counted apart. */
export const MAX_FLOWS = 65_536;

/** How large packets and segments may be. Unit: bytes. */
export interface TunnelSizes {
  /** Largest IP packet. */
  readonly mtu: number;
  /** Largest payload of a segment over IPv4 and IPv6; `Infinity` for no limit. */
  readonly mssLimit4: number;
  readonly mssLimit6: number;
}

/** What flows need of the netstack. */
export interface TcpFlowsOptions extends TunnelSizes {
  readonly random: RandomSource;
  readonly wakeSource: (source: PacketSource) => void;
  /** What every connection begins with. */
  readonly tcp?: Partial<TcpOptions>;
  /** Most flows at a time. Default: {@link MAX_FLOWS}. */
  readonly maxFlows?: number;
}

/**
 * The life of all flows: from their making over their deadlines to the moment they are done.
 *
 *     SYN ─▶ SynQueue ─ ACK ─▶ flow table ─ both FINs, all sent ─▶ TimeWaits ─ 60 s ─▶ nothing
 */
export class TcpFlows implements TcpFlowHost, SynQueueHost {
  mtu: number;
  readonly secret: TupleSecret;
  readonly pathMtus: PathMtus;
  readonly callers: SynQueue;
  readonly timeWaits: TimeWaits;
  readonly #options: TcpFlowsOptions;
  readonly #common: Partial<TcpOptions>;
  /** Those of a connection for which nothing else was chosen. */
  readonly #settings: TcpSettings;
  readonly #table: FlowTable<TcpFlow>;
  readonly #timers = new TimerQueue<TcpFlow>();
  #limits: Omit<TunnelSizes, 'mtu'>;
  #touched: TcpFlow[] = [];

  constructor(options: TcpFlowsOptions) {
    const { random, wakeSource } = options;
    const common = {
      ...options.tcp,
      slab: new PacketSlab(),
      pool: options.tcp?.pool ?? new BufferPool(),
      challenges: new ChallengeBudget(random),
    };
    this.mtu = options.mtu;
    this.secret = new TupleSecret(random);
    this.pathMtus = new PathMtus(options.mtu);
    this.#options = options;
    this.#limits = options;
    this.#common = common;
    this.#settings = tcpSettings({ initialSequence: 0, timestampOffset: 0, ...common });
    this.#table = new FlowTable(random.uint32());
    this.callers = new SynQueue(random.uint32(), this);
    this.timeWaits = new TimeWaits(random.uint32(), this.#settings.timeWaitMs, wakeSource);
  }

  /** Connections, those in TIME-WAIT included. */
  get size(): number {
    return this.#table.size + this.timeWaits.size;
  }

  get full(): boolean {
    return this.#table.size >= (this.#options.maxFlows ?? MAX_FLOWS);
  }

  get synAckRetries(): number {
    return this.#settings.synAckRetries;
  }

  get timestamps(): boolean {
    return this.#settings.timestamps;
  }

  get exhausted(): boolean {
    return this.#settings.pool.free === 0;
  }

  get firstWindow(): number {
    return firstWindow(this.#settings);
  }

  find(key: FlowKey): TcpFlow | undefined {
    return this.#table.find(key);
  }

  /** Whether nobody has the tuple now: no flow, no caller, nothing in TIME-WAIT. */
  isFree(key: FlowKey): boolean {
    return this.#table.find(key) === undefined && !this.timeWaits.has(key);
  }

  /** Whether a connection of ours may be made on the tuple, by one who insists. */
  mayConnect(key: FlowKey, now: Millis): boolean {
    return this.#table.find(key) === undefined && this.timeWaits.mayReuse(key, now);
  }

  /** The numbers of a new connection, whose tuple rests no longer. */
  opening(key: FlowKey, now: Millis): Opening {
    const initialSequence = this.timeWaits.succeed(key, this.secret.initialSequence(key, now));
    return { initialSequence, timestampOffset: this.secret.timestampOffset(key) };
  }

  answer(kind: 'syn-ack' | 'ack', key: FlowKey, caller: HalfOpen, now: Millis): Buffer {
    const isIpv4 = key.remote2 === MAPPED && key.remote0 === 0 && key.remote1 === 0;
    const limits = { mtu: this.mtu, mssLimit: this.#mssLimit(isIpv4 ? 4 : 6) };
    return answerCaller(kind, key, caller, this.#settings, limits, now);
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
    chosen: Partial<TcpOptions>,
    opening: Opening,
  ): TcpFlow {
    const { initialSequence, timestampOffset } = opening;
    const options = { ...this.#common, ...chosen, initialSequence, timestampOffset };
    const mssLimit = this.#mssLimit(tuple.localAddress.family);
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

  /**
   * Looks at the deadline of a flow that was touched. Forgets it when it is done; of one in
   * TIME-WAIT only a record stays, once all is sent.
   */
  settle(flow: TcpFlow, now: Millis): void {
    if (flow.gone) return;
    const { done, resting } = flow.connection;
    if (!done && resting === undefined) {
      this.#timers.schedule(flow, flow.connection.nextTimeout());
      return;
    }
    this.remove(flow);
    if (resting !== undefined) this.timeWaits.add(flow.key, resting, now);
  }

  remove(flow: TcpFlow): void {
    flow.gone = true;
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
      this.settle(flow, now);
      flow.wake();
    }
  }

  nextTimeout(): Millis {
    const records = Math.min(this.callers.nextTimeout(), this.timeWaits.nextTimeout());
    return Math.min(this.#timers.nextAt, records);
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
      this.settle(flow, now);
    }
    this.callers.onTimeout(now);
    this.timeWaits.onTimeout(now);
  }

  /** The tunnel has another MTU, or new connections another limit to their segments. */
  resize({ mtu, ...limits }: TunnelSizes, now: Millis): void {
    this.#limits = limits;
    if (mtu === this.mtu) return;
    this.mtu = mtu;
    this.pathMtus.linkMtu = mtu;
    for (const flow of this.#table.all()) {
      flow.connection.linkMtuChanged(now);
      this.settle(flow, now);
    }
  }

  /** Ends the flows from addresses that are not ours any more: their owners hear `address-gone`. */
  endStrangers(owns: (address: IpAddress) => boolean): void {
    const strangers = [...this.#table.all()].filter(({ localAddress }) => !owns(localAddress));
    for (const flow of strangers) this.#end(flow, 'address-gone');
  }

  /** Packets get through again, after a while in which none did: nobody waits for a timer. */
  resume(now: Millis): void {
    for (const flow of this.#table.all()) {
      flow.connection.pathIsBack(now);
      this.settle(flow, now);
      flow.wake();
    }
  }

  /** Ends all flows: their owners hear `network-unreachable`. New ones may follow. */
  stop(): void {
    for (const flow of this.#table.all()) this.#end(flow, 'network-unreachable');
    this.#touched = [];
    this.callers.clear();
    this.timeWaits.clear();
    this.pathMtus.clear();
  }

  #end(flow: TcpFlow, failure: TcpFailure): void {
    const { connection, owner } = flow;
    if (owner !== undefined) connection.events = new NetworkGone(connection.events, failure);
    connection.abort();
    this.remove(flow);
  }

  #mssLimit(family: 4 | 6): number {
    return family === 4 ? this.#limits.mssLimit4 : this.#limits.mssLimit6;
  }
}

/** Tells the owner that it was the network which ended, not the owner itself. */
class NetworkGone implements TcpEvents {
  readonly #owner: TcpEvents;
  readonly #failure: TcpFailure;

  constructor(owner: TcpEvents, failure: TcpFailure) {
    this.#owner = owner;
    this.#failure = failure;
  }

  connected(): void {}
  readable(): void {}
  writable(): void {}

  closed(): void {
    this.#owner.closed(this.#failure);
  }
}
