import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_WORDS, splitLine } from '../../src/config/line-words.ts';

describe('splitLine', () => {
  test.each([
    { name: 'blanks and tabs', line: ' \ta\t b  c ', words: ['a', 'b', 'c'] },
    { name: 'nothing', line: '', words: [] },
    { name: 'only blanks', line: ' \t ', words: [] },
    { name: 'a return at the end', line: 'a b\r', words: ['a', 'b'] },
    { name: 'double quotes', line: 'a "b c" d', words: ['a', 'b c', 'd'] },
    { name: 'an empty word', line: 'a "" \'\'', words: ['a', '', ''] },
    { name: 'single quotes are literal', line: "a 'b \\ \"c'", words: ['a', 'b \\ "c'] },
    { name: 'escapes in double quotes', line: 'a "b \\"c\\" \\\\"', words: ['a', 'b "c" \\'] },
    { name: 'escapes outside quotes', line: 'a b\\ c\\"\\\\', words: ['a', 'b c"\\'] },
    { name: 'an escaped blank first', line: '\\ a', words: [' a'] },
    { name: 'a comment line', line: '# a "b', words: [] },
    { name: 'a comment after words', line: 'a ; b', words: ['a'] },
    { name: 'a hash inside a word', line: 'a b#c d;e', words: ['a', 'b#c', 'd;e'] },
    { name: 'a quoted hash', line: 'a "#b"', words: ['a', '#b'] },
    { name: 'a quote inside a word', line: 'a b"c"', words: ['a', 'b"c"'] },
    { name: 'a word after a quote', line: '"a"b', words: ['a', 'b'] },
    { name: 'bytes beyond ASCII', line: 'a käse', words: ['a', 'käse'] },
  ])('$name', ({ line, words }) => {
    expect(splitLine(line)).toEqual({ words, problem: undefined });
  });

  test.each([
    { name: 'an open double quote', line: 'a "b', problem: 'a quote is not closed' },
    { name: 'an open single quote', line: "a 'b", problem: 'a quote is not closed' },
    { name: 'a backslash at the end', line: 'a b\\', problem: 'a backslash must be doubled' },
    { name: 'a Windows path', line: 'a C:\\b', problem: 'a backslash must be doubled' },
    { name: 'too many words', line: 'a '.repeat(MAX_WORDS + 1), problem: 'more than 256 words' },
  ])('refuses $name', ({ line, problem }) => {
    expect(splitLine(line)).toEqual({ words: [], problem });
  });

  test('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), (words) => {
        const line = words.map((word) => `"${word.replace(/[\\"]/g, '\\$&')}"`).join(' ');
        expect(splitLine(line).words).toEqual(words);
      }),
    );
  });

  test('takes any text without throwing, and tells a problem or words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (line) => {
        const { words, problem } = splitLine(line);
        expect(problem === undefined || words.length === 0).toBe(true);
      }),
    );
  });
});
