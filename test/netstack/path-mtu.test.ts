import { describe, expect, test } from 'vitest';
import { MAX_PATHS, PATH_MTU_AGE_MS, PathMtus } from '../../src/netstack/path-mtu.ts';
import { address } from '../sim/netstack-pair.ts';

const [ONE, TWO, SIX] = [address('192.0.2.1'), address('192.0.2.2'), address('2001:db8::1')];

describe('PathMtus', () => {
  test('knows nothing at first: every path is as wide as the tunnel', () => {
    const mtus = new PathMtus(1500);
    expect(mtus.mtuTo(ONE, 0)).toBe(1500);
    expect(mtus.knownUntil(ONE, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    { name: 'narrower', to: ONE, told: 1300, holds: 1300 },
    { name: 'as wide as the tunnel', to: ONE, told: 1500, holds: 1500 },
    { name: 'wider', to: ONE, told: 9000, holds: 1500 },
    { name: 'under the floor of IPv4', to: ONE, told: 68, holds: 576 },
    { name: 'nothing', to: ONE, told: 0, holds: 576 },
    { name: 'under the floor of IPv6', to: SIX, told: 600, holds: 1280 },
  ])('told $name', ({ to, told, holds }) => {
    const mtus = new PathMtus(1500);
    expect(mtus.lower(to, told, 0)).toBe(holds);
    expect(mtus.mtuTo(to, 1)).toBe(holds);
    expect(mtus.mtuTo(TWO, 1)).toBe(1500);
  });

  test('only lowers, until it is ten minutes old', () => {
    const mtus = new PathMtus(1500);
    mtus.lower(ONE, 1000, 0);
    expect(mtus.lower(ONE, 1200, 1000)).toBe(1000);
    expect(mtus.knownUntil(ONE, 1000)).toBe(PATH_MTU_AGE_MS);
    expect(mtus.lower(ONE, 900, 2000)).toBe(900);
    expect(mtus.mtuTo(ONE, PATH_MTU_AGE_MS + 1999)).toBe(900);
    expect(mtus.mtuTo(ONE, PATH_MTU_AGE_MS + 2000)).toBe(1500);
    expect(mtus.size).toBe(0);
  });

  test('a shorter age may be given', () => {
    const mtus = new PathMtus(1500);
    mtus.lower(ONE, 1000, 0, 60_000);
    expect(mtus.knownUntil(ONE, 0)).toBe(60_000);
  });

  test('a tunnel narrower than the floor stays what it is', () => {
    const mtus = new PathMtus(400);
    expect(mtus.lower(ONE, 100, 0)).toBe(400);
    expect(mtus.size).toBe(0);
  });

  test('remembers 1,024 destinations; the oldest makes room', () => {
    const mtus = new PathMtus(1500);
    for (let host = 0; host < MAX_PATHS + 10; host += 1) {
      mtus.lower(address(`10.${host >>> 8}.${host & 0xff}.1`), 1000, 0);
    }
    expect(mtus.size).toBe(MAX_PATHS);
    expect(mtus.mtuTo(address('10.0.9.1'), 0)).toBe(1500);
    expect(mtus.mtuTo(address('10.0.10.1'), 0)).toBe(1000);
    mtus.clear();
    expect(mtus.size).toBe(0);
  });
});
