import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import { Reassembly } from './reassembly.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { LARGEST_WINDOW, type TcpSettings } from './tcp-options.ts';
import { WindowTuning } from './window-tuning.ts';

const LARGEST_FIELD = 0xffff;

/** What became of a segment's payload. */
export const Arrival = {
  /** all of it was there already, or lies behind the window */
  NOTHING: 0,
  IN_ORDER: 1,
  /** in order, and what waited behind a gap follows */
  FILLED_GAP: 2,
  AHEAD: 3,
} as const;
export type Arrival = (typeof Arrival)[keyof typeof Arrival];

/**
 * The receiving half: what arrived, and how much more may.
 *
 *     read │ unread queue │ reassembly …      │
 *     ─────┴──────────────┼───────────────────┼──▶ sequence
 *                      rcvNxt          rcvNxt + window = edge, never moves back
 */
export class Receiver {
  readonly #queue = new ReceiveQueue();
  readonly #reassembly = new Reassembly();
  readonly #tuning: WindowTuning;
  rcvNxt = 0;
  /** Sequence number of the peer's SYN. */
  initialSequence = 0;
  /** Shift of the window that we tell; 0 where scaling was not agreed. */
  windowShift = 0;
  /** Largest payload seen: what a full segment of the peer is. */
  peerMss = 0;
  bytesReceived = 0;
  #edge = 0;
  #finSequence = 0;
  #finSeen = false;
  #finPassed = false;

  constructor(settings: TcpSettings) {
    this.#tuning = new WindowTuning(settings.receiveBufferBytes, settings.maxReceiveBufferBytes);
  }

  /** The peer's SYN came. */
  begin(sequence: number): void {
    this.initialSequence = sequence;
    this.rcvNxt = serialAdd(sequence, 1);
    this.#edge = serialAdd(this.rcvNxt, Math.min(this.#tuning.limit, LARGEST_FIELD));
  }

  /** How much the peer may still send, as it was told. */
  get window(): number {
    return serialDiff(this.#edge, this.rcvNxt);
  }

  get unread(): number {
    return this.#queue.length;
  }

  /** Memory held for segments ahead of a gap. */
  get reassemblyBytes(): number {
    return this.#reassembly.charge;
  }

  /** Whether the peer's FIN is next: all before it has arrived. */
  get finReached(): boolean {
    return this.#finSeen && !this.#finPassed && this.#finSequence === this.rcvNxt;
  }

  /** Whether the stream of the peer is complete. */
  get finPassed(): boolean {
    return this.#finPassed;
  }

  /**
   * RFC 9293 §3.10.7.4, first check. A segment without length may also stand at the edge: that is
   * where the acknowledgements of a peer stand that has filled the window.
   */
  accepts(sequence: number, span: number): boolean {
    const offset = serialDiff(sequence, this.rcvNxt);
    const window = this.window;
    if (span === 0) return offset >= 0 && offset <= window;
    if (window === 0) return false;
    const last = offset + span - 1;
    return (offset >= 0 && offset < window) || (last >= 0 && last < window);
  }

  /** Takes the payload of an acceptable segment; slices of `packet` are kept. */
  take(packet: Buffer, sequence: number, at: number, length: number): Arrival {
    const known = Math.max(-serialDiff(sequence, this.rcvNxt), 0);
    const from = serialAdd(sequence, known);
    const fits = Math.min(length, serialDiff(this.#lastByte(), sequence));
    if (fits <= known) return Arrival.NOTHING;
    const payload = packet.subarray(at + known, at + fits);
    if (length > this.peerMss) this.peerMss = length;
    if (from !== this.rcvNxt) {
      this.#reassembly.insert(from, payload, 2 * this.#tuning.limit);
      return Arrival.AHEAD;
    }
    this.#queue.push(payload);
    this.rcvNxt = serialAdd(from, payload.length);
    this.bytesReceived += payload.length;
    if (this.#reassembly.empty) return Arrival.IN_ORDER;
    const reached = this.#reassembly.release(this.rcvNxt, this.#queue);
    this.bytesReceived += serialDiff(reached, this.rcvNxt);
    this.rcvNxt = reached;
    return Arrival.FILLED_GAP;
  }

  /** A FIN stands at `sequence`; false when it lies outside of the window. */
  noteFin(sequence: number): boolean {
    if (this.#finSeen || serialLess(sequence, this.rcvNxt)) return this.#finSeen;
    if (serialDiff(sequence, this.rcvNxt) > this.window) return false;
    this.#finSeen = true;
    this.#finSequence = sequence;
    return true;
  }

  /** Steps over the FIN. */
  passFin(): void {
    this.#finPassed = true;
    this.rcvNxt = serialAdd(this.rcvNxt, 1);
    if (serialLess(this.#edge, this.rcvNxt)) this.#edge = this.rcvNxt;
    this.#reassembly.clear();
  }

  read(): Buffer | undefined {
    const chunk = this.#queue.take();
    if (chunk !== undefined) this.#tuning.onRead(chunk.length);
    return chunk;
  }

  /** Data came that echoes our timestamp `echo`, written `age` ago. */
  onEcho(echo: number, age: Millis): void {
    this.#tuning.onEcho(echo, age);
  }

  /** `roundTrip`: the sender's estimate. */
  tune(roundTrip: Millis, now: Millis): void {
    this.#tuning.update(roundTrip, now);
  }

  /**
   * The window field beside `acknowledgment`. Opens the window by worthwhile steps only (RFC 9293
   * §3.8.6.2.2), and rounds up, so that the edge does not move back.
   */
  windowField(acknowledgment: number, shift: number, mss: number): number {
    const growth = this.#possibleGrowth();
    const worthwhile = growth >= Math.min(mss, this.#tuning.limit / 2);
    const edge = worthwhile ? serialAdd(this.#edge, growth) : this.#edge;
    const window = serialDiff(edge, acknowledgment);
    const field = Math.min((window + (1 << shift) - 1) >>> shift, LARGEST_FIELD);
    const told = serialAdd(acknowledgment, field << shift);
    if (serialLess(this.#edge, told)) this.#edge = told;
    return field;
  }

  /** Whether reading has opened the window so far that the peer should hear of it unasked. */
  owesWindowUpdate(mss: number): boolean {
    const limit = this.#tuning.limit;
    const nearlyClosed = this.window < 2 * mss;
    return this.#possibleGrowth() >= Math.min(nearlyClosed ? mss : limit / 4, limit / 2);
  }

  /** Forgets what the application will not read. */
  discard(): void {
    this.#queue.clear();
    this.#reassembly.clear();
  }

  #possibleGrowth(): number {
    const room = Math.max(this.#tuning.limit - this.#queue.length, 0);
    return room - this.window;
  }

  /** Sequence number behind the last byte that may be taken. */
  #lastByte(): number {
    if (this.#finSeen && serialLess(this.#finSequence, this.#edge)) return this.#finSequence;
    return this.#edge;
  }
}

/** The smallest shift by which {@link LARGEST_WINDOW} can be told. */
export const OUR_WINDOW_SHIFT: number = Math.ceil(Math.log2(LARGEST_WINDOW / LARGEST_FIELD));
