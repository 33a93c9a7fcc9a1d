import type { Millis } from '../core/machine.ts';
import { FlowKey } from './flow-key.ts';

/** What the search and the order of age need of each record, in words of 32 bits. */
const LOCAL_AT = 0;
const REMOTE_AT = 4;
const LOCAL_PORT_AT = 8;
const REMOTE_PORT_AT = 9;
const NEXT_AT = 10;
const OLDER_AT = 11;
const NEWER_AT = 12;
const HEAD_WORDS = 13;

/** No record. */
export const NO_RECORD = -1;
const FIRST_CAPACITY = 16;

/**
 * Small records of fixed size by tuple, for ends of connections that are not worth an object: one
 * array of integers and one of times, a hash over it, and the order of age. The oldest makes room
 * when it is full; an empty one holds nearly nothing.
 *
 *     record: [ tuple │ next in bucket │ older │ newer │ words of the owner ], and one time
 */
export class TupleRecords {
  readonly #limit: number;
  readonly #stride: number;
  readonly #seed: number;
  readonly #probe = new FlowKey();
  #words = new Int32Array(0);
  #times = new Float64Array(0);
  #buckets = new Int32Array(0);
  #oldest = NO_RECORD;
  #newest = NO_RECORD;
  /** Records that were given back, linked by NEXT_AT. */
  #free = NO_RECORD;
  #used = 0;
  #size = 0;

