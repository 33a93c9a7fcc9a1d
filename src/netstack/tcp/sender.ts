import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import type { Congestion } from './congestion.ts';
import { Delivery } from './delivery.ts';
import { Flight } from './flight.ts';
import { LossProbe } from './loss-probe.ts';
import { MeasuredRound } from './measured-round.ts';
import { Nagle } from './nagle.ts';
import { Pacing } from './pacing.ts';
import { Rack } from './rack.ts';
import { Recovery } from './recovery.ts';
import { Rto } from './rto.ts';
import { Scoreboard } from './scoreboard.ts';
import { SendBuffer } from './send-buffer.ts';
import type { TcpSettings } from './tcp-options.ts';

/** What {@link Sender.choose} found; LATER: something, but its time has not come. */
export const Choice = { NOTHING: 0, RESEND: 1, NEW: 2, LATER: 3 } as const;
export type Choice = (typeof Choice)[keyof typeof Choice];

/**
 * The sending half: what is buffered, what is in flight, and what may go next.
 *
 *     acknowledged │ in flight        │ unsent            │ FIN
 *     ─────────────┼──────────────────┼───────────────────┼────▶ sequence
 *               sndUna             sndNxt             buffer.end
 */
export class Sender {
  readonly initialSequence: number;
  readonly buffer: SendBuffer;
  readonly flight: Flight = new Flight();
  readonly scoreboard: Scoreboard = new Scoreboard();
  readonly delivery: Delivery = new Delivery();
  readonly round: MeasuredRound = new MeasuredRound();
  readonly rack: Rack;
  readonly probe: LossProbe = new LossProbe();
  readonly pacing: Pacing = new Pacing();
  readonly rto: Rto = new Rto();
  congestion: Congestion;
  recovery: Recovery;
  readonly #settings: TcpSettings;
  sndUna: number;
  sndNxt: number;
  /** The peer's window, scaled. */
  sndWnd = 0;
  maxSndWnd = 0;
  #windowSequence = 0;
  #windowAck = 0;
  mss: number;
  noDelay: boolean;
  /** Lets the next segment be small, or waits no longer for a larger window (persist timer). */
  forced = false;
  #limitedUntil: number;
  readonly #nagle: Nagle;
  #lastSentAt: Millis = 0;
  /** What `choose` chose. */
  chosenSequence = 0;
  chosenLength = 0;
  chosenIndex = 0;
  retransmits = 0;
  /** Of these, reported by the peer as having come twice. */
  duplicatesReported = 0;
  timeouts = 0;
  /** Timeouts since something was acknowledged. */
  timeoutsInRow = 0;
  /** Payload sent for the first time. */
  bytesSent = 0;

  constructor(settings: TcpSettings, mss: number) {
    const { initialSequence } = settings;
    this.#settings = settings;
    this.initialSequence = initialSequence;
    this.buffer = new SendBuffer(serialAdd(initialSequence, 1));
    this.congestion = settings.congestion(mss);
    this.recovery = new Recovery(this.congestion, initialSequence);
    this.rack = new Rack(initialSequence);
    this.sndUna = initialSequence;
    this.sndNxt = initialSequence;
    this.mss = mss;
    this.noDelay = settings.noDelay;
    this.#limitedUntil = initialSequence;
    this.#nagle = new Nagle(initialSequence);
  }

  /** The peer's SYN came: segments may be `mss` long. */
  begin(mss: number): void {
    this.mss = mss;
    this.congestion = this.#settings.congestion(mss);
    this.recovery = new Recovery(this.congestion, this.initialSequence);
  }

  /** The handshake is over. */
  established(): void {
    if (this.timeouts === 0) return;
    this.congestion.onHandshakeLoss();
    this.rto.afterSynLoss();
  }

  get inFlight(): number {
    return serialDiff(this.sndNxt, this.sndUna);
  }

  /** Bytes that wait to be sent for the first time; -1 when the FIN is out too. */
  get unsent(): number {
    return serialDiff(this.buffer.end, this.sndNxt);
  }

  /** Whether data or the FIN waits to be sent for the first time. */
  get hasUnsent(): boolean {
    return this.unsent > 0 || (this.unsent === 0 && this.buffer.finished);
  }

