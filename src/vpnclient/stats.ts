import type { SessionStats } from '../session/session-stats.ts';

/**
 * Counters of a client since `start()`. They only grow; `overflows` has the packets for the Duplex
 * in it that came while there was no room.
 */
export type ClientStats = SessionStats;

/** Those of a client that was not started. */
export const NO_STATS: ClientStats = Object.freeze({
  packetsIn: 0,
  bytesIn: 0,
  packetsOut: 0,
  bytesOut: 0,
  linkBytesIn: 0,
  linkBytesOut: 0,
  overflows: 0,
  drops: Object.freeze({}),
});
