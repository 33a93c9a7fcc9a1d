import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../src/core/token-bucket.ts';

describe('TokenBucket', () => {
  test('allows the rate and no more, whatever the pattern', () => {
    const bucket = new TokenBucket(10);
    let allowed = 0;
    for (let now = 0; now <= 10_000; now += 1) if (bucket.take(now)) allowed += 1;
    expect(allowed).toBe(10 + 100);
  });

  test('saves up for one second at most', () => {
    const bucket = new TokenBucket(5);
    const burst = (now: number) => [1, 2, 3, 4, 5, 6, 7].filter(() => bucket.take(now)).length;
    expect(burst(0)).toBe(5);
    expect(burst(200)).toBe(1);
    expect(burst(1_000_000)).toBe(5);
  });
});
