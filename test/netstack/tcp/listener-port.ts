import type { Drop, Millis } from '../../../src/core/machine.ts';
import { FlowKey } from '../../../src/netstack/flow-key.ts';
import { answerCaller, firstWindow } from '../../../src/netstack/half-open-answer.ts';
import type { PacketSource } from '../../../src/netstack/round-robin.ts';
import { SynQueue } from '../../../src/netstack/syn-queue.ts';
import { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import type { HalfOpen } from '../../../src/netstack/tcp/half-open.ts';
import { TcpListener } from '../../../src/netstack/tcp/listener.ts';
import { Segment } from '../../../src/netstack/tcp/segment.ts';
import { type TcpOptions, tcpSettings } from '../../../src/netstack/tcp/tcp-options.ts';
import { address } from '../../sim/netstack-pair.ts';
import { buildSegment, type Extras } from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp-pair.ts';

/** Initial sequence numbers: ours and the callers'. */
export const OURS = 0xffff_ffff;
export const THEIRS = 0x7fff_ffff;
const LIMITS = { mtu: 1400, mssLimit: Number.POSITIVE_INFINITY };

/** A listener, whose callers are numbers; the connections that it made, and what it sent itself. */
export class Port {
  readonly connections = new Map<number, TcpConnection>();
  readonly callers: SynQueue;
  readonly listener: TcpListener;
  readonly sent: string[] = [];
  announced = 0;
  full = false;
  exhausted = false;
  now: Millis = 0;
  /** What it sent last by itself. */
  lastSegment: Segment = new Segment();

  constructor(backlog?: number, options: Partial<TcpOptions> = {}) {
    const numbers = { initialSequence: OURS, timestampOffset: 0 };
    const settings = tcpSettings({ ...numbers, ...options });
    const isExhausted = () => this.exhausted;
    this.callers = new SynQueue(1, {
      get exhausted() {
        return isExhausted();
      },
      synAckRetries: settings.synAckRetries,
      timestamps: settings.timestamps,
      firstWindow: firstWindow(settings),
      opening: () => numbers,
      answer: (kind: 'syn-ack' | 'ack', key: FlowKey, caller: HalfOpen, now: Millis) =>
        answerCaller(kind, key, caller, settings, LIMITS, now),
      wakeSource: (source: PacketSource) => this.#send(source),
    });
    this.listener = new TcpListener({
      ...(backlog === undefined ? {} : { backlog }),
      callers: this.callers,
      makeConnection: (key, events, handshake) => {
        if (this.full) return undefined;
        const { initialSequence, timestampOffset } = handshake;
        const made = { ...options, initialSequence, timestampOffset };
        const connection = new TcpConnection(testPath(), events, made);
        this.connections.set(key.remotePort, connection);
        return connection;
      },
      onConnection: () => {
        this.announced += 1;
      },
    });
  }

  /** A segment of `caller`, at distances from both initial sequence numbers. */
  feed(caller: number, flags: string, sequence: number, ack: number, extras: Extras = {}): Drop {
    const packet = buildSegment(flags, (THEIRS + sequence) >>> 0, (OURS + ack) >>> 0, extras);
    const length = packet.length - IP_HEADER_BYTES;
    const { listener, now } = this;
    const key = this.key(caller);
    return listener.fromBelow(packet, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM, key, now);
  }

  knock(caller: number, flags = 'S', extras: Extras = {}): Drop {
    return this.feed(caller, flags, 0, 0, extras);
  }

  /** The handshake's last segment. */
  finish(caller: number, extras: Extras = {}): Drop {
    const drop = this.feed(caller, 'A', 1, 1, extras);
    this.connections.get(caller)?.endOfBurst(this.now);
    return drop;
  }

  key(caller: number): FlowKey {
    return new FlowKey().readTuple({
      localAddress: address('10.8.0.1'),
      localPort: 80,
      remoteAddress: address('10.8.0.2'),
      remotePort: caller,
    });
  }

  /** Lets time pass, stopping at each deadline. */
  pass(duration: Millis): void {
    const end = this.now + duration;
    while (this.callers.nextTimeout() <= end) {
      this.now = Math.max(this.now, this.callers.nextTimeout());
      this.callers.onTimeout(this.now);
    }
    this.now = end;
  }

  /** What was sent since the last call: `caller flags sequence/acknowledgment`. */
  takeSent(): string[] {
    return this.sent.splice(0);
  }

  #send(source: PacketSource): void {
    for (;;) {
      const packet = source.takeDown(this.now);
      if (packet === undefined) return;
      const segment = new Segment();
      this.lastSegment = segment;
      segment.read(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES);
      const flags = segment.flags === 0x12 ? 'SA' : segment.flags === 0x10 ? 'A' : '?';
      const sequence = (segment.sequence - OURS) | 0;
      const acknowledgment = (segment.acknowledgment - THEIRS) | 0;
      this.sent.push(`${segment.destinationPort} ${flags} ${sequence}/${acknowledgment}`);
    }
  }
}
