import { describe, expect, test } from 'vitest';
import { FlowKey } from '../../src/netstack/flow-key.ts';
import { FIRST_EPHEMERAL_PORT, LAST_EPHEMERAL_PORT, pickPort } from '../../src/netstack/ports.ts';
import { TupleSecret } from '../../src/netstack/tuple-secret.ts';
import { address } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const LOCAL = address('10.8.0.2');
const REMOTE = address('10.8.0.1');
const DRAWS = 100_000;

function tuple(localPort: number, remotePort = 80, remoteAddress = REMOTE): FlowKey {
  return new FlowKey().readTuple({ localAddress: LOCAL, localPort, remoteAddress, remotePort });
}

/** Chi-square of `counts` against all alike; about its degrees of freedom when they are. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** 255 degrees of freedom: mean 255, deviation 22.6; six deviations above. */
const TOO_UNEVEN = 391;

describe('TupleSecret', () => {
  test('initial sequence numbers rise with time for one tuple, around the circle', () => {
    const secret = new TupleSecret(new SeededRandom(4));
    const at = (now: number) => secret.initialSequence(tuple(1000), now);
    expect((at(10) - at(0)) >>> 0).toBe(2500);
    expect((at(1e9) - at(0)) >>> 0).toBe((250 * 1e9) % 0x1_0000_0000);
    for (let now = 0; now < 20_000_000; now += 123_456.7) {
      expect((at(now + 60_000) - at(now)) | 0).toBeGreaterThan(0);
    }
  });

  test.each([
    { name: 'highest byte', shift: 24 },
    { name: 'second byte', shift: 16 },
    { name: 'third byte', shift: 8 },
    { name: 'lowest byte', shift: 0 },
  ])('the $name of 100,000 initial sequence numbers is even', ({ shift }) => {
    const secret = new TupleSecret(new SeededRandom(4));
    const counts = new Array<number>(256).fill(0);
    const deltas = new Array<number>(256).fill(0);
    let before = 0;
    for (let drawn = 0; drawn < DRAWS; drawn += 1) {
      const key = tuple(drawn & 0xffff, 80 + (drawn >>> 16));
      const sequence = secret.initialSequence(key, drawn / 10);
      const byte = (sequence >>> shift) & 0xff;
      const delta = ((sequence - before) >>> shift) & 0xff;
      counts[byte] = (counts[byte] ?? 0) + 1;
      deltas[delta] = (deltas[delta] ?? 0) + 1;
      before = sequence;
    }
    expect(chiSquare(counts)).toBeLessThan(TOO_UNEVEN);
    expect(chiSquare(deltas)).toBeLessThan(TOO_UNEVEN);
  });

  test('what would be a bad number generator fails the same check', () => {
    const counts = new Array<number>(256).fill(0);
    for (let drawn = 0; drawn < DRAWS; drawn += 1) {
      const byte = ((drawn * 64_000) >>> 24) & 0xff;
      counts[byte] = (counts[byte] ?? 0) + 1;
    }
    expect(chiSquare(counts)).toBeGreaterThan(TOO_UNEVEN);
  });

  test('one number tells nothing of another, nor one secret of another', () => {
    const [one, two] = [new TupleSecret(new SeededRandom(4)), new TupleSecret(new SeededRandom(5))];
    const key = tuple(1000);
    const numbers = [
      one.initialSequence(key, 0),
      two.initialSequence(key, 0),
      one.timestampOffset(key),
      two.timestampOffset(key),
      one.timestampOffset(tuple(1001)),
      one.portOffset(key),
      two.portOffset(key),
      one.portOffset(tuple(1000, 81)),
    ];
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(one.portOffset(tuple(1))).toBe(one.portOffset(tuple(2)));
  });

  test('the timestamps of a tuple begin at the same place each time', () => {
    const secret = new TupleSecret(new SeededRandom(4));
    expect(secret.timestampOffset(tuple(9))).toBe(secret.timestampOffset(tuple(9)));
  });
});

describe('local ports', () => {
  test('are even over their range, for one destination and over many', () => {
    const random = new SeededRandom(6);
    const secret = new TupleSecret(random);
    const width = (LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT + 1) / 256;
    for (const many of [false, true]) {
      const counts = new Array<number>(256).fill(0);
      for (let drawn = 0; drawn < DRAWS / 2; drawn += 1) {
        const offset = secret.portOffset(tuple(0, many ? drawn & 0xffff : 80));
        const port = pickPort(random, offset, () => true) ?? 0;
        const slot = Math.floor((port - FIRST_EPHEMERAL_PORT) / width);
        counts[slot] = (counts[slot] ?? 0) + 1;
      }
      expect(chiSquare(counts)).toBeLessThan(TOO_UNEVEN);
    }
  });

  test('seldom meet: as often as chance wants', () => {
    const random = new SeededRandom(7);
    const secret = new TupleSecret(random);
    const seen = new Set<number>();
    let met = 0;
    for (let drawn = 0; drawn < 1000; drawn += 1) {
      const port = pickPort(random, secret.portOffset(tuple(0)), () => true) ?? 0;
      if (seen.has(port)) met += 1;
      seen.add(port);
    }
    // 1000²/2 pairs over 28,232 ports: 17.7 on average, deviation 4.2.
    expect(met).toBeLessThan(43);
  });

  test('the next one cannot be told from the last one', () => {
    const random = new SeededRandom(8);
    let steps = 0;
    let before = 0;
    for (let drawn = 0; drawn < 1000; drawn += 1) {
      const port = pickPort(random, 0, () => true) ?? 0;
      if (Math.abs(port - before) <= 1) steps += 1;
      before = port;
    }
    expect(steps).toBeLessThan(5);
  });
});
