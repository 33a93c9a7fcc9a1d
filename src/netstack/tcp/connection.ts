import { Drop, type Millis } from '../../core/machine.ts';
import { serialDiff } from '../../core/serial.ts';
import type { HalfOpen } from './half-open.ts';
import { acceptSyn, replayHandshake } from './handshake.ts';
import { arrive } from './input.ts';
import type { Resting } from './newer-syn.ts';
import { nextPacket } from './output.ts';
import { endBurst } from './receive-text.ts';
import { segmentIsIntact } from './segment.ts';
import { linkMtuChanged, reviewSegmentSize, tooBig } from './segment-size.ts';
import { mayReceive, maySend, TcpState } from './state.ts';
import { Tcb } from './tcb.ts';
import type { TcpEvents } from './tcp-events.ts';
import { type TcpInfo, tcpInfo } from './tcp-info.ts';
import type { KeepAliveOptions, TcpOptions } from './tcp-options.ts';
import type { TcpPath } from './tcp-path.ts';
import { resumeAfterOutage, runTimers } from './timeouts.ts';
import { Timer } from './timers.ts';

/**
 * One TCP connection (RFC 9293): segments in, segments out, a stream of bytes each way. It has no
 * clock and no socket: its owner feeds it, asks it for packets, and calls `onTimeout`.
 */
export class TcpConnection {
  readonly #tcb: Tcb;

  constructor(path: TcpPath, events: TcpEvents, options: TcpOptions) {
    this.#tcb = new Tcb(path, events, options);
  }

  get state(): TcpState {
    return this.#tcb.state;
  }

  /** CLOSED, and nothing left to send: its flow can be forgotten. */
  get done(): boolean {
    return this.#tcb.state === TcpState.CLOSED && !this.#tcb.resetOwed;
  }

  /** What its owner must remember of it in its stead: TIME-WAIT has begun, and all is sent. */
  get resting(): Resting | undefined {
    const { state, acks, resetOwed } = this.#tcb;
    const rests = state === TcpState.TIME_WAIT && !acks.due && !resetOwed;
    return rests ? this.#tcb.resting : undefined;
  }

  /** The peer's FIN was reached, and all before it read. */
  get ended(): boolean {
    return this.#tcb.receiver.finPassed && this.#tcb.receiver.unread === 0;
  }

  get events(): TcpEvents {
    return this.#tcb.events;
  }

  /** Who hears of it from now on: a listener hands a connection over so. */
  set events(events: TcpEvents) {
    this.#tcb.events = events;
  }

  /** Opens actively. Call once, before anything else. */
  connect(now: Millis): void {
    this.#tcb.keepAlive.heard(now);
    this.#tcb.step('active-open');
    this.#tcb.path.wake();
  }

  /** Opens passively, by a SYN without ACK and RST whose checksum is right. Call once. */
  accept(syn: Buffer, tcpOffset: number, now: Millis): void {
    const tcb = this.#tcb;
    tcb.incoming.read(syn, tcpOffset, syn.length - tcpOffset);
    tcb.keepAlive.heard(now);
    acceptSyn(tcb, syn, now);
    tcb.path.wake();
  }

