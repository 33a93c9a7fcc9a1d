import { describe, expect, test } from 'vitest';
import { runSeed } from './stream-grid-run.ts';

const { CI, TUNDIAL_SEEDS } = process.env;
/** How many seeds, all 10,000 of them in CI; `npm run test:seeds -- N` runs as many as wanted. */
const SEEDS = Number(TUNDIAL_SEEDS ?? (CI === undefined ? 2000 : 10_000));
const SEEDS_A_TEST = 100;

describe('streams both ways between two netstacks', () => {
  const firsts = Array.from({ length: Math.ceil(SEEDS / SEEDS_A_TEST) }, (_, index) => ({
    first: index * SEEDS_A_TEST + 1,
    last: Math.min((index + 1) * SEEDS_A_TEST, SEEDS),
  }));

  test.each(firsts)('arrive whole and leave nothing behind, seeds $first to $last', (range) => {
    const faults: string[] = [];
    for (let seed = range.first; seed <= range.last; seed += 1) {
      const { fault } = runSeed(seed);
      if (fault !== undefined) faults.push(fault);
    }
    expect(faults).toEqual([]);
  });
});
