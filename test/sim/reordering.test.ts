import { describe, expect, test } from 'vitest';
import { BulkFlow } from './bulk-flow.ts';

const LINES = [20, 100].flatMap((roundTripMs) =>
  [1, 5, 20].map((reorderPercent) => ({ roundTripMs, reorderPercent })),
);
/** RFC 8985 §6.2: reordering has been seen by then, and the window of RACK is a quarter of a round trip. */
const ADAPTATION_ROUND_TRIPS = 20;
const ROUND_TRIPS = 200;
/** A burst queues, so that a late packet may be later still: by a millisecond of the five at 20 ms. */
const QUEUEING = 0.2;
/** The acknowledgement that would tell of a late packet may be late as well. */
const WAYS = 2;
const SEEDS = [1, 2, 3];
/** 800 Mbit/s, with room for all that the windows allow: a window of them takes a millisecond. */
const RATE = { bytesPerMs: 100_000, queueBytes: 1e9, sizeOf: (packet: Buffer) => packet.length };
const WINDOW_BYTES = 100_000;

describe('packets that come late by less than a quarter of the round trip, and none is lost', () => {
  describe.each(LINES)('$reorderPercent percent of them, at $roundTripMs ms', (line) => {
    const { roundTripMs, reorderPercent } = line;

    test.each(SEEDS)('are not sent again once the sender knows the line, seed %i', (seed) => {
      const flow = new BulkFlow({
        seed,
        link: {
          delayMs: roundTripMs / 2,
          reorderPercent,
          reorderMs: ((roundTripMs / 4) * (1 - QUEUEING)) / WAYS,
          rate: RATE,
        },
        server: { receiveBufferBytes: WINDOW_BYTES, maxReceiveBufferBytes: WINDOW_BYTES },
      });
      flow.run(ADAPTATION_ROUND_TRIPS * roundTripMs);
      const { retransmits } = flow.info;
      flow.run(ROUND_TRIPS * roundTripMs);
      expect(flow.info.retransmits - retransmits).toBe(0);
      expect(flow.info.timeouts).toBe(0);
      expect(flow.received).toBeGreaterThan(100 * WINDOW_BYTES);
    });
  });
});
