import { Drop, type Millis } from '../core/machine.ts';
import { serialAdd, serialDiff } from '../core/serial.ts';
import type { FlowKey } from './flow-key.ts';
import { type IpHeader, IpProtocol } from './ip-header.ts';
import { IpPath } from './ip-path.ts';
import { PacketQueue } from './packet-queue.ts';
import { incomingPseudoSum } from './pseudo-header.ts';
import type { PacketSource } from './round-robin.ts';
import { barePacket } from './tcp/bare-packet.ts';
import { CHALLENGE_INTERVAL_MS } from './tcp/challenge.ts';
import { type Earlier, isNewerSyn, type Resting } from './tcp/newer-syn.ts';
import { Flag, Segment, segmentIsIntact } from './tcp/segment.ts';
import { NO_RECORD, TupleRecords } from './tuple-records.ts';

/** Connections in TIME-WAIT; one more makes the oldest go. */
export const MAX_TIME_WAITS = 16_384;
/** A tuple is given to a new connection of ours when the timestamps of the two are this far apart. */
export const REUSE_AFTER_MS: Millis = 1_000;
/** How far behind an earlier connection on its tuple a new one begins. */
const SEQUENCE_GAP = 0x1_0000;
const LARGEST_WINDOW_FIELD = 0xffff;

/** Words of a record. */
const SND_NXT = 0;
const RCV_NXT = 1;
const TIMESTAMPS_AGREED = 2;
const RECENT_TIMESTAMP = 3;
const TIMESTAMP_OFFSET = 4;
/** When an empty segment was answered, as a 32-bit number of milliseconds. */
const ANSWERED_AT = 5;
const WORDS = 6;

/**
 * Connections that both sides have ended, by the side that began with it: what is left of each is
 * a small record, so that a late segment does not meet a new connection of the same tuple, and a
 * FIN whose acknowledgement was lost gets another one (RFC 9293 §3.10.7.4).
 */
export class TimeWaits {
  readonly #records: TupleRecords;
  readonly #lengthMs: Millis;
  readonly #wake: (source: PacketSource) => void;
  readonly #answers = new PacketQueue();
  readonly #segment = new Segment();

  /**
   * @param seed random, see {@link TupleRecords}
   * @param lengthMs 2 MSL
   */
  constructor(seed: number, lengthMs: Millis, wake: (source: PacketSource) => void) {
    this.#records = new TupleRecords(MAX_TIME_WAITS, WORDS, seed);
    this.#lengthMs = lengthMs;
    this.#wake = wake;
  }

  get size(): number {
    return this.#records.size;
  }

  /** Bytes that it holds. */
  get bytes(): number {
    return this.#records.bytes;
  }

