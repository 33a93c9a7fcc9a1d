import { describe, expect, test } from 'vitest';
import { FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT, pickPort } from '../../src/netstack/ports.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

describe('pickPort', () => {
  test('spreads evenly over the whole range', () => {
    const random = new SeededRandom(3);
    const tenths = new Array<number>(10).fill(0);
    const width = (LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT + 1) / 10;
    for (let drawn = 0; drawn < 10_000; drawn += 1) {
      const port = pickPort(random, 0, () => true) ?? 0;
      const tenth = Math.floor((port - FIRST_EPHEMERAL_PORT) / width);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('finds the only free port, and says when there is none', () => {
    const random = new SeededRandom(3);
    expect(pickPort(random, 5, (port) => port === 32_768)).toBe(32_768);
    expect(pickPort(random, 5, () => false)).toBeUndefined();
  });
});
