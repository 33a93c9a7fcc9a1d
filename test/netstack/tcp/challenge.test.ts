import { describe, expect, test } from 'vitest';
import { ChallengeLimit } from '../../../src/netstack/tcp/challenge.ts';
import {
  CHALLENGES_PER_WINDOW,
  ChallengeBudget,
} from '../../../src/netstack/tcp/challenge-budget.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

describe('ChallengeLimit', () => {
  test.each([
    { seed: 0, interval: 500 },
    { seed: 0xffff_ffff, interval: 627 },
  ])('one per $interval ms, by the seed', ({ seed, interval }) => {
    const limit = new ChallengeLimit(seed);
    expect([0, 1, interval - 1, interval, interval + 1].map((now) => limit.allows(now))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  test('what the budget of all refuses does not count against its own', () => {
    const budget = new ChallengeBudget(new SeededRandom(1));
    while (budget.take(0));
    const limit = new ChallengeLimit(0, budget);
    expect(limit.allows(0)).toBe(false);
    expect(limit.allows(1500)).toBe(true);
    expect(limit.allows(1999)).toBe(false);
  });
});

describe('ChallengeBudget', () => {
  /** How many it gives in each window when it is used up at once. */
  function windows(seed: number, count: number): { sizes: number[]; lengths: number[] } {
    const budget = new ChallengeBudget(new SeededRandom(seed));
    const [sizes, lengths]: [number[], number[]] = [[], []];
    let now = 0;
    for (let window = 0; window < count; window += 1) {
      let size = 0;
      const start = now;
      while (budget.take(now)) size += 1;
      while (!budget.take(now)) now += 1;
      sizes.push(size + (window === 0 ? 0 : 1));
      lengths.push(now - start);
    }
    return { sizes, lengths };
  }

  test('is bounded, and about a thousand a second on average', () => {
    const { sizes, lengths } = windows(3, 200);
    expect(Math.max(...sizes)).toBeLessThan(1.5 * CHALLENGES_PER_WINDOW + 1);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0.5 * CHALLENGES_PER_WINDOW);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const seconds = lengths.reduce((sum, length) => sum + length, 0) / 1000;
    expect(total / seconds).toBeGreaterThan(900);
    expect(total / seconds).toBeLessThan(1100);
  });

  test('cannot be read: neither its size nor its length comes again (CVE-2016-5696)', () => {
    const { sizes, lengths } = windows(4, 100);
    expect(new Set(sizes).size).toBeGreaterThan(80);
    expect(new Set(lengths).size).toBeGreaterThan(80);
  });
});
