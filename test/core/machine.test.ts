import { describe, expect, test } from 'vitest';
import { DROP_NAMES, Drop, DropCounter } from '../../src/core/machine.ts';

describe('DROP_NAMES', () => {
  test('has the name of each reason at its number', () => {
    for (const [name, drop] of Object.entries(Drop)) {
      expect(DROP_NAMES[drop]).toBe(name.toLowerCase().replaceAll('_', '-'));
    }
    expect(DROP_NAMES).toHaveLength(Object.keys(Drop).length);
  });
});

describe('DropCounter', () => {
  test('counts by reason and does not count what was taken', () => {
    const drops = new DropCounter();
    for (const drop of [Drop.REPLAY, Drop.NONE, Drop.REPLAY, Drop.BAD_AUTH]) drops.count(drop);
    expect(drops.snapshot()).toEqual({ replay: 2, 'bad-auth': 1 });
    expect([drops.of(Drop.REPLAY), drops.of(Drop.NONE), drops.of(Drop.MARTIAN)]).toEqual([2, 0, 0]);
  });
});
