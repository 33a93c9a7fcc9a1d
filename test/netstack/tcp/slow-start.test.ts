import { describe, expect, test } from 'vitest';
import { SLOW_START_LIMIT, SlowStart } from '../../../src/netstack/tcp/slow-start.ts';
import { ackRound } from './ack-round.ts';

const MSS = 1000;

describe('SlowStart', () => {
  test.each([
    { bytes: 700, opened: 700 },
    { bytes: 8_000, opened: 8_000 },
    { bytes: 1_000_000, opened: SLOW_START_LIMIT * MSS },
  ])('opens by $opened for $bytes', ({ bytes, opened }) => {
    expect(new SlowStart().first(bytes, ackRound(), MSS)).toBe(opened);
    expect(new SlowStart().later(bytes, ackRound(), MSS)).toBe(opened);
  });

  test('is not finished before the round trip has grown', () => {
    const slowStart = new SlowStart();
    slowStart.first(MSS, ackRound({ roundTripMs: 10 }), MSS);
    expect(slowStart.finished).toBe(false);
  });

  describe('after a timeout', () => {
    test('counts one segment until all is acknowledged that was out', () => {
      const slowStart = new SlowStart();
      slowStart.onTimeout();
      const seen = [10, 20, 21, 22].map((sndUna) =>
        slowStart.later(5 * MSS, ackRound({ sndUna, sndNxt: sndUna < 20 ? 20 : 40 }), MSS),
      );
      expect(seen).toEqual([MSS, MSS, 5 * MSS, 5 * MSS]);
    });

    test('across the wrap of sequence numbers', () => {
      const slowStart = new SlowStart();
      slowStart.onTimeout();
      const before = ackRound({ sndUna: 0xffff_ff00, sndNxt: 0x10 });
      expect(slowStart.later(5 * MSS, before, MSS)).toBe(MSS);
      expect(slowStart.later(5 * MSS, ackRound({ sndUna: 0x11 }), MSS)).toBe(5 * MSS);
    });

    test('and as before, when it was none', () => {
      const slowStart = new SlowStart();
      const { mark } = slowStart;
      slowStart.onTimeout();
      slowStart.restore(mark);
      expect(slowStart.later(5 * MSS, ackRound(), MSS)).toBe(5 * MSS);
    });
  });
});
