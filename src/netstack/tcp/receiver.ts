import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';
import { type HeaderOptions, SACK_BLOCK_BYTES, SACK_HEADER_BYTES } from './header-options.ts';
import { Reassembly } from './reassembly.ts';
import { ReceiveClaim } from './receive-claim.ts';
import { ReceiveQueue } from './receive-queue.ts';
import { SackReport } from './sack-report.ts';
import { LARGEST_WINDOW, type TcpSettings } from './tcp-options.ts';
import { WindowTuning } from './window-tuning.ts';

const LARGEST_FIELD = 0xffff;
/** What a peer may send before anything came: more than a first flight (RFC 6928). */
const FIRST_WINDOW_BYTES = LARGEST_FIELD;
/** Full segments that every receiver may be sent, however short memory is. */
const FLOOR_SEGMENTS = 2;
/** Memory may be so many times what the buffer is meant to hold: then tiny segments close it. */
const MEMORY_FACTOR = 2;

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
  readonly #sack = new SackReport();
  readonly #tuning: WindowTuning;
  readonly #claim: ReceiveClaim;
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
  #over = false;

  constructor(settings: TcpSettings) {
    this.#claim = new ReceiveClaim(settings.pool);
    this.#tuning = new WindowTuning(settings.receiveBufferBytes, settings.maxReceiveBufferBytes);
  }

  /** The peer's SYN came. */
  begin(sequence: number): void {
    this.initialSequence = sequence;
    this.rcvNxt = serialAdd(sequence, 1);
    this.#edge = serialAdd(this.rcvNxt, this.#firstWindow);
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
    if (known > 0) this.noteDuplicate(sequence, length);
    if (fits <= known) return Arrival.NOTHING;
    const payload = packet.subarray(at + known, at + fits);
    if (length > this.peerMss) this.peerMss = length;
    const arrival = this.#reassembly.empty
      ? this.#takeWithoutGap(from, payload)
      : this.#takeAroundGap(from, payload);
    this.#settle();
    return arrival;
  }

  /** Payload came that had all come before, or in part: the peer hears of that. */
  noteDuplicate(sequence: number, length: number): void {
    const before = serialDiff(this.rcvNxt, sequence);
    if (before <= 0 || before > this.bytesReceived) return;
    this.#sack.noteDuplicate(sequence, serialAdd(sequence, Math.min(length, before)));
  }

  /** Whether something came twice of which the peer was not told. */
  get hasDuplicate(): boolean {
    return this.#sack.hasDuplicate;
  }

  /**
   * Writes SACK blocks into the options of a segment that acknowledges `acknowledgment`, where
   * there is something to tell. Beside an earlier number than the newest there is nothing: to the
   * sender what lies between them would seem to have been overtaken by what the blocks tell.
   *
   * @param roomBytes what the segment may still grow by
   */
  reportSack(options: HeaderOptions, acknowledgment: number, roomBytes: number): void {
    if (this.#reassembly.empty && !this.#sack.hasDuplicate) return;
    if (acknowledgment !== this.rcvNxt) return;
    const fitting = Math.floor((roomBytes - SACK_HEADER_BYTES) / SACK_BLOCK_BYTES);
    const room = Math.min(options.sackRoom, fitting);
    this.#sack.write(options, acknowledgment, this.#reassembly, room);
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
    this.#settle();
  }

  read(): Buffer | undefined {
    const chunk = this.#queue.take();
    if (chunk === undefined) return undefined;
    this.#tuning.onRead(chunk.length);
    this.#settle();
    return chunk;
  }

  /** Data came that echoes our timestamp `echo`, written `age` ago. */
  onEcho(echo: number, age: Millis): void {
    this.#tuning.onEcho(echo, age);
  }

  /** The same without timestamps: data came. */
  onProgress(now: Millis): void {
    this.#tuning.onProgress(this.rcvNxt, this.#edge, now);
  }

  /** `roundTrip`: the sender's estimate. */
  tune(roundTrip: Millis, now: Millis): void {
    this.#tuning.update(roundTrip, now, !this.#claim.poolIsShort);
  }

  /**
   * The window field beside `acknowledgment`. Opens the window by worthwhile steps only (RFC 9293
   * §3.8.6.2.2), and rounds up, so that the edge does not move back.
   */
  windowField(acknowledgment: number, shift: number, mss: number): number {
    const growth = this.#possibleGrowth(mss);
    const worthwhile = growth >= Math.min(mss, this.#tuning.limit / 2);
    const edge = worthwhile ? serialAdd(this.#edge, growth) : this.#edge;
    const window = serialDiff(edge, acknowledgment);
    const field = Math.min((window + (1 << shift) - 1) >>> shift, LARGEST_FIELD);
    const told = serialAdd(acknowledgment, field << shift);
    if (serialLess(this.#edge, told)) {
      this.#edge = told;
      this.#settle();
    }
    return field;
  }

  /** Whether reading has opened the window so far that the peer should hear of it unasked. */
  owesWindowUpdate(mss: number): boolean {
    const limit = this.#tuning.limit;
    const nearlyClosed = this.window < 2 * mss;
    return this.#possibleGrowth(mss) >= Math.min(nearlyClosed ? mss : limit / 4, limit / 2);
  }

  /** Forgets what the application will not read. */
  discard(): void {
    this.#queue.clear();
    this.#reassembly.clear();
    this.#sack.clear();
    this.#settle();
  }

  /** Nothing more will come; what was not read stays. */
  end(): void {
    this.#over = true;
    this.#reassembly.clear();
    this.#settle();
  }

  #takeWithoutGap(from: number, payload: Buffer): Arrival {
    if (from !== this.rcvNxt) return this.#keepAhead(from, payload);
    this.#append(payload);
    return Arrival.IN_ORDER;
  }

  #takeAroundGap(from: number, payload: Buffer): Arrival {
    const reassembly = this.#reassembly;
    if (reassembly.findOverlap(from, serialAdd(from, payload.length))) {
      this.#sack.noteDuplicate(reassembly.overlapStart, reassembly.overlapEnd);
    }
    if (from !== this.rcvNxt) return this.#keepAhead(from, payload);
    this.#append(payload);
    const reached = reassembly.release(this.rcvNxt, this.#queue);
    this.bytesReceived += serialDiff(reached, this.rcvNxt);
    this.rcvNxt = reached;
    return Arrival.FILLED_GAP;
  }

  #keepAhead(from: number, payload: Buffer): Arrival {
    const limit = MEMORY_FACTOR * this.#tuning.limit;
    if (this.#reassembly.insert(from, payload, limit)) this.#sack.note(from);
    return Arrival.AHEAD;
  }

  #append(payload: Buffer): void {
    this.#queue.push(payload);
    this.rcvNxt = serialAdd(this.rcvNxt, payload.length);
    this.bytesReceived += payload.length;
  }

  get #firstWindow(): number {
    return Math.min(this.#tuning.limit, FIRST_WINDOW_BYTES);
  }

  /**
   * By how much the window may open: as far as the buffer goes, in bytes and in memory, and as far
   * as the pool goes, but for a floor. Negative where the window is wider than that.
   */
  #possibleGrowth(mss: number): number {
    const { length, charge } = this.#queue;
    const { window } = this;
    if (this.bytesReceived === 0 && this.#reassembly.empty) return this.#firstWindow - window;
    const room = Math.max(this.#tuning.limit - Math.max(length, charge / MEMORY_FACTOR), 0);
    const floor = FLOOR_SEGMENTS * mss - length;
    return Math.floor(Math.min(room, Math.max(window + this.#claim.offer, floor))) - window;
  }

  /** Claims from the pool what is held and offered. */
  #settle(): void {
    const { length, charge } = this.#queue;
    const { charge: ahead, payload } = this.#reassembly;
    const window = this.#over || this.#finPassed ? 0 : this.window;
    this.#claim.settle(charge + ahead, length + payload, window);
  }

  /** Sequence number behind the last byte that may be taken. */
  #lastByte(): number {
    if (this.#finSeen && serialLess(this.#finSequence, this.#edge)) return this.#finSequence;
    return this.#edge;
  }
}

/** The smallest shift by which {@link LARGEST_WINDOW} can be told. */
export const OUR_WINDOW_SHIFT: number = Math.ceil(Math.log2(LARGEST_WINDOW / LARGEST_FIELD));
