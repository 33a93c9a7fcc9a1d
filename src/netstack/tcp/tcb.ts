import type { Millis } from '../../core/machine.ts';
import { AckSchedule } from './ack-schedule.ts';
import { ChallengeLimit } from './challenge.ts';
import { Ecn } from './ecn.ts';
import { TIMESTAMPS_BYTES } from './header-options.ts';
import { KeepAlive } from './keep-alive.ts';
import type { Resting } from './newer-syn.ts';
import { OUR_WINDOW_SHIFT, Receiver } from './receiver.ts';
import { Segment, TCP_HEADER_BYTES } from './segment.ts';
import { beginSegmentSize } from './segment-size.ts';
import { Sender } from './sender.ts';
import { nextState, TcpState, type TcpStep } from './state.ts';
import type { TcpEvents, TcpFailure } from './tcp-events.ts';
import { type TcpOptions, type TcpSettings, tcpSettings } from './tcp-options.ts';
import type { TcpPath } from './tcp-path.ts';
import { Timer, Timers } from './timers.ts';
import { Timestamps } from './timestamps.ts';

/** What a peer that names no MSS takes (RFC 9293 §3.7.1), by the length of its IP header. */
const DEFAULT_MSS = { ipv4: 536, ipv6: 1220 } as const;
const IPV4_HEADER_BYTES = 20;
/** A peer's MSS below this would only make work (CVE-2019-11479). */
export const MIN_MSS = 216;

/** A transmission control block: the record of one connection, which its parts share. */
export class Tcb {
  readonly path: TcpPath;
  events: TcpEvents;
  readonly settings: TcpSettings;
  /** The MSS that we announce. */
  readonly localMss: number;
  readonly sender: Sender;
  readonly receiver: Receiver;
  readonly acks: AckSchedule;
  readonly timers: Timers = new Timers();
  readonly timestamps: Timestamps;
  readonly ecn: Ecn;
  readonly challenges: ChallengeLimit;
  readonly keepAlive: KeepAlive = new KeepAlive();
  readonly incoming: Segment = new Segment();
  readonly outgoing: Segment = new Segment();
  state: TcpState = TcpState.CLOSED;
  /** It began with the peer's SYN. */
  passive = false;
  /** The application will write nothing more. */
  finishing = false;
  /** The application is gone. */
  orphaned = false;
  /** Whether both sides scale windows; then by how much the peer does. */
  scaling: boolean;
  peerWindowShift = 0;
  /** Whether both sides permit SACK (RFC 2018). */
  sackAgreed: boolean;
  /** The newest acknowledgement number that we sent. */
  lastAckSent = 0;
  /** A RST waits to be sent, with this number; `resetAcknowledges`: and with an ACK. */
  resetOwed = false;
  resetSequence = 0;
  resetAcknowledges = false;
  /** A segment that asks for an answer waits to be sent. */
  probeOwed = false;
  persistBackoffs = 0;
  writerWaits = false;
  connectedPending = false;
  readablePending = false;
  /** What an ICMP error said, in case nothing better comes. */
  softFailure: TcpFailure | undefined = undefined;
  /** What segments may be long, by both ends and the link. */
  fullMss: number;
  /** When segments of that length may be tried again. */
  raiseMssAt: Millis = Number.POSITIVE_INFINITY;
  /** Packets of this length are tried, as longer ones got no answer; 0 for none. */
  suspectedMtu = 0;
  segmentsSent = 0;
  segmentsReceived = 0;
  #told = false;

  constructor(path: TcpPath, events: TcpEvents, options: TcpOptions) {
    const settings = tcpSettings(options);
    this.path = path;
    this.events = events;
    this.settings = settings;
    this.localMss = announcedMss(path, settings);
    this.fullMss = this.localMss;
    this.sender = new Sender(settings, this.localMss);
    this.receiver = new Receiver(settings);
    this.acks = new AckSchedule(settings.ackEvery);
    this.ecn = new Ecn(settings.ecn);
    this.timestamps = new Timestamps(settings.timestampOffset);
    this.challenges = new ChallengeLimit(settings.timestampOffset, settings.challenges);
    this.timestamps.agreed = settings.timestamps;
    this.scaling = settings.windowScaling;
    this.sackAgreed = settings.sack;
  }

