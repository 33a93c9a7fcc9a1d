import type { AckRound } from '../../../src/netstack/tcp/congestion.ts';

/** What an acknowledgement told, where the test does not say otherwise. */
export function ackRound(told: Partial<AckRound> = {}): AckRound {
  return { now: 0, roundTripMs: -1, smoothedMs: 100, sndUna: 0, sndNxt: 0, ...told };
}
