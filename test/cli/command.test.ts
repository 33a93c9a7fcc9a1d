import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { integer, seconds } from '../../src/cli/command.ts';

describe('seconds', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { text: '30',     milliseconds: 30_000 },
    { text: '0.5',    milliseconds: 500 },
    { text: '0.001',  milliseconds: 1 },
    { text: '999999', milliseconds: 999_999_000 },
  ])('$text', ({ text, milliseconds }) => {
    expect(seconds(text)).toBe(milliseconds);
  });

  test.each(['', '0', '0.000', '-1', '1e3', '1s', '.5', '0x10', ' 1', '1000000', '0.0001', 'NaN'])(
    'refuses "%s"',
    (text) => {
      expect(() => seconds(text)).toThrow(InvalidArgumentError);
    },
  );
});

describe('integer', () => {
  test.each(['1', '7', '65535'])('%s', (text) => {
    expect(integer(1, 65_535)(text)).toBe(Number(text));
  });

  test.each(['', '0', '65536', '1.5', '-1', '1e2', '0x1', ' 1'])('refuses "%s"', (text) => {
    expect(() => integer(1, 65_535)(text)).toThrow(InvalidArgumentError);
  });
});
