import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CUBIC_BETA, CUBIC_C, CubicCurve } from '../../../src/netstack/tcp/cubic-curve.ts';
import { ackRound } from './ack-round.ts';

const MSS = 1000;
const ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);

/** A curve that lost at `segments` and began its epoch at time 0 with `left` of them. */
function lostAt(segments: number, left = CUBIC_BETA * segments): CubicCurve {
  const curve = new CubicCurve();
  curve.onLoss(segments * MSS);
  curve.next(left * MSS, 0, ackRound({ now: 0 }), MSS);
  return curve;
}

/** W_cubic in segments, `seconds` after a loss at `wMax`. */
function formula(wMax: number, seconds: number, left = CUBIC_BETA * wMax): number {
  return CUBIC_C * (seconds - Math.cbrt((wMax - left) / CUBIC_C)) ** 3 + wMax;
}

/** The window in segments after a whole one was acknowledged at `now`, without a pause before. */
function windowAfter(curve: CubicCurve, now: number, cwnd: number, smoothedMs = 100): number {
  const round = ackRound({ now, smoothedMs: Math.max(now, smoothedMs) });
  curve.next(cwnd * MSS, 0, round, MSS);
  return curve.next(cwnd * MSS, cwnd * MSS, ackRound({ now, smoothedMs }), MSS) / MSS;
}

