import type { SessionStats } from '../session/session-stats.ts';

/**
 * Counters of a client since `start()`, over all its sessions. They only grow; `overflows` has the
 * packets for the Duplex in it that came while there was no room.
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

/** The counters of one session after another. */
export class StatsSum {
  #past: SessionStats = NO_STATS;
  readonly #living = new Set<{ readonly stats: SessionStats }>();

  /** One more session begins. */
  follow(session: { readonly stats: SessionStats; readonly done: Promise<unknown> }): void {
    this.#living.add(session);
    void session.done.then(() => {
      this.#past = addStats(this.#past, session.stats);
      this.#living.delete(session);
    });
  }

  get total(): SessionStats {
    return [...this.#living].reduce((sum, { stats }) => addStats(sum, stats), this.#past);
  }
}

function addStats(one: SessionStats, other: SessionStats): SessionStats {
  return {
    packetsIn: one.packetsIn + other.packetsIn,
    bytesIn: one.bytesIn + other.bytesIn,
    packetsOut: one.packetsOut + other.packetsOut,
    bytesOut: one.bytesOut + other.bytesOut,
    linkBytesIn: one.linkBytesIn + other.linkBytesIn,
    linkBytesOut: one.linkBytesOut + other.linkBytesOut,
    overflows: one.overflows + other.overflows,
    drops: addDrops(one.drops, other.drops),
  };
}

function addDrops(one: SessionStats['drops'], other: SessionStats['drops']): SessionStats['drops'] {
  const sum: Record<string, Record<string, number>> = {};
  for (const drops of [one, other]) {
    for (const [layer, reasons] of Object.entries(drops)) {
      const counts = sum[layer] ?? {};
      for (const [reason, count] of Object.entries(reasons)) {
        counts[reason] = (counts[reason] ?? 0) + count;
      }
      sum[layer] = counts;
    }
  }
  return sum;
}
