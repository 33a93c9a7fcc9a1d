import { describe, expect, test } from 'vitest';
import { type Equivalent, isEquivalent, staleEntries } from './equivalent.ts';
import { findConditions } from './find-conditions.ts';
import type { Verdict } from './mutant.ts';
import { Progress, reportText } from './report.ts';

const FILE = 'src/layer/file.ts';
const MUTANTS = findConditions('if (a === b) f();\nif (c < d) g();\n', FILE);
const [equality, order, boundary] = MUTANTS;
if (equality === undefined || order === undefined || boundary === undefined) {
  throw new Error('expected three mutants');
}

const REVIEWED: Equivalent = {
  file: FILE,
  original: 'a === b',
  mutated: 'a !== b',
  reason: 'both are the same',
};

describe('isEquivalent', () => {
  test.each([
    { name: 'the one of the list', list: [REVIEWED], expected: true },
    { name: 'another file', list: [{ ...REVIEWED, file: 'src/other.ts' }], expected: false },
    { name: 'another condition', list: [{ ...REVIEWED, original: 'a === c' }], expected: false },
    { name: 'another change', list: [{ ...REVIEWED, mutated: 'a == b' }], expected: false },
  ])('$name: $expected', ({ list, expected }) => {
    expect(isEquivalent(equality, list)).toBe(expected);
  });
});

describe('staleEntries', () => {
  const gone = { ...REVIEWED, original: 'x === y' };
  test.each<[string, Verdict | undefined, Equivalent, boolean]>([
    ['survives still', 'survived', REVIEWED, false],
    ['is noticed now', 'caught', REVIEWED, true],
    ['was not run', undefined, REVIEWED, false],
    ['the condition is gone', 'survived', gone, true],
    ['of a file that was not examined', 'survived', { ...gone, file: 'src/other.ts' }, false],
  ])('%s', (_name, verdict, entry, isStale) => {
    const verdicts = new Map(verdict === undefined ? [] : [[equality, verdict]]);
    expect(staleEntries(MUTANTS, verdicts, [entry])).toEqual(isStale ? [entry] : []);
  });
});

describe('reportText', () => {
  test('names survivors and mutants that time has caught, and gives the score', () => {
    const verdicts = new Map<typeof equality, Verdict>([
      [equality, 'survived'],
      [order, 'late'],
      [boundary, 'caught'],
    ]);
    const files = { broken: ['src/b.ts'], partial: ['src/c.ts'] };
    const findings = { verdicts, ...files, reviewed: [], stale: [REVIEWED] };
    expect(reportText({ ...findings, survivors: [equality] }).split('\n')).toEqual([
      `survived  ${FILE}:1:5`,
      '    a === b',
      '  → a !== b',
      `no end  ${FILE}:2:5`,
      '    c < d',
      '  → !(c < d)',
      'not examined: the tests of src/b.ts fail without a mutant',
      'own tests only: others of the layer of src/c.ts fail',
      `stale entry: ${FILE}  a === b → a !== b`,
      '3 mutants: 2 noticed (1 by time), 0 equivalent, 1 survived: 66.7 %',
      '',
    ]);
  });
});

describe('Progress', () => {
  test.each([
    { isTTY: false, expected: `${FILE}: 3\nsurvived  ${FILE}:1:5\n    a === b\n  → a !== b\n` },
    { isTTY: true, expected: `\r\x1b[2K1/3, 1 survived  ${FILE}:1\r\x1b[2K` },
  ])('on a terminal: $isTTY', ({ isTTY, expected }) => {
    let written = '';
    const write = (text: string) => {
      written += text;
    };
    const progress = new Progress({ isTTY, write }, MUTANTS.length);
    progress.file(FILE, MUTANTS.length);
    progress.verdict(equality, 'survived');
    progress.end();
    expect(written).toBe(expected);
  });
});
