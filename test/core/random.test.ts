import { describe, expect, test } from 'vitest';
import { SystemRandom } from '../../src/core/random.ts';

describe('SystemRandom', () => {
  test('draws integers of 32 bits that do not repeat, past many refills of its pool', () => {
    const random = new SystemRandom();
    const draws = Array.from({ length: 5000 }, () => random.uint32());
    for (const draw of draws)
      expect(draw >= 0 && draw <= 0xffff_ffff && Number.isInteger(draw)).toBe(true);
    // A repetition among 5,000 draws has a probability of 0.3 %, three have 1 in 10 million.
    expect(new Set(draws).size).toBeGreaterThan(4997);
  });

  test('every bit is set in about half of the draws', () => {
    const random = new SystemRandom();
    const counts = new Array<number>(32).fill(0);
    for (let draw = 0; draw < 4096; draw += 1) {
      const value = random.uint32();
      for (let bit = 0; bit < 32; bit += 1)
        counts[bit] = (counts[bit] ?? 0) + ((value >>> bit) & 1);
    }
    // 2048 expected, standard deviation 32: ten deviations away is never seen.
    for (const count of counts) expect(Math.abs(count - 2048)).toBeLessThan(320);
  });

  test('gives as many bytes as asked for, each time others, in a buffer of their own', () => {
    const random = new SystemRandom();
    const first = random.bytes(32);
    expect(first).toHaveLength(32);
    expect(random.bytes(32).equals(first)).toBe(false);
    expect(random.bytes(0)).toHaveLength(0);
  });
});
