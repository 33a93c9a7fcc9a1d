import { describe, expect, test } from 'vitest';
import { FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT, pickPort } from '../../src/netstack/ports.ts';
import { TupleSecret } from '../../src/netstack/tuple-secret.ts';
import { address } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const LOCAL = address('10.8.0.2');
const REMOTE = address('10.8.0.1');

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

describe('TupleSecret', () => {
  test('initial sequence numbers rise with time for one tuple and differ between tuples', () => {
    const secret = new TupleSecret(new SeededRandom(4));
    const at = (port: number, now: number) => secret.initialSequence(LOCAL, port, REMOTE, 80, now);
    expect((at(1000, 10) - at(1000, 0)) >>> 0).toBe(2500);
    expect((at(1000, 1e9) - at(1000, 0)) >>> 0).toBe((250 * 1e9) % 0x1_0000_0000);
    const drawn = new Set(Array.from({ length: 1000 }, (_, port) => at(port, 0)));
    expect(drawn.size).toBe(1000);
  });

  test('another secret gives other numbers', () => {
    const [one, two] = [new TupleSecret(new SeededRandom(4)), new TupleSecret(new SeededRandom(5))];
    expect(one.portOffset(LOCAL, REMOTE, 80)).not.toBe(two.portOffset(LOCAL, REMOTE, 80));
    expect(one.portOffset(LOCAL, REMOTE, 80)).toBe(one.portOffset(LOCAL, REMOTE, 80));
    expect(one.portOffset(LOCAL, REMOTE, 81)).not.toBe(one.portOffset(LOCAL, REMOTE, 80));
  });
});
