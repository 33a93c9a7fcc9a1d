import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import type { Congestion } from './congestion.ts';
import { Flight } from './flight.ts';
import { Recovery } from './recovery.ts';
import { Rto } from './rto.ts';
import { SendBuffer } from './send-buffer.ts';
import type { TcpSettings } from './tcp-options.ts';

/** What {@link Sender.choose} found. */
export const Choice = { NOTHING: 0, RESEND: 1, NEW: 2 } as const;
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
  #lastSentAt: Millis = 0;
  /** What `choose` chose. */
  chosenSequence = 0;
  chosenLength = 0;
  chosenIndex = 0;
  retransmits = 0;
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
    this.recovery = new Recovery(this.flight, this.congestion, initialSequence);
    this.sndUna = initialSequence;
    this.sndNxt = initialSequence;
    this.mss = mss;
    this.noDelay = settings.noDelay;
    this.#limitedUntil = initialSequence;
  }

  /** The peer's SYN came: segments may be `mss` long. */
  begin(mss: number): void {
    this.mss = mss;
    this.congestion = this.#settings.congestion(mss);
    this.recovery = new Recovery(this.flight, this.congestion, this.initialSequence);
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
    const left = this.flight.lostBytes + this.recovery.arrivedBeyond * this.mss;
    return Math.max(this.inFlight - left, 0);
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
  acknowledge(acknowledgment: number): void {
    const bytes = serialDiff(acknowledgment, this.sndUna);
    const filledWindow = serialLess(this.sndUna, this.#limitedUntil);
    const grows = filledWindow && !this.recovery.active;
    if (!serialLess(acknowledgment, this.#limitedUntil)) this.#limitedUntil = acknowledgment;
    this.flight.acknowledge(acknowledgment);
    this.sndUna = acknowledgment;
    this.buffer.release(acknowledgment);
    this.timeoutsInRow = 0;
    if (grows) this.congestion.onAck(bytes);
    this.recovery.onNewAck(acknowledgment, bytes, this.inFlight, this.mss);
  }

  /** Finds the next segment that may be sent: `chosenSequence`, `chosenLength`. */
  choose(now: Millis): Choice {
    const lost = this.flight.nextLost();
    if (lost >= 0) return this.#chooseLost(lost);
    if (!this.hasUnsent) return Choice.NOTHING;
    const window = serialDiff(serialAdd(this.sndUna, this.sndWnd), this.sndNxt);
    const length = Math.min(this.#withFin(this.unsent), this.mss, window);
    if (length <= 0 || !this.#worthSending(length)) return Choice.NOTHING;
    if (this.flight.size === 0) this.#afterIdle(now);
    const pipe = this.pipe;
    if (pipe > 0 && pipe + length > this.congestion.cwnd) {
      this.#limitedUntil = this.sndNxt;
      return Choice.NOTHING;
    }
    this.chosenSequence = this.sndNxt;
    this.chosenLength = length;
    return Choice.NEW;
  }

  /** What `choose` chose is on its way. */
  sent(choice: Choice, now: Millis): void {
    this.#lastSentAt = now;
    this.forced = false;
    if (choice === Choice.RESEND) {
      this.flight.resent(this.chosenIndex, now);
      this.retransmits += 1;
      return;
    }
    this.flight.push(this.chosenSequence, this.chosenLength, now);
    this.sndNxt = serialAdd(this.chosenSequence, this.chosenLength);
    if (this.pipe + this.mss > this.congestion.cwnd) this.#limitedUntil = this.sndNxt;
  }

  /** The SYN goes out, for the first time or again. */
  chooseSyn(): Choice {
    this.chosenSequence = this.initialSequence;
    this.chosenLength = 1;
    this.chosenIndex = 0;
    if (this.flight.size === 0) return Choice.NEW;
    return this.flight.lostBytes > 0 ? Choice.RESEND : Choice.NOTHING;
  }

  /** The retransmission timer fired. */
  onTimeout(): void {
    if (this.timeoutsInRow === 0) this.congestion.onTimeout(this.inFlight);
    else this.congestion.onRepeatedTimeout();
    this.timeouts += 1;
    this.timeoutsInRow += 1;
    this.rto.backOff();
    this.recovery.onTimeout(this.sndNxt);
  }

  /** Segments may be `mss` long from now on; longer ones in flight are lost. */
  setMss(mss: number): void {
    this.mss = mss;
    this.congestion.setMss(mss);
    this.flight.split(mss);
  }

  #chooseLost(index: number): Choice {
    const length = this.flight.lengthAt(index);
    const pipe = this.pipe;
    const blocked = pipe > 0 && pipe + length > this.congestion.cwnd;
    if (blocked && !this.recovery.active) {
      this.#limitedUntil = this.sndNxt;
      return Choice.NOTHING;
    }
    this.chosenSequence = this.flight.sequenceAt(index);
    this.chosenLength = length;
    this.chosenIndex = index;
    return Choice.RESEND;
  }

  /** `unsent` and the FIN behind it, where one is due. */
  #withFin(unsent: number): number {
    return this.buffer.finished ? unsent + 1 : unsent;
  }

  /** Nagle and the sender's side of silly window avoidance (RFC 9293 §3.8.6.2.1). */
  #worthSending(length: number): boolean {
    if (length >= this.mss || this.forced) return true;
    if (length >= this.unsent) {
      return this.noDelay || this.buffer.finished || this.flight.size === 0;
    }
    return length * 2 >= this.maxSndWnd;
  }

  #afterIdle(now: Millis): void {
    if (now - this.#lastSentAt > this.rto.valueMs) this.congestion.onIdle();
  }
}
