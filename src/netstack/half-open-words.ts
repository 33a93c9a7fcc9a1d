import type { Millis } from '../core/machine.ts';
import type { HalfOpen, Opening } from './tcp/half-open.ts';
import type { Segment } from './tcp/segment.ts';
import type { TupleRecords } from './tuple-records.ts';

/** Words of the record of a caller whose SYN was answered. */
const SEQUENCE = 0;
const INITIAL_SEQUENCE = 1;
const TIMESTAMP_OFFSET = 2;
const TIMESTAMP = 3;
const MSS = 4;
const WINDOW_SCALE = 5;
const WINDOW = 6;
const FLAGS = 7;
const OFFERS = 8;
const RESENDS = 9;
/** Moments in microseconds, modulo 2³² (71 minutes). */
const FIRST_ANSWER_AT = 10;
const LAST_ANSWER_AT = 11;
export const HALF_OPEN_WORDS = 12;

const OFFERS_SACK = 1;
const OFFERS_TIMESTAMPS = 2;
const MICROS_PER_MS = 1000;

/** Writes what the SYN in `syn` says, and the numbers that we answer with. */
export function writeCaller(
  records: TupleRecords,
  record: number,
  syn: Segment,
  opening: Opening,
  now: Millis,
): void {
  const { options } = syn;
  const offers =
    (options.sackPermitted ? OFFERS_SACK : 0) | (options.hasTimestamps ? OFFERS_TIMESTAMPS : 0);
  records.setWord(record, SEQUENCE, syn.sequence);
  records.setWord(record, INITIAL_SEQUENCE, opening.initialSequence);
  records.setWord(record, TIMESTAMP_OFFSET, opening.timestampOffset);
  records.setWord(record, TIMESTAMP, options.timestamp);
  records.setWord(record, MSS, options.mss);
  records.setWord(record, WINDOW_SCALE, options.windowScale);
  records.setWord(record, WINDOW, syn.window);
  records.setWord(record, FLAGS, syn.flags);
  records.setWord(record, OFFERS, offers);
  records.setWord(record, FIRST_ANSWER_AT, micros(now));
  noteAnswer(records, record, now);
}

export function readCaller(records: TupleRecords, record: number, now: Millis): HalfOpen {
  const offers = records.word(record, OFFERS);
  return {
    initialSequence: records.word(record, INITIAL_SEQUENCE),
    timestampOffset: records.word(record, TIMESTAMP_OFFSET),
    answeredAt: now - since(records.word(record, FIRST_ANSWER_AT), now),
    answeredLastAt: now - sinceAnswer(records, record, now),
    resends: records.word(record, RESENDS),
    sequence: records.word(record, SEQUENCE),
    flags: records.word(record, FLAGS),
    window: records.word(record, WINDOW),
    mss: records.word(record, MSS) | 0,
    windowScale: records.word(record, WINDOW_SCALE) | 0,
    sackPermitted: (offers & OFFERS_SACK) !== 0,
    hasTimestamps: (offers & OFFERS_TIMESTAMPS) !== 0,
    timestamp: records.word(record, TIMESTAMP),
  };
}

/** Counts one more SYN-ACK. */
export function countResend(records: TupleRecords, record: number): number {
  const resends = records.word(record, RESENDS) + 1;
  records.setWord(record, RESENDS, resends);
  return resends;
}

/** Something was answered at `now`. */
export function noteAnswer(records: TupleRecords, record: number, now: Millis): void {
  records.setWord(record, LAST_ANSWER_AT, micros(now));
}

/** Time since something was answered. */
export function sinceAnswer(records: TupleRecords, record: number, now: Millis): Millis {
  return since(records.word(record, LAST_ANSWER_AT), now);
}

function micros(now: Millis): number {
  return Math.floor(now * MICROS_PER_MS) >>> 0;
}

function since(moment: number, now: Millis): Millis {
  return ((micros(now) - moment) >>> 0) / MICROS_PER_MS;
}
