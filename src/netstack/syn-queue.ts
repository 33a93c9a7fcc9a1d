import { Drop, type Millis } from '../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../core/serial.ts';
import type { FlowKey } from './flow-key.ts';
import {
  countResend,
  HALF_OPEN_WORDS,
  noteAnswer,
  readCaller,
  sinceAnswer,
  writeCaller,
} from './half-open-words.ts';
import type { IpAddress } from './ip-address.ts';
import { PacketQueue } from './packet-queue.ts';
import type { PacketSource } from './round-robin.ts';
import { CHALLENGE_INTERVAL_MS } from './tcp/challenge.ts';
import type { HalfOpen, Opening } from './tcp/half-open.ts';
import { Flag, type Segment } from './tcp/segment.ts';
import { NO_RECORD, TupleRecords } from './tuple-records.ts';

/**
 * Callers of all ports whose handshake is under way; one more makes the oldest go. A flood of
 * 10,000 SYNs a second (RFC 4987) leaves an honest caller more than a second to answer.
 */
export const MAX_HALF_OPEN = 16_384;
/** First wait for the last segment of a handshake (RFC 6298 §2.1); doubled each time. */
const FIRST_WAIT_MS: Millis = 1000;
/** The records are not looked through more often than this. */
const SWEEP_MS: Millis = 100;

/** What a {@link SynQueue} needs of those who keep it. */
export interface SynQueueHost {
  /** Largest number of resends of a SYN-ACK. */
  readonly synAckRetries: number;
  /** Whether timestamps are agreed to. */
  readonly timestamps: boolean;
  /** The window that a SYN-ACK tells. */
  readonly firstWindow: number;
  /** No memory is left for what a new caller would send. */
  readonly exhausted: boolean;
  /** The numbers with which a connection on this tuple begins. */
  opening(key: FlowKey, now: Millis): Opening;
  /** The packet of a SYN-ACK for `caller`, or of an acknowledgement. */
  answer(kind: 'syn-ack' | 'ack', key: FlowKey, caller: HalfOpen, now: Millis): Buffer;
  wakeSource(source: PacketSource): void;
}

/**
 * Callers between their SYN and the end of the handshake. Each is a small record: the connection is
 * made when the acknowledgement of our SYN comes, so that a flood of SYNs costs nearly nothing.
 */
export class SynQueue {
  readonly #host: SynQueueHost;
  readonly #records: TupleRecords;
  readonly #answers = new PacketQueue();
  #nextAt: Millis = Number.POSITIVE_INFINITY;

  /** @param seed random, see {@link TupleRecords} */
  constructor(seed: number, host: SynQueueHost) {
    this.#host = host;
    this.#records = new TupleRecords(MAX_HALF_OPEN, HALF_OPEN_WORDS, seed);
  }

  get size(): number {
    return this.#records.size;
  }

  /** Bytes that it holds. */
  get bytes(): number {
    return this.#records.bytes;
  }

  has(key: FlowKey): boolean {
    return this.#records.find(key) !== NO_RECORD;
  }