  /** A connection whose tuple is not here comes to rest. */
  add(key: FlowKey, resting: Resting, now: Millis): void {
    const records = this.#records;
    const record = records.add(key);
    records.setWord(record, SND_NXT, resting.sndNxt);
    records.setWord(record, RCV_NXT, resting.rcvNxt);
    records.setWord(record, TIMESTAMPS_AGREED, resting.timestampsAgreed ? 1 : 0);
    records.setWord(record, RECENT_TIMESTAMP, resting.recentTimestamp);
    records.setWord(record, TIMESTAMP_OFFSET, resting.timestampOffset);
    records.setWord(record, ANSWERED_AT, Math.floor(now) - CHALLENGE_INTERVAL_MS);
    records.setTime(record, now + this.#lengthMs);
  }

  has(key: FlowKey): boolean {
    return this.#records.find(key) !== NO_RECORD;
  }

  /** Whether a connection of ours may use the tuple: its timestamps tell it from the earlier one. */
  mayReuse(key: FlowKey, now: Millis): boolean {
    const record = this.#records.find(key);
    if (record === NO_RECORD) return true;
    const restingFor = now + this.#lengthMs - this.#records.time(record);
    const agreed = this.#records.word(record, TIMESTAMPS_AGREED) === 1;
    return agreed && restingFor > REUSE_AFTER_MS;
  }

  /**
   * A new connection takes the tuple: its rest is over.
   *
   * @returns the initial sequence number: `wanted`, or one behind all that was sent before
   */
  succeed(key: FlowKey, wanted: number): number {
    const record = this.#records.find(key);
    if (record === NO_RECORD) return wanted;
    const least = serialAdd(this.#records.word(record, SND_NXT), SEQUENCE_GAP);
    this.#records.remove(record);
    return serialDiff(wanted, least) < 0 ? least : wanted;
  }

  /** Takes a segment; undefined when its tuple does not rest, or when it begins anew. */
  fromBelow(key: FlowKey, packet: Buffer, header: IpHeader, now: Millis): Drop | undefined {
    const record = this.#records.find(key);
    if (record === NO_RECORD) return undefined;
    const segment = this.#segment;
    const { payloadAt, payloadLength } = header;
    const sum = incomingPseudoSum(header, IpProtocol.TCP);
    if (!segment.read(packet, payloadAt, payloadLength)) return Drop.MALFORMED;
    if (!segmentIsIntact(packet, payloadAt, payloadLength, sum)) return Drop.BAD_CHECKSUM;
    if (isNewerSyn(segment, this.#earlier(record))) return undefined;
    if (!this.#asksForAnswer(record, segment, now)) return Drop.UNEXPECTED;
    this.#answer(record, header, now);
    return Drop.OUT_OF_WINDOW;
  }

  nextTimeout(): Millis {
    const { oldest } = this.#records;
    return oldest === NO_RECORD ? Number.POSITIVE_INFINITY : this.#records.time(oldest);
  }

  onTimeout(now: Millis): void {
    while (this.nextTimeout() <= now) this.#records.remove(this.#records.oldest);
  }

  clear(): void {
    this.#records.clear();
    while (this.#answers.packets.take() !== undefined);
  }

  /**
   * Nothing resets TIME-WAIT (RFC 1337), and an acknowledgement of all asks for nothing. A FIN that
   * comes again starts the wait anew; other answers are limited.
   */
  #asksForAnswer(record: number, segment: Segment, now: Millis): boolean {
    if (segment.has(Flag.RST)) return false;
    const records = this.#records;
    const rcvNxt = records.word(record, RCV_NXT);
    if (segment.has(Flag.FIN) && serialAdd(segment.sequence, segment.span) === rcvNxt) {
      records.setTime(record, now + this.#lengthMs);
      records.renew(record);
      return true;
    }
    const ahead = serialDiff(segment.acknowledgment, records.word(record, SND_NXT));
    if (segment.span === 0 && segment.sequence === rcvNxt && ahead <= 0) return false;
    const at = Math.floor(now);
    if (serialDiff(at, records.word(record, ANSWERED_AT)) < CHALLENGE_INTERVAL_MS) return false;
    records.setWord(record, ANSWERED_AT, at);
    return true;
  }

  #answer(record: number, header: IpHeader, now: Millis): void {
    const records = this.#records;
    const { localPort, remotePort } = records.key(record);
    const answer = new Segment();
    answer.sourcePort = localPort;
    answer.destinationPort = remotePort;
    answer.flags = Flag.ACK;
    answer.window = LARGEST_WINDOW_FIELD;
    answer.sequence = records.word(record, SND_NXT);
    answer.acknowledgment = records.word(record, RCV_NXT);
    answer.options.hasTimestamps = records.word(record, TIMESTAMPS_AGREED) === 1;
    const offset = records.word(record, TIMESTAMP_OFFSET);
    answer.options.timestamp = serialAdd(offset, Math.floor(now));
    answer.options.echo = records.word(record, RECENT_TIMESTAMP);
    const path = new IpPath(header.destination(), header.source(), records.key(record).hash(0));
    if (this.#answers.packets.push(barePacket(answer, path))) this.#wake(this.#answers);
  }

  #earlier(record: number): Earlier {
    return {
      rcvNxt: this.#records.word(record, RCV_NXT),
      timestampsAgreed: this.#records.word(record, TIMESTAMPS_AGREED) === 1,
      recentTimestamp: this.#records.word(record, RECENT_TIMESTAMP),
    };
  }
}
