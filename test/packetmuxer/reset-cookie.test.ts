import { describe, expect, test } from 'vitest';
import { sessionIdOf } from '../../src/model/ids.ts';
import { ResetCookie } from '../../src/packetmuxer/reset-cookie.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const SLOT = 30_000;
const CLIENT = sessionIdOf(Buffer.alloc(8, 1));
const OTHER = sessionIdOf(Buffer.alloc(8, 2));
const HERE = '192.0.2.1 1194';

describe('ResetCookie', () => {
  test('is the same for the same client within a slot', () => {
    const cookie = new ResetCookie(new SeededRandom(1), SLOT);
    expect(cookie.issue(HERE, CLIENT, 1)).toEqual(cookie.issue(HERE, CLIENT, SLOT - 1));
    expect(cookie.issue(HERE, CLIENT, 1)).toHaveLength(8);
  });

  test.each([
    { name: 'another slot', remote: HERE, client: CLIENT, now: SLOT },
    { name: 'another address', remote: '192.0.2.2 1194', client: CLIENT, now: 0 },
    { name: 'another port', remote: '192.0.2.1 1195', client: CLIENT, now: 0 },
    { name: 'another session id', remote: HERE, client: OTHER, now: 0 },
  ])('differs for $name', ({ remote, client, now }) => {
    const cookie = new ResetCookie(new SeededRandom(1), SLOT);
    expect(cookie.issue(remote, client, now)).not.toEqual(cookie.issue(HERE, CLIENT, 0));
  });

  test('differs for another secret', () => {
    const mine = new ResetCookie(new SeededRandom(1), SLOT).issue(HERE, CLIENT, 0);
    const theirs = new ResetCookie(new SeededRandom(2), SLOT);
    expect(theirs.issue(HERE, CLIENT, 0)).not.toEqual(mine);
    expect(theirs.verify(mine, HERE, CLIENT, 0)).toBe(false);
  });

  test.each([
    { name: 'at once', now: 2 * SLOT, known: true },
    { name: 'one slot later', now: 3 * SLOT, known: true },
    { name: 'at the end of the second slot after', now: 5 * SLOT - 1, known: true },
    { name: 'three slots later', now: 5 * SLOT, known: false },
    { name: 'before it was issued', now: 2 * SLOT - 1, known: false },
  ])('is known $name: $known', ({ now, known }) => {
    const cookie = new ResetCookie(new SeededRandom(1), SLOT);
    const issued = cookie.issue(HERE, CLIENT, 2 * SLOT);
    expect(cookie.verify(issued, HERE, CLIENT, now)).toBe(known);
  });

  test('is not known from elsewhere, for another client, or with a bit changed', () => {
    const cookie = new ResetCookie(new SeededRandom(1), SLOT);
    const issued = cookie.issue(HERE, CLIENT, 0);
    expect(cookie.verify(issued, '192.0.2.1 1195', CLIENT, 0)).toBe(false);
    expect(cookie.verify(issued, HERE, OTHER, 0)).toBe(false);
    for (let bit = 0; bit < 64; bit += 1) {
      const changed = sessionIdOf(issued);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(cookie.verify(changed, HERE, CLIENT, 0)).toBe(false);
    }
  });
});
