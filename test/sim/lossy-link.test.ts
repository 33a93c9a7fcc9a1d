import { describe, expect, test } from 'vitest';
import { LossyLink, type LossyLinkOptions } from './lossy-link.ts';
import { VirtualClock } from './virtual-clock.ts';

/** What arrives, and when, of 1,000 numbers sent a millisecond apart. */
function arrivals(options: LossyLinkOptions<number>, seed = 1): [item: number, at: number][] {
  const clock = new VirtualClock();
  const seen: [number, number][] = [];
  const link = new LossyLink<number>(clock, seed, options, (item) =>
    seen.push([item, clock.now()]),
  );
  for (let item = 0; item < 1000; item += 1) {
    link.send(item);
    clock.advance(1);
  }
  clock.advance(10_000);
  return seen;
}

const sorted = (items: readonly number[]) => items.toSorted((a, b) => a - b);

describe('LossyLink', () => {
  test('is a good line by default', () => {
    const expected = Array.from({ length: 1000 }, (_, item) => [item, item]);
    expect(arrivals({})).toEqual(expected);
  });

  test('delays, and keeps the order', () => {
    const seen = arrivals({ delayMs: 20, jitterMs: 10 });
    expect(seen.map(([item]) => item)).toEqual(sorted(seen.map(([item]) => item)));
    for (const [item, at] of seen) {
      expect(at).toBeGreaterThanOrEqual(item + 20);
      expect(at).toBeLessThan(item + 41);
    }
  });

  test('loses, repeats, reorders and damages about as often as asked', () => {
    const options = { delayMs: 5, lossPercent: 20, duplicatePercent: 10, reorderPercent: 10 };
    const seen = arrivals({ ...options, corruptPercent: 10, corrupt: (item) => -item });
    const items = seen.map(([item]) => Math.abs(item));
    const kept = new Set(items).size;
    expect(kept).toBeGreaterThan(740);
    expect(kept).toBeLessThan(860);
    expect(items.length - kept).toBeGreaterThan(40);
    expect(items).not.toEqual(sorted(items));
    expect(seen.filter(([item]) => item < 0).length).toBeGreaterThan(40);
  });

  test('is repeatable by its seed', () => {
    const options = { delayMs: 5, jitterMs: 9, lossPercent: 20, reorderPercent: 10 };
    expect(arrivals(options, 7)).toEqual(arrivals(options, 7));
    expect(arrivals(options, 7)).not.toEqual(arrivals(options, 8));
  });

  test('passes no more than its rate, and drops what the queue does not hold', () => {
    const rate = { bytesPerMs: 50, queueBytes: 1000, sizeOf: () => 100 };
    const seen = arrivals({ rate });
    expect(seen.length).toBeGreaterThan(500);
    expect(seen.length).toBeLessThan(515);
    for (const [item, at] of seen) expect(at - item).toBeLessThanOrEqual(20);
  });

  test('loses in bursts of about the length that was asked for', () => {
    const seen = arrivals({ burst: { beginPercent: 2, endPercent: 20 } }, 3).map(([item]) => item);
    const gaps = seen.map((item, index) => item - (seen[index - 1] ?? -1) - 1);
    const bursts = gaps.filter((length) => length > 0);
    const average = (1000 - seen.length) / bursts.length;
    expect(bursts.length).toBeGreaterThan(10);
    expect(average).toBeGreaterThan(3);
    expect(average).toBeLessThan(8);
  });

  test('loses what it is told to', () => {
    const items = arrivals({ lose: (item) => item % 10 === 3 }).map(([item]) => item);
    expect(items).toHaveLength(900);
    expect(items.filter((item) => item % 10 === 3)).toEqual([]);
  });

  test('holds an item back by no more than asked', () => {
    const seen = arrivals({ delayMs: 20, reorderPercent: 30, reorderMs: 5 });
    expect(seen.map(([item]) => item)).not.toEqual(sorted(seen.map(([item]) => item)));
    for (const [item, at] of seen) {
      expect(at - item).toBeGreaterThanOrEqual(20);
      expect(at - item).toBeLessThan(25);
    }
  });
});
