import { describe, expect, test } from 'vitest';
import {
  MAX_TRIES_AT_ONCE,
  RemoteWalk,
  ROUNDS_BEFORE_GROWTH,
  type WalkStep,
} from '../../src/vpnclient/remote-walk.ts';

const FOR_EVER = Number.POSITIVE_INFINITY;

/** A walk over remotes whose names have so many addresses each. */
class Walker {
  readonly walk: RemoteWalk;
  readonly #addresses: readonly number[];

  constructor(addresses: readonly number[], firstMs = 1_000, maxMs = 300_000) {
    this.#addresses = addresses;
    this.walk = new RemoteWalk(addresses.map(() => ({ connectRetry: { firstMs, maxMs } })));
  }

  /** `remote.address`; looks the name up where that is due. */
  get place(): string {
    const { walk } = this;
    if (walk.wantsAddresses) walk.resolved(this.#addresses[walk.remote] ?? 1);
    return `${walk.remote}.${walk.address}`;
  }

  /** `place after pause`, or `over`. */
  fail(step: WalkStep, backoffMs = 0, maxRounds = FOR_EVER): string {
    return this.#shown(this.walk.failed(step, backoffMs, maxRounds));
  }

  leave(step: WalkStep, backoffMs = 0): string {
    return this.#shown(this.walk.left(step, backoffMs));
  }

  #shown(delayMs: number | undefined): string {
    return delayMs === undefined ? 'over' : `${this.place} after ${delayMs}`;
  }
}

describe('a walk over remotes', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; addresses: number[]; steps: WalkStep[]; places: string[] }>([
    { name: 'all addresses, then the next remote; a pause after the round', addresses: [2, 1], steps: ['address', 'address', 'address'], places: ['0.1 after 0', '1.0 after 0', '0.0 after 1000'] },
    { name: 'the next remote at once, whatever addresses are left',         addresses: [3, 2], steps: ['remote', 'remote'],              places: ['1.0 after 0', '0.0 after 1000'] },
    { name: 'the same address after a pause',                               addresses: [2, 2], steps: ['address', 'stay', 'address'],    places: ['0.1 after 0', '0.1 after 1000', '1.0 after 0'] },
    { name: 'the same address at once',                                     addresses: [2, 2], steps: ['address', 'again', 'address'],   places: ['0.1 after 0', '0.1 after 0', '1.0 after 0'] },
    { name: 'one remote with one address',                                  addresses: [1],    steps: ['address', 'remote', 'stay'],     places: ['0.0 after 1000', '0.0 after 1000', '0.0 after 1000'] },
  ])('$name', ({ addresses, steps, places }) => {
    const walker = new Walker(addresses);
    expect(walker.place).toBe('0.0');
    expect(steps.map((step) => walker.fail(step))).toEqual(places);
  });

  test('a name without addresses is passed over as one that has them', () => {
    const walker = new Walker([1, 1]);
    expect(walker.walk.wantsAddresses).toBe(true);
    expect(walker.walk.failed('address', 0, FOR_EVER)).toBe(0);
    expect(walker.walk.remote).toBe(1);
  });

  test('pauses double after five rounds, up to the longest', () => {
    const walker = new Walker([1], 1_000, 10_000);
    const pauses = Array.from({ length: ROUNDS_BEFORE_GROWTH + 6 }, () => walker.fail('address'));
    expect(pauses.map((text) => Number(text.split(' ').at(-1)))).toEqual([
      ...[1_000, 1_000, 1_000, 1_000, 1_000],
      ...[2_000, 4_000, 8_000, 10_000, 10_000, 10_000],
    ]);
  });

  test('a longest pause below the first is no pause below the first', () => {
    expect(new Walker([1], 5_000, 1_000).fail('address')).toBe('0.0 after 5000');
  });

  test('a session starts the count of rounds anew', () => {
    const walker = new Walker([1], 1_000, 10_000);
    for (let round = 0; round < 8; round += 1) walker.fail('address');
    walker.walk.arrived();
    expect(walker.fail('address')).toBe('0.0 after 1000');
  });

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; step: WalkStep; backoffMs: number; expected: string }>([
    { name: 'raises the pause of a round',       step: 'stay',    backoffMs: 7_000, expected: '0.0 after 7000' },
    { name: 'does not shorten it',               step: 'stay',    backoffMs: 10,    expected: '0.0 after 1000' },
    { name: 'makes one before the next address', step: 'address', backoffMs: 7_000, expected: '0.1 after 7000' },
    { name: 'makes one before the next remote',  step: 'remote',  backoffMs: 7_000, expected: '1.0 after 7000' },
  ])('a backoff $name', ({ step, backoffMs, expected }) => {
    const walker = new Walker([2, 1]);
    expect(walker.place).toBe('0.0');
    expect(walker.fail(step, backoffMs)).toBe(expected);
  });

  test('ends after so many rounds', () => {
    const walker = new Walker([1, 1]);
    const places = Array.from({ length: 4 }, () => walker.fail('address', 0, 2));
    expect(places).toEqual(['1.0 after 0', '0.0 after 1000', '1.0 after 0', 'over']);
  });

  test('does not try one address at once for ever', () => {
    const walker = new Walker([1]);
    const places = Array.from({ length: MAX_TRIES_AT_ONCE + 1 }, () => walker.fail('again'));
    expect(places.slice(0, -1)).toEqual(Array(MAX_TRIES_AT_ONCE).fill('0.0 after 0'));
    expect(places.at(-1)).toBe('0.0 after 1000');
  });

  test('tries at once are counted to the end of all rounds, too', () => {
    const walker = new Walker([1]);
    for (let count = 0; count < MAX_TRIES_AT_ONCE; count += 1) walker.fail('again', 0, 1);
    expect(walker.fail('again', 0, 1)).toBe('over');
  });
});

describe('after a session', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; step: WalkStep; expected: string }>([
    { name: 'the same address after the first pause', step: 'stay',    expected: '0.0 after 1000' },
    { name: 'at once only after the first pause',     step: 'again',   expected: '0.0 after 1000' },
    { name: 'the next address',                       step: 'address', expected: '0.1 after 0' },
    { name: 'the next remote',                        step: 'remote',  expected: '1.0 after 0' },
  ])('$name', ({ step, expected }) => {
    const walker = new Walker([2, 1]);
    expect(walker.place).toBe('0.0');
    walker.walk.arrived();
    expect(walker.leave(step)).toBe(expected);
    expect(walker.walk.rounds).toBe(0);
  });

  test('the last remote leads to the first, after a pause and with a backoff', () => {
    const walker = new Walker([1]);
    expect(walker.leave('address')).toBe('0.0 after 1000');
    expect(walker.leave('remote', 9_000)).toBe('0.0 after 9000');
  });

  test('on another network: the same remote, its name looked up anew', () => {
    const walker = new Walker([2, 2]);
    walker.fail('remote');
    walker.fail('address');
    expect(walker.place).toBe('1.1');
    walker.walk.startOver();
    expect(walker.walk.wantsAddresses).toBe(true);
    expect(walker.place).toBe('1.0');
  });
});