describe('CubicCurve', () => {
  test.each([{ seconds: 1 }, { seconds: 3 }, { seconds: 6 }, { seconds: 9 }])(
    'follows W_cubic one round trip ahead, after $seconds s',
    ({ seconds }) => {
      const cwnd = formula(1000, seconds);
      const next = windowAfter(lostAt(1000), seconds * 1000, cwnd, 200);
      expect(next).toBeCloseTo(formula(1000, seconds + 0.2), 6);
    },
  );

  test('is flat at the window of the loss, after K', () => {
    const k = Math.cbrt(300 / CUBIC_C);
    expect(windowAfter(lostAt(1000), (k - 0.1) * 1000, 999.9, 100)).toBeCloseTo(1000, 6);
  });

  test('approaches the target by the part of the window that was acknowledged', () => {
    const curve = lostAt(1000);
    const target = formula(1000, 3.1);
    curve.next(800 * MSS, 0, ackRound({ now: 3000, smoothedMs: 3000 }), MSS);
    const round = ackRound({ now: 3000, smoothedMs: 100 });
    const next = curve.next(800 * MSS, 200 * MSS, round, MSS) / MSS;
    expect(next).toBeCloseTo(800 + (target - 800) / 4, 6);
  });

  test('one acknowledgement of sixteen segments weighs as sixteen', () => {
    const one = lostAt(1000);
    const many = lostAt(1000);
    const round = ackRound({ now: 90, smoothedMs: 100 });
    let cwnd = 700 * MSS;
    for (let count = 0; count < 16; count += 1) cwnd = many.next(cwnd, MSS, round, MSS);
    const grown = one.next(700 * MSS, 16 * MSS, round, MSS) - 700 * MSS;
    expect(Math.abs(cwnd - 700 * MSS - grown) / grown).toBeLessThan(0.02);
  });

  test('more than a window counts as a window', () => {
    const round = ackRound({ now: 90, smoothedMs: 100 });
    const window = lostAt(1000).next(700 * MSS, 700 * MSS, round, MSS);
    expect(lostAt(1000).next(700 * MSS, 9_000 * MSS, round, MSS)).toBe(window);
  });

  test('never shrinks the window, though the target lies below it', () => {
    const curve = lostAt(1000);
    const round = ackRound({ now: 1, smoothedMs: 1 });
    expect(curve.next(990 * MSS, 5 * MSS, round, MSS)).toBe(990 * MSS);
  });

  test.each([{ hours: 1 }, { hours: 1000 }])(
    'grows by half a window a round trip at most, after $hours h too',
    ({ hours }) => {
      expect(windowAfter(lostAt(1000), hours * 3_600_000, 1200)).toBeCloseTo(1800, 6);
    },
  );

  describe('where Reno would be faster', () => {
    /** A short round trip, so that W_cubic has hardly moved. */
    const round = ackRound({ now: 1, smoothedMs: 1 });

    test('grows as Reno, with its own alpha', () => {
      const next = lostAt(20).next(14 * MSS, 7 * MSS, round, MSS);
      expect(next / MSS).toBeCloseTo(14 + ALPHA / 2, 9);
    });

    test('by a segment a round trip from the window of the loss on', () => {
      const curve = lostAt(20);
      let cwnd = 14 * MSS;
      for (let count = 0; count < 12; count += 1) cwnd = curve.next(cwnd, cwnd, round, MSS);
      expect(cwnd).toBeGreaterThanOrEqual(20 * MSS);
      expect(curve.next(cwnd, cwnd, round, MSS)).toBeCloseTo(cwnd + MSS, 6);
    });

    test('and so at once where slow start ended at that window', () => {
      const curve = new CubicCurve();
      curve.onTimeout(14 * MSS);
      curve.next(14 * MSS, 0, ackRound(), MSS);
      expect(curve.next(14 * MSS, 7 * MSS, round, MSS)).toBeCloseTo(14.5 * MSS, 6);
    });

    test('but not where both are the same', () => {
      const curve = new CubicCurve();
      curve.next(14 * MSS, 0, ackRound(), MSS);
      const later = ackRound({ now: 1000, smoothedMs: 1000 });
      const target = 14 + CUBIC_C * 2 ** 3;
      const next = curve.next(14 * MSS, 0.4 * 14 * MSS, later, MSS);
      expect(next / MSS).toBeCloseTo(14 + 0.4 * (target - 14), 6);
    });

    test('and not a byte below what there is', () => {
      const curve = lostAt(20);
      curve.next(14 * MSS, MSS, round, MSS);
      expect(curve.next(19 * MSS, MSS, round, MSS)).toBe(19 * MSS);
    });
  });

  describe('fast convergence', () => {
    test.each([
      { name: 'gives way when a loss comes below the last', second: 900, flat: 765 },
      { name: 'not when it comes at the same window', second: 1000, flat: 1000 },
      { name: 'nor above it', second: 1100, flat: 1100 },
    ])('$name', ({ second, flat }) => {
      const curve = lostAt(1000);
      curve.onLoss(second * MSS);
      expect(curve.state.wMax).toBeCloseTo(flat * MSS, 6);
    });

    test('begins flat where it would give way to less than there is', () => {
      const curve = lostAt(1000);
      curve.onLoss(800 * MSS);
      curve.next(750 * MSS, 0, ackRound(), MSS);
      expect(curve.state).toMatchObject({ wMax: 750 * MSS, k: 0 });
    });
  });

  test('after a timeout it begins flat where slow start ends', () => {
    const curve = lostAt(1000);
    curve.onTimeout(1000 * MSS);
    curve.next(500 * MSS, 0, ackRound({ now: 40 }), MSS);
    expect(curve.state).toMatchObject({
      wMax: 500 * MSS,
      prior: 1000 * MSS,
      k: 0,
      wEst: 500 * MSS,
      epochStart: 40,
    });
  });

  describe('time without acknowledgements of a full window', () => {
    test.each([
      { name: 'does not count', gap: 60_000, smoothedMs: 100, start: 59_800 },
      { name: 'counts up to two round trips', gap: 200, smoothedMs: 100, start: 0 },
      { name: 'not beyond them', gap: 201, smoothedMs: 100, start: 1 },
      { name: 'counts while acknowledgements wait', gap: 50, smoothedMs: 1, start: 0 },
      { name: 'not beyond that', gap: 51, smoothedMs: 1, start: 1 },
    ])('$name', ({ gap, smoothedMs, start }) => {
      const curve = lostAt(1000);
      curve.next(700 * MSS, 0, ackRound({ now: gap, smoothedMs }), MSS);
      expect(curve.state.epochStart).toBe(start);
    });

    test('is left out every time', () => {
      const curve = lostAt(1000);
      for (const now of [1000, 2000, 2100]) {
        curve.next(700 * MSS, 0, ackRound({ now, smoothedMs: 100 }), MSS);
      }
      expect(curve.state.epochStart).toBe(1600);
    });
  });

  test('a pause begins another epoch', () => {
    const curve = lostAt(1000);
    curve.pause();
    curve.next(900 * MSS, 0, ackRound({ now: 500 }), MSS);
    expect(curve.state).toMatchObject({ epochStart: 500, wEst: 900 * MSS });
    expect(curve.state.k).toBeCloseTo(Math.cbrt(100 / CUBIC_C), 9);
  });

  test('is again as it was when it was saved', () => {
    const curve = lostAt(1000);
    const saved = { ...curve.state };
    const restore = curve.save();
    curve.onTimeout(3 * MSS);
    curve.next(2 * MSS, MSS, ackRound({ now: 9 }), MSS);
    restore();
    expect(curve.state).toEqual(saved);
  });

  test('grows by every acknowledgement, to half as much again at most', () => {
    const acknowledgements = fc.array(
      fc.record({ gap: fc.nat(100_000), bytes: fc.nat(2_000_000), smoothedMs: fc.nat(2_000) }),
      { minLength: 1, maxLength: 50 },
    );
    const cwnds = fc.integer({ min: 2, max: 100_000 });
    fc.assert(
      fc.property(cwnds, cwnds, acknowledgements, (wMax, first, list) => {
        const curve = lostAt(wMax, first);
        let cwnd = first * MSS;
        let now = 0;
        for (const { gap, bytes, smoothedMs } of list) {
          now += gap;
          const next = curve.next(cwnd, bytes, ackRound({ now, smoothedMs }), MSS);
          expect(next).toBeGreaterThanOrEqual(cwnd);
          expect(next).toBeLessThanOrEqual(Math.max(1.5 * cwnd, cwnd + MSS) + 0.001);
          cwnd = next;
        }
      }),
    );
  });
});
