import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd, serialDiff, serialLess, serialLessOrEqual } from '../../src/core/serial.ts';

describe('serial numbers', () => {
  test.each([
    { name: 'equal', a: 7, b: 7, diff: 0 },
    { name: 'later', a: 9, b: 7, diff: 2 },
    { name: 'earlier', a: 7, b: 9, diff: -2 },
    { name: 'later across the wrap', a: 1, b: 0xffff_ffff, diff: 2 },
    { name: 'earlier across the wrap', a: 0xffff_fffe, b: 3, diff: -5 },
    { name: 'as far as can be told', a: 0x7fff_ffff, b: 0, diff: 0x7fff_ffff },
  ])('$name', ({ a, b, diff }) => {
    expect(serialDiff(a, b)).toBe(diff);
    expect(serialLess(a, b)).toBe(diff < 0);
    expect(serialLessOrEqual(a, b)).toBe(diff <= 0);
  });

  test('what was added is the distance, from any starting point', () => {
    const start = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(start, fc.integer({ min: 1, max: 0x7fff_ffff }), (a, n) => {
        const later = serialAdd(a, n);
        expect(later).toBe((a + n) % 2 ** 32);
        expect(serialDiff(later, a)).toBe(n);
        expect(serialLess(a, later)).toBe(true);
        expect(serialLessOrEqual(later, a)).toBe(false);
        expect(serialAdd(later, -n)).toBe(a);
      }),
    );
  });
});