  /**
   * @param limit most records
   * @param ownWords words that the owner keeps in each
   * @param seed random, so that a peer cannot choose tuples that collide
   */
  constructor(limit: number, ownWords: number, seed: number) {
    this.#limit = limit;
    this.#stride = HEAD_WORDS + ownWords;
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  get oldest(): number {
    return this.#oldest;
  }

  /** The record after `record` in age. */
  newer(record: number): number {
    return this.#word(record, NEWER_AT);
  }

  /** Bytes that its arrays take. */
  get bytes(): number {
    return this.#words.byteLength + this.#times.byteLength + this.#buckets.byteLength;
  }

  find(key: FlowKey): number {
    if (this.#size === 0) return NO_RECORD;
    let record = this.#buckets[this.#bucketOf(key)] ?? NO_RECORD;
    while (record !== NO_RECORD && !this.key(record).equals(key)) {
      record = this.#word(record, NEXT_AT);
    }
    return record;
  }

  /** Enters a record for `key`, which is not there, as the newest; its words are zero. */
  add(key: FlowKey): number {
    if (this.#size === this.#limit) this.remove(this.#oldest);
    const record = this.#take();
    const at = record * this.#stride;
    const words = this.#words;
    words.fill(0, at, at + this.#stride);
    words.set([key.local0, key.local1, key.local2, key.local3], at + LOCAL_AT);
    words.set([key.remote0, key.remote1, key.remote2, key.remote3], at + REMOTE_AT);
    words[at + LOCAL_PORT_AT] = key.localPort;
    words[at + REMOTE_PORT_AT] = key.remotePort;
    this.#enterBucket(record, key);
    this.#append(record);
    this.#size += 1;
    return record;
  }

  remove(record: number): void {
    this.#leaveBucket(record);
    this.#unlink(record);
    this.#setWord(record, NEXT_AT, this.#free);
    this.#free = record;
    this.#size -= 1;
    if (this.#size === 0) this.clear();
  }

  /** Makes `record` the newest. */
  renew(record: number): void {
    this.#unlink(record);
    this.#append(record);
  }

  /** Forgets all, and gives the memory back. */
  clear(): void {
    this.#words = new Int32Array(0);
    this.#times = new Float64Array(0);
    this.#buckets = new Int32Array(0);
    this.#oldest = NO_RECORD;
    this.#newest = NO_RECORD;
    this.#free = NO_RECORD;
    this.#used = 0;
    this.#size = 0;
  }

  /** The tuple of `record`; filled again by every call. */
  key(record: number): FlowKey {
    const key = this.#probe;
    key.local0 = this.#word(record, LOCAL_AT);
    key.local1 = this.#word(record, LOCAL_AT + 1);
    key.local2 = this.#word(record, LOCAL_AT + 2);
    key.local3 = this.#word(record, LOCAL_AT + 3);
    key.remote0 = this.#word(record, REMOTE_AT);
    key.remote1 = this.#word(record, REMOTE_AT + 1);
    key.remote2 = this.#word(record, REMOTE_AT + 2);
    key.remote3 = this.#word(record, REMOTE_AT + 3);
    key.localPort = this.#word(record, LOCAL_PORT_AT);
    key.remotePort = this.#word(record, REMOTE_PORT_AT);
    return key;
  }

  /** Word `field` of the owner, unsigned. */
  word(record: number, field: number): number {
    return this.#word(record, HEAD_WORDS + field) >>> 0;
  }

  setWord(record: number, field: number, value: number): void {
    this.#setWord(record, HEAD_WORDS + field, value);
  }

  time(record: number): Millis {
    return this.#times[record] ?? 0;
  }

  setTime(record: number, at: Millis): void {
    this.#times[record] = at;
  }

  #take(): number {
    const record = this.#free;
    if (record !== NO_RECORD) {
      this.#free = this.#word(record, NEXT_AT);
      return record;
    }
    if (this.#used === this.#times.length) this.#grow();
    this.#used += 1;
    return this.#used - 1;
  }

  #grow(): void {
    const capacity = Math.min(Math.max(this.#times.length * 2, FIRST_CAPACITY), this.#limit);
    const words = new Int32Array(capacity * this.#stride);
    const times = new Float64Array(capacity);
    words.set(this.#words);
    times.set(this.#times);
    this.#words = words;
    this.#times = times;
    let buckets = FIRST_CAPACITY;
    while (buckets < capacity) buckets *= 2;
    this.#buckets = new Int32Array(buckets).fill(NO_RECORD);
    for (let record = this.#oldest; record !== NO_RECORD; record = this.newer(record)) {
      this.#enterBucket(record, this.key(record));
    }
  }

  #bucketOf(key: FlowKey): number {
    return key.hash(this.#seed) & (this.#buckets.length - 1);
  }

  #enterBucket(record: number, key: FlowKey): void {
    const bucket = this.#bucketOf(key);
    this.#setWord(record, NEXT_AT, this.#buckets[bucket] ?? NO_RECORD);
    this.#buckets[bucket] = record;
  }

  #leaveBucket(record: number): void {
    const bucket = this.#bucketOf(this.key(record));
    const next = this.#word(record, NEXT_AT);
    let before = this.#buckets[bucket] ?? NO_RECORD;
    if (before === record) {
      this.#buckets[bucket] = next;
      return;
    }
    while (this.#word(before, NEXT_AT) !== record) before = this.#word(before, NEXT_AT);
    this.#setWord(before, NEXT_AT, next);
  }

  #append(record: number): void {
    this.#setWord(record, OLDER_AT, this.#newest);
    this.#setWord(record, NEWER_AT, NO_RECORD);
    if (this.#newest === NO_RECORD) this.#oldest = record;
    else this.#setWord(this.#newest, NEWER_AT, record);
    this.#newest = record;
  }

  #unlink(record: number): void {
    const older = this.#word(record, OLDER_AT);
    const newer = this.#word(record, NEWER_AT);
    if (older === NO_RECORD) this.#oldest = newer;
    else this.#setWord(older, NEWER_AT, newer);
    if (newer === NO_RECORD) this.#newest = older;
    else this.#setWord(newer, OLDER_AT, older);
  }

  #word(record: number, at: number): number {
    return this.#words[record * this.#stride + at] ?? 0;
  }

  #setWord(record: number, at: number, value: number): void {
    this.#words[record * this.#stride + at] = value;
  }
}