  /** Whether both sides use congestion notification (RFC 3168). */
  get ecnAgreed(): boolean {
    return this.ecn.agreed;
  }

  step(step: TcpStep): void {
    this.state = nextState(this.state, step);
  }

  /** Takes what the peer's SYN in `incoming` says about both sides. */
  negotiate(now: Millis): void {
    const { sequence, window, acknowledgment, options } = this.incoming;
    this.receiver.begin(sequence);
    this.lastAckSent = this.receiver.rcvNxt;
    this.timestamps.agreed &&= options.hasTimestamps;
    if (this.timestamps.agreed) this.timestamps.keep(options.timestamp, now);
    this.sackAgreed &&= options.sackPermitted;
    this.ecn.negotiate(this.incoming.flags, this.passive);
    this.scaling &&= options.windowScale >= 0;
    this.peerWindowShift = this.scaling ? options.windowScale : 0;
    this.receiver.windowShift = this.scaling ? OUR_WINDOW_SHIFT : 0;
    this.sender.initWindow(sequence, acknowledgment, window);
    const isIpv4 = this.path.ipHeaderBytes === IPV4_HEADER_BYTES;
    const unnamed = isIpv4 ? DEFAULT_MSS.ipv4 : DEFAULT_MSS.ipv6;
    const peerMss = options.mss < 0 ? unnamed : Math.max(options.mss, MIN_MSS);
    this.sender.begin(beginSegmentSize(this, Math.min(this.localMss, peerMss), now));
  }

  /** What a segment carries beside the options that each one has. */
  payloadFor(mss: number): number {
    return Math.max(mss - (this.timestamps.agreed ? TIMESTAMPS_BYTES : 0), 1);
  }

  /** The peer's window in `incoming`, scaled. */
  get incomingWindow(): number {
    return this.incoming.window << this.peerWindowShift;
  }

  /** Sends a RST next. */
  oweReset(sequence: number, acknowledges: boolean): void {
    this.resetOwed = true;
    this.resetSequence = sequence;
    this.resetAcknowledges = acknowledges;
  }

  /** Ends the connection at once, with a RST where the peer knows of it. */
  abort(failure: TcpFailure): void {
    const { state } = this;
    if (state === TcpState.CLOSED) return;
    const known = state !== TcpState.SYN_SENT && state !== TcpState.TIME_WAIT;
    if (known) this.oweReset(this.sender.sndNxt, true);
    this.delete(failure);
  }

  /** Forgets the connection; its owner hears why. */
  delete(failure: TcpFailure | undefined): void {
    if (this.state !== TcpState.CLOSED) this.step('delete');
    this.release();
    this.tellClosed(failure);
  }

  /** Gives back what an ended connection does not need; unread data stays. */
  release(): void {
    this.timers.clearAll();
    this.sender.buffer.clear();
    this.sender.flight.clear();
    this.receiver.end();
  }

  /** What must be remembered of it in TIME-WAIT. */
  get resting(): Resting {
    return {
      sndNxt: this.sender.sndNxt,
      rcvNxt: this.receiver.rcvNxt,
      timestampsAgreed: this.timestamps.agreed,
      recentTimestamp: this.timestamps.recent,
      timestampOffset: this.settings.timestampOffset,
    };
  }

  enterTimeWait(now: Millis): void {
    this.release();
    this.timers.set(Timer.WAIT, now + this.settings.timeWaitMs);
    this.tellClosed(undefined);
  }

  /** Tells the owner, the first time. */
  tellClosed(failure: TcpFailure | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.writerWaits = false;
    this.connectedPending = false;
    this.tellReadable();
    this.events.closed(failure);
  }

  tellReadable(): void {
    if (!this.readablePending) return;
    this.readablePending = false;
    if (!this.orphaned) this.events.readable();
  }
}

/** The MSS that is told to a peer on `path` (RFC 9293 §3.7.1): of the link, whatever lies behind. */
export function announcedMss(
  path: Pick<TcpPath, 'mtu' | 'mssLimit' | 'ipHeaderBytes'>,
  settings: TcpSettings,
): number {
  const fits = path.mtu - path.ipHeaderBytes - TCP_HEADER_BYTES;
  return Math.max(Math.min(fits, path.mssLimit, settings.mss), 1);
}
