import type { Congestion } from '../../../src/netstack/tcp/congestion.ts';
import { ackRound } from './ack-round.ts';

/** A path with one queue: what is sent leaves it at a steady rate, and is answered later. */
export interface BottleneckOptions {
  readonly congestion: Pick<Congestion, 'cwnd' | 'onAck'>;
  readonly mss: number;
  /** Without queue. */
  readonly roundTripMs: number;
  readonly bytesPerMs: number;
  /** Segments that the peer acknowledges at once. */
  readonly segmentsPerAck: number;
}

/** What was seen at the end. */
export interface BottleneckResult {
  /** Most that waited in the queue. Unit: bytes. */
  readonly longestQueue: number;
  readonly atMs: number;
}

/**
 * Sends as fast as the window lets it, without loss, until `stop` says so. Looks at it after each
 * acknowledgement; the queue has no end: the caller says how long it may become.
 */
export function sendThrough(options: BottleneckOptions, stop: () => boolean): BottleneckResult {
  const { congestion, mss, roundTripMs, bytesPerMs, segmentsPerAck } = options;
  const sentAt: number[] = [];
  const answeredAt: number[] = [];
  let acknowledged = 0;
  let freeAt = 0;
  let now = 0;
  let longestQueue = 0;
  for (let count = 0; count < 100_000 && !stop(); count += 1) {
    while ((sentAt.length - acknowledged + 1) * mss <= congestion.cwnd) {
      freeAt = Math.max(freeAt, now) + mss / bytesPerMs;
      longestQueue = Math.max(longestQueue, (freeAt - now) * bytesPerMs);
      sentAt.push(now);
      answeredAt.push(freeAt + roundTripMs);
    }
    const before = acknowledged;
    acknowledged = Math.min(acknowledged + segmentsPerAck, sentAt.length);
    now = Math.max(now, answeredAt[acknowledged - 1] ?? now);
    const round = ackRound({
      now,
      roundTripMs: now - (sentAt[acknowledged - 1] ?? now),
      smoothedMs: roundTripMs,
      sndUna: acknowledged * mss,
      sndNxt: sentAt.length * mss,
    });
    congestion.onAck((acknowledged - before) * mss, round);
  }
  return { longestQueue, atMs: now };
}