  /** Opens passively for a caller whose SYN was answered before. Call once. */
  resume(caller: HalfOpen, now: Millis): void {
    this.#tcb.keepAlive.heard(now);
    replayHandshake(this.#tcb, caller);
    this.#tcb.path.wake();
  }

  /** Takes one segment of this connection; slices of `packet` are kept. */
  fromBelow(packet: Buffer, tcpOffset: number, tcpLength: number, now: Millis): Drop {
    const tcb = this.#tcb;
    if (!tcb.incoming.read(packet, tcpOffset, tcpLength)) return Drop.MALFORMED;
    if (!segmentIsIntact(packet, tcpOffset, tcpLength, tcb.path.pseudoHeaderSum)) {
      return Drop.BAD_CHECKSUM;
    }
    tcb.segmentsReceived += 1;
    const drop = arrive(tcb, packet, now);
    if (tcb.connectedPending) {
      tcb.connectedPending = false;
      tcb.events.connected();
    }
    return drop;
  }

  /**
   * A router or the peer's host says that a segment of ours did not get through. It ends a
   * handshake; later it only explains a timeout (RFC 5927 §4.1).
   */
  icmpError(kind: 'unreachable' | 'network-unreachable' | 'refused', quotedSequence: number): void {
    const tcb = this.#tcb;
    if (!this.#isInFlight(quotedSequence)) return;
    const opening = tcb.state === TcpState.SYN_SENT || tcb.state === TcpState.SYN_RECEIVED;
    if (opening) tcb.delete(kind);
    else tcb.softFailure = kind === 'refused' ? 'unreachable' : kind;
  }

  /** A router says that our packet was longer than `mtu`. Only what is in flight is believed. */
  pathMtu(mtu: number, quotedSequence: number, now: Millis): void {
    if (this.#isInFlight(quotedSequence)) tooBig(this.#tcb, mtu, quotedSequence, now);
  }

  /** The path's `knownMtu` is another one from now on. */
  linkMtuChanged(now: Millis): void {
    const { state } = this.#tcb;
    if (maySend(state) || mayReceive(state)) linkMtuChanged(this.#tcb, now);
  }

  /** Packets get through again, after a while in which none did: what waits for a timer goes at once. */
  pathIsBack(now: Millis): void {
    resumeAfterOutage(this.#tcb, now);
  }

  /** All that came together has been fed: tells the owner, and decides about acknowledgements. */
  endOfBurst(now: Millis): void {
    reviewSegmentSize(this.#tcb, now);
    endBurst(this.#tcb, now);
  }

  /** The next whole IP packet; undefined when nothing may be sent now. */
  takeDown(now: Millis): Buffer | undefined {
    return nextPacket(this.#tcb, now);
  }

  nextTimeout(): Millis {
    return this.#tcb.timers.next();
  }

  onTimeout(now: Millis): void {
    runTimers(this.#tcb, now);
  }

  /**
   * Takes `chunk` to send it, and keeps it without a copy. False: the buffer is above its mark,
   * wait for `writable`. After `shutdown`, or when it is closed, `chunk` is dropped.
   */
  write(chunk: Buffer): boolean {
    const tcb = this.#tcb;
    if (tcb.finishing || !mayWrite(tcb.state)) return false;
    tcb.sender.buffer.append(chunk);
    tcb.path.wake();
    tcb.writerWaits = tcb.sender.buffer.charge >= tcb.sender.mark;
    return !tcb.writerWaits;
  }

  /** The next bytes received; undefined when there are none now, or when all was read. */
  read(): Buffer | undefined {
    const tcb = this.#tcb;
    const chunk = tcb.receiver.read();
    if (chunk !== undefined && mayReceive(tcb.state)) this.#offerWindow();
    return chunk;
  }

  /** Ends our direction: a FIN follows what was written. */
  shutdown(): void {
    const tcb = this.#tcb;
    if (tcb.finishing || tcb.state === TcpState.CLOSED) return;
    tcb.finishing = true;
    tcb.sender.buffer.finish();
    if (maySend(tcb.state)) tcb.step('close');
    tcb.path.wake();
  }

  /**
   * The application is gone: `shutdown`, or a RST where it left data unread. What still comes is
   * answered with a RST, and the peer's FIN is awaited for a minute at most.
   */
  close(): void {
    const tcb = this.#tcb;
    tcb.orphaned = true;
    if (tcb.receiver.unread > 0 || tcb.state === TcpState.SYN_SENT) this.abort();
    else this.shutdown();
    tcb.receiver.discard();
    tcb.path.wake();
  }

  /** Ends both directions at once, with a RST. */
  abort(): void {
    this.#tcb.abort('aborted');
    this.#tcb.path.wake();
  }

  /** Whether small segments are sent at once. */
  setNoDelay(on: boolean): void {
    this.#tcb.sender.noDelay = on;
    this.#tcb.path.wake();
  }

  setKeepAlive(options: KeepAliveOptions): void {
    const { keepAlive, timers, path, state } = this.#tcb;
    keepAlive.configure(options);
    if (options.enabled && state !== TcpState.CLOSED) {
      timers.set(Timer.KEEPALIVE, keepAlive.deadline);
    } else timers.clear(Timer.KEEPALIVE);
    path.wake();
  }

  info(): TcpInfo {
    return tcpInfo(this.#tcb);
  }

  #offerWindow(): void {
    const { receiver, acks, path, localMss } = this.#tcb;
    if (acks.due || !receiver.owesWindowUpdate(localMss)) return;
    acks.sendSoon();
    path.wake();
  }

  #isInFlight(sequence: number): boolean {
    const { sndUna, inFlight } = this.#tcb.sender;
    const offset = serialDiff(sequence, sndUna);
    return offset >= 0 && offset < inFlight;
  }
}

/** Whether data may be written: before the handshake is over, too. */
function mayWrite(state: TcpState): boolean {
  return maySend(state) || state === TcpState.SYN_SENT || state === TcpState.SYN_RECEIVED;
}
