import type { Millis } from '../../core/machine.ts';
import { BufferPool } from '../buffer-pool.ts';
import { SEGMENTS_PER_ACK } from './ack-schedule.ts';
import type { ChallengeBudget } from './challenge-budget.ts';
import { type CongestionChoice, type MakeCongestion, makeCongestion } from './congestion-choice.ts';
import type { PacketSlab } from './packet-slab.ts';

/** When an idle connection is asked whether it still lives. */
export interface KeepAliveOptions {
  readonly enabled: boolean;
  /** Silence before the first probe. Default: 7,200,000. */
  readonly idleMs?: Millis;
  /** Time between probes. Default: 75,000. */
  readonly intervalMs?: Millis;
  /** Unanswered probes after which the connection has timed out. Default: 9. */
  readonly count?: number;
}

/** What may be chosen for one connection. Sizes are bytes. */
export interface TcpOptions {
  /** RFC 6528: hard to guess, rising for the same tuple. */
  readonly initialSequence: number;
  /** Random number per connection that hides how long we run (RFC 7323 §5.4). */
  readonly timestampOffset: number;
  /** Congestion control. Default: `cubic`. */
  readonly congestion?: CongestionChoice;
  /** Where packets are cut from; share one among all connections. Default: Node's small pool. */
  readonly slab?: PacketSlab | undefined;
  /** Memory for what was received; share one among all connections. Default: one of its own. */
  readonly pool?: BufferPool | undefined;
  /** Limits answers to senseless segments; share one among all connections. Default: none. */
  readonly challenges?: ChallengeBudget | undefined;
  /** Unread bytes that may wait at first. Default: 262,144. */
  readonly receiveBufferBytes?: number;
  /** How far that grows with the rate at which the application reads. Default: 8,388,608. */
  readonly maxReceiveBufferBytes?: number;
  /** Mark above which `write` returns false, at first. Default: 262,144. */
  readonly sendBufferBytes?: number;
  /** How far that grows with the congestion window. Default: 6,291,456. */
  readonly maxSendBufferBytes?: number;
  /** Upper limit for our and the peer's segments. Default: what the path allows. */
  readonly mss?: number;
  /** Sends small segments at once, without Nagle's wait. Default: false. */
  readonly noDelay?: boolean;
  /** Offers RFC 7323 timestamps. Default: true. */
  readonly timestamps?: boolean;
  /** Offers RFC 2018 selective acknowledgements. Default: true. */
  readonly sack?: boolean;
  /** Offers RFC 7323 window scaling. Default: true. */
  readonly windowScaling?: boolean;
  /** Offers RFC 3168 congestion notification. Default: false. */
  readonly ecn?: boolean;
  /** Segments of a burst that one acknowledgement may cover: 2 to 16. Default: 16. */
  readonly ackEvery?: number;
  /** How long an acknowledgement may wait for company. Default: 40. */
  readonly delayedAckMs?: Millis;
  /** How long data may stay unacknowledged (RFC 5482). Default: 300,000. */
  readonly userTimeoutMs?: Millis;
  /** 2 MSL. Default: 60,000. */
  readonly timeWaitMs?: Millis;
  /** How long a closed socket waits for the peer's end. Default: 60,000. */
  readonly finWaitMs?: Millis;
  /** Resends of a SYN. Default: 6 (123 s). */
  readonly synRetries?: number;
  /** Resends of a SYN-ACK. Default: 4 (31 s). */
  readonly synAckRetries?: number;
}

/** {@link TcpOptions} with the defaults filled in. */
export type TcpSettings = Readonly<Required<Omit<TcpOptions, 'congestion'>>> & {
  readonly pool: BufferPool;
  readonly congestion: MakeCongestion;
};

/** Window scaling is chosen so that a window of this size can be told (RFC 7323 §2.3). */
export const LARGEST_WINDOW: number = 8 * 1024 * 1024;

export function tcpSettings(options: TcpOptions): TcpSettings {
  return {
    initialSequence: options.initialSequence >>> 0,
    timestampOffset: options.timestampOffset >>> 0,
    congestion: makeCongestion(options.congestion ?? 'cubic'),
    slab: options.slab,
    challenges: options.challenges,
    pool: options.pool ?? new BufferPool(),
    receiveBufferBytes: options.receiveBufferBytes ?? 256 * 1024,
    maxReceiveBufferBytes: Math.max(
      options.maxReceiveBufferBytes ?? 8 * 1024 * 1024,
      options.receiveBufferBytes ?? 0,
    ),
    sendBufferBytes: options.sendBufferBytes ?? 256 * 1024,
    maxSendBufferBytes: options.maxSendBufferBytes ?? 6 * 1024 * 1024,
    mss: options.mss ?? Number.POSITIVE_INFINITY,
    noDelay: options.noDelay ?? false,
    timestamps: options.timestamps ?? true,
    sack: options.sack ?? true,
    windowScaling: options.windowScaling ?? true,
    ecn: options.ecn ?? false,
    ackEvery: options.ackEvery ?? SEGMENTS_PER_ACK,
    delayedAckMs: options.delayedAckMs ?? 40,
    userTimeoutMs: options.userTimeoutMs ?? 300_000,
    timeWaitMs: options.timeWaitMs ?? 60_000,
    finWaitMs: options.finWaitMs ?? 60_000,
    synRetries: options.synRetries ?? 6,
    synAckRetries: options.synAckRetries ?? 4,
  };
}