  /** Whether our FIN was acknowledged. */
  get finAcknowledged(): boolean {
    return this.buffer.finished && serialLess(this.buffer.end, this.sndUna);
  }

  /** Mark above which a writer should wait. */
  get mark(): number {
    const { sendBufferBytes, maxSendBufferBytes } = this.#settings;
    return Math.min(Math.max(sendBufferBytes, 2 * this.congestion.cwnd), maxSendBufferBytes);
  }

  /** Estimate of what is on its way: neither lost nor arrived. */
  get pipe(): number {
    const { lostBytes, sackedBytes } = this.flight;
    const arrived = sackedBytes + this.recovery.duplicates.count * this.mss;
    return Math.max(this.inFlight - lostBytes - arrived, 0);
  }

  /** What was out and had not arrived before the acknowledgement in `delivery`. */
  get undelivered(): number {
    return this.inFlight - this.flight.sackedBytes + this.delivery.bytes;
  }

  /** What was in flight before loss was found: in the middle of a burst only the window tells. */
  get windowInUse(): number {
    const { cwnd } = this.congestion;
    return this.isLimited ? cwnd : Math.min(Math.max(this.inFlight, this.undelivered), cwnd);
  }

  /** Whether the window, and not the application, limits what was sent before `sndUna`. */
  get isLimited(): boolean {
    return serialLess(this.sndUna, this.#limitedUntil);
  }

  /** The peer told its window at `sequence` with `acknowledgment` (RFC 9293 §3.10.7.4). */
  updateWindow(sequence: number, acknowledgment: number, window: number): void {
    const older =
      serialLess(sequence, this.#windowSequence) ||
      (sequence === this.#windowSequence && serialLess(acknowledgment, this.#windowAck));
    if (!older) this.initWindow(sequence, acknowledgment, window);
  }

  initWindow(sequence: number, acknowledgment: number, window: number): void {
    this.sndWnd = window;
    if (window > this.maxSndWnd) this.maxSndWnd = window;
    this.#windowSequence = sequence;
    this.#windowAck = acknowledgment;
  }

  /** `acknowledgment` is new: after `sndUna`, at most `sndNxt`. */
  release(acknowledgment: number): void {
    if (!serialLess(acknowledgment, this.#limitedUntil)) this.#limitedUntil = acknowledgment;
    this.#nagle.release(acknowledgment);
    this.flight.acknowledge(acknowledgment, this.delivery);
    this.scoreboard.release(acknowledgment);
    this.buffer.release(acknowledgment);
    this.sndUna = acknowledgment;
    this.timeoutsInRow = 0;
  }

  /** Finds the next segment that may be sent: `chosenSequence`, `chosenLength`. */
  choose(now: Millis): Choice {
    if (this.probe.owed) return this.#chooseProbe(now);
    const lost = this.flight.nextLost();
    if (lost < 0) return this.#chooseNew(now);
    if (this.recovery.spurious.probesWithNewData) {
      if (this.#newLength() > 0) return this.#chooseNew(now);
      this.recovery.spurious.end();
    }
    return this.#chooseLost(lost);
  }

  /** What `choose` chose is on its way, with `timestamp` in it (-1 without). */
  sent(choice: Choice, timestamp: number, now: Millis): void {
    this.#lastSentAt = now;
    this.forced = false;
    const isProbe = this.probe.owed;
    if (choice === Choice.RESEND) {
      this.flight.resent(this.chosenIndex, now);
      this.retransmits += 1;
      if (!isProbe) this.recovery.onResend(this.chosenSequence, this.chosenLength, timestamp);
    } else {
      this.flight.push(this.chosenSequence, this.chosenLength, now);
      this.sndNxt = serialAdd(this.chosenSequence, this.chosenLength);
      this.recovery.onNewData(this.chosenSequence, this.chosenLength);
      this.pacing.sent(this.chosenLength);
      if (this.pipe + this.mss > this.congestion.cwnd) this.#limitedUntil = this.sndNxt;
      if (this.chosenLength < this.mss) this.#nagle.sentSmall(this.sndNxt);
    }
    if (isProbe) this.probe.sent(this.sndNxt, choice === Choice.RESEND);
  }

  /** The SYN goes out, for the first time or again. */
  chooseSyn(): Choice {
    this.chosenSequence = this.initialSequence;
    this.chosenLength = 1;
    this.chosenIndex = 0;
    if (this.flight.size === 0) return Choice.NEW;
    return this.flight.lostBytes > 0 ? Choice.RESEND : Choice.NOTHING;
  }

  /** The retransmission timer fired: start over from the oldest segment (RFC 6298 §5.4 to §5.6). */
  onTimeout(sackAgreed: boolean, now: Millis): void {
    const { flight, rack, recovery, rto } = this;
    const allowance = rack.allowanceMs(rack.windowMs(flight, true, rto.smoothedMs));
    const { sndUna, sndNxt, windowInUse } = this;
    recovery.beginAfterTimeout(this.timeoutsInRow > 0, sndUna, sndNxt, windowInUse, now);
    this.timeouts += 1;
    this.timeoutsInRow += 1;
    rto.backOff();
    this.scoreboard.clear();
    rack.onTimeout(sndUna);
    this.probe.clear();
    if (sackAgreed) flight.markOldLost(allowance, now);
    else flight.markAllLost();
  }

  /** Segments may be `mss` long from now on; longer ones in flight are lost. */
  setMss(mss: number): void {
    this.mss = mss;
    this.congestion.setMss(mss);
    this.flight.split(mss);
  }

  /** New data if there is some, else the last segment again (RFC 8985 §7.3), beyond the window. */
  #chooseProbe(now: Millis): Choice {
    const length = this.#newLength();
    if (length > 0) return this.#take(length);
    const last = this.flight.size - 1;
    if (last >= 0 && this.flight.isOutAt(last)) return this.#takeAgain(last);
    this.probe.owed = false;
    return this.choose(now);
  }

  #chooseLost(index: number): Choice {
    const { pipe } = this;
    const blocked = pipe > 0 && pipe + this.flight.lengthAt(index) > this.congestion.cwnd;
    if (!blocked || this.recovery.ignoresWindow) return this.#takeAgain(index);
    this.#limitedUntil = this.sndNxt;
    return Choice.NOTHING;
  }

  #chooseNew(now: Millis): Choice {
    if (!this.hasUnsent) return Choice.NOTHING;
    const length = this.#newLength();
    if (length <= 0 || !this.#worthSending(length)) return Choice.NOTHING;
    if (this.flight.size === 0) this.#afterIdle(now);
    const { pipe } = this;
    const fits = pipe === 0 || pipe + length <= this.congestion.cwnd;
    if (fits && this.pacing.allows(length, this, now)) return this.#take(length);
    // Paced, a window that is half full would be filled in this round trip (RFC 9406 §4.2 counts on it).
    if (!fits || 2 * pipe > this.congestion.cwnd) this.#limitedUntil = this.sndNxt;
    return fits ? Choice.LATER : Choice.NOTHING;
  }

  #take(length: number): Choice {
    this.chosenSequence = this.sndNxt;
    this.chosenLength = length;
    return Choice.NEW;
  }

  #takeAgain(index: number): Choice {
    this.chosenSequence = this.flight.sequenceAt(index);
    this.chosenLength = this.flight.lengthAt(index);
    this.chosenIndex = index;
    return Choice.RESEND;
  }

  /** What a segment of new data could carry as far as the peer's window goes; 0 or less: nothing. */
  #newLength(): number {
    const window = serialDiff(serialAdd(this.sndUna, this.sndWnd), this.sndNxt);
    const unsent = this.buffer.finished ? this.unsent + 1 : this.unsent;
    return Math.min(unsent, this.mss, window);
  }

  /** Nagle and the sender's side of silly window avoidance (RFC 9293 §3.8.6.2.1). */
  #worthSending(length: number): boolean {
    if (length >= this.mss || this.forced) return true;
    if (length >= this.unsent) {
      return this.noDelay || this.buffer.finished || !this.#nagle.waits(this.sndUna);
    }
    return length * 2 >= this.maxSndWnd;
  }

  #afterIdle(now: Millis): void {
    if (now - this.#lastSentAt > this.rto.valueMs) this.congestion.onIdle(now);
  }
}