  /** A first SYN: answers it, and remembers the caller. Without memory the caller must try again. */
  add(key: FlowKey, syn: Segment, now: Millis): Drop {
    if (this.#host.exhausted) return Drop.NO_ROOM;
    const opening = this.#host.opening(key, now);
    const record = this.#records.add(key);
    writeCaller(this.#records, record, syn, opening, now);
    this.#wait(record, 0, now);
    this.#send('syn-ack', record, now);
    return Drop.NONE;
  }

  /**
   * Takes a segment of a caller that is here (RFC 9293 §3.10.7.4 in SYN-RECEIVED, with RFC 5961);
   * undefined when it ends the handshake: `remove` the caller when he has a connection.
   * `NO_SOCKET` asks for a RST.
   */
  fromBelow(key: FlowKey, segment: Segment, now: Millis): Drop | undefined {
    const record = this.#records.find(key);
    if (record === NO_RECORD) return Drop.UNEXPECTED;
    const caller = readCaller(this.#records, record, now);
    const { hasTimestamps, timestamp } = segment.options;
    if (this.#host.timestamps && caller.hasTimestamps && !segment.has(Flag.RST)) {
      if (!hasTimestamps) return Drop.UNEXPECTED;
      if (serialLess(timestamp, caller.timestamp)) return this.#refuse(record, segment, now);
    }
    const rcvNxt = serialAdd(caller.sequence, 1);
    if (!this.#accepts(serialDiff(segment.sequence, rcvNxt), segment.span)) {
      return this.#refuse(record, segment, now);
    }
    if (segment.has(Flag.RST)) {
      if (segment.sequence !== rcvNxt) return this.#challenge('ack', record, now);
      this.#records.remove(record);
      return Drop.NONE;
    }
    if (segment.has(Flag.SYN)) {
      this.#records.remove(record);
      return Drop.UNEXPECTED;
    }
    if (!segment.has(Flag.ACK)) return Drop.UNEXPECTED;
    const ours = segment.acknowledgment === serialAdd(caller.initialSequence, 1);
    return ours ? undefined : Drop.NO_SOCKET;
  }

  /** The caller with this tuple. */
  peek(key: FlowKey, now: Millis): HalfOpen | undefined {
    const record = this.#records.find(key);
    return record === NO_RECORD ? undefined : readCaller(this.#records, record, now);
  }

  /** Forgets the caller with this tuple. */
  remove(key: FlowKey): void {
    const record = this.#records.find(key);
    if (record !== NO_RECORD) this.#records.remove(record);
  }

  /** Forgets the callers of a port that is closed; `address`: of this address of ours only. */
  forget(port: number, address: IpAddress | undefined): void {
    const records = this.#records;
    let record = records.oldest;
    while (record !== NO_RECORD) {
      const key = records.key(record);
      const next = records.newer(record);
      const meant =
        key.localPort === port &&
        (address?.matches(key.local0, key.local1, key.local2, key.local3) ?? true);
      if (meant) records.remove(record);
      record = next;
    }
  }

  nextTimeout(): Millis {
    return this.#records.size === 0 ? Number.POSITIVE_INFINITY : this.#nextAt;
  }

  /** Sends SYN-ACKs again. While there is a flood nobody's is: he may send his SYN again. */
  onTimeout(now: Millis): void {
    if (now < this.#nextAt) return;
    const records = this.#records;
    const calm = records.size <= MAX_HALF_OPEN / 2;
    this.#nextAt = Number.POSITIVE_INFINITY;
    let record = records.oldest;
    while (record !== NO_RECORD) {
      const next = records.newer(record);
      if (records.time(record) <= now) this.#resend(record, calm, now);
      else this.#nextAt = Math.min(this.#nextAt, records.time(record));
      record = next;
    }
    this.#nextAt = Math.max(this.#nextAt, now + SWEEP_MS);
  }

  clear(): void {
    this.#records.clear();
    while (this.#answers.packets.take() !== undefined);
  }

  #resend(record: number, calm: boolean, now: Millis): void {
    const resends = countResend(this.#records, record);
    if (resends > this.#host.synAckRetries) {
      this.#records.remove(record);
      return;
    }
    this.#wait(record, resends, now);
    if (!calm) return;
    noteAnswer(this.#records, record, now);
    this.#send('syn-ack', record, now);
  }

  #wait(record: number, resends: number, now: Millis): void {
    const at = now + FIRST_WAIT_MS * 2 ** resends;
    this.#records.setTime(record, at);
    this.#nextAt = Math.min(this.#nextAt, at);
  }

  /** RFC 9293 §3.10.7.4, first check; see `Receiver.accepts`. */
  #accepts(offset: number, span: number): boolean {
    const window = this.#host.firstWindow;
    if (span === 0) return offset >= 0 && offset <= window;
    const last = offset + span - 1;
    return (offset >= 0 && offset < window) || (last >= 0 && last < window);
  }

  #refuse(record: number, segment: Segment, now: Millis): Drop {
    if (segment.has(Flag.RST)) return Drop.OUT_OF_WINDOW;
    const isSyn = segment.has(Flag.SYN) && !segment.has(Flag.ACK);
    const { sequence } = readCaller(this.#records, record, now);
    const repeated = isSyn && segment.sequence === sequence;
    this.#challenge(repeated ? 'syn-ack' : 'ack', record, now);
    return Drop.OUT_OF_WINDOW;
  }

  #challenge(kind: 'syn-ack' | 'ack', record: number, now: Millis): Drop {
    if (sinceAnswer(this.#records, record, now) < CHALLENGE_INTERVAL_MS) return Drop.RATE_LIMITED;
    noteAnswer(this.#records, record, now);
    this.#send(kind, record, now);
    return Drop.UNEXPECTED;
  }

  #send(kind: 'syn-ack' | 'ack', record: number, now: Millis): void {
    const caller = readCaller(this.#records, record, now);
    const packet = this.#host.answer(kind, this.#records.key(record), caller, now);
    if (this.#answers.packets.push(packet)) this.#host.wakeSource(this.#answers);
  }
}
