import { describe, expect, test } from 'vitest';
import { errorOf, profileWith, read } from './sample-profile.ts';

describe('compress and comp-lzo', () => {
  test.each([
    { line: 'compress', framing: 'stub', told: [] },
    { line: 'compress stub', framing: 'stub', told: [] },
    { line: 'compress stub-v2', framing: 'stub-v2', told: [] },
    { line: 'compress lz4', framing: 'stub', told: ['compress warn'] },
    { line: 'compress lz4-v2', framing: 'stub-v2', told: ['compress warn'] },
    { line: 'compress lzo', framing: 'comp-lzo-no', told: ['compress warn'] },
    { line: 'compress migrate', framing: 'none', told: ['compress quiet'] },
    { line: 'comp-lzo', framing: 'comp-lzo-no', told: ['comp-lzo warn'] },
    { line: 'comp-lzo yes', framing: 'comp-lzo-no', told: ['comp-lzo warn'] },
    { line: 'comp-lzo adaptive', framing: 'comp-lzo-no', told: ['comp-lzo warn'] },
    { line: 'comp-lzo no', framing: 'comp-lzo-no', told: [] },
  ])('$line frames as $framing', ({ line, framing, told }) => {
    const { compression, ignored } = read(line);
    expect(compression).toBe(framing);
    expect(ignored.map(({ directive, level }) => `${directive} ${level}`)).toEqual(told);
  });

  test('the last one wins, and is the only one that is told of', () => {
    const { compression, ignored } = read('comp-lzo yes', 'compress lz4', 'compress stub-v2');
    expect([compression, ignored]).toEqual(['stub-v2', []]);
    expect(read('compress stub-v2', 'compress lzo').ignored).toHaveLength(1);
  });

  test('a compressor is told of once: it works in one direction', () => {
    expect(read('comp-lzo').ignored[0]?.reason).toBe(
      'nothing is ever compressed; what comes compressed is opened',
    );
  });

  test.each(['compress zstd', 'compress LZ4', 'compress ""', 'comp-lzo NO', 'comp-lzo ""'])(
    '%s is refused',
    (line) => {
      expect(errorOf(`${line}\n${profileWith()}`)).toMatchObject({
        code: 'OVPN_CONFIG_INVALID',
        directive: line.split(' ')[0],
        line: 1,
      });
    },
  );
});

describe('allow-compression', () => {
  test.each([
    { lines: [], opened: false },
    { lines: ['compress stub-v2'], opened: false },
    { lines: ['comp-lzo no'], opened: false },
    { lines: ['comp-lzo'], opened: true },
    { lines: ['compress lz4-v2'], opened: true },
    { lines: ['allow-compression no'], opened: false },
    { lines: ['allow-compression asym'], opened: true },
    { lines: ['allow-compression yes'], opened: true },
    { lines: ['compat-mode 2.6.0'], opened: false },
    { lines: ['compat-mode 2.5.9'], opened: true },
    { lines: ['compat-mode 2.5.9', 'allow-compression no'], opened: false },
  ])('$lines: what comes compressed is opened: $opened', ({ lines, opened }) => {
    expect(read(...lines).allowDecompression).toBe(opened);
  });

  test('yes is told of: nothing is compressed', () => {
    expect(read('allow-compression yes').ignored).toEqual([
      expect.objectContaining({ directive: 'allow-compression', level: 'warn' }),
    ]);
    expect(read('allow-compression asym').ignored).toEqual([]);
  });

  test.each([
    { lines: ['allow-compression no', 'comp-lzo yes'], directive: 'comp-lzo' },
    { lines: ['comp-lzo', 'allow-compression no'], directive: 'comp-lzo' },
    { lines: ['compress lz4-v2', 'allow-compression no'], directive: 'compress' },
  ])('$lines contradict each other', ({ lines, directive }) => {
    const error = errorOf(profileWith(...lines));
    expect(error.problems).toHaveLength(1);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive });
    expect(error.message).toContain('allow-compression no forbids it');
  });

  test.each(['comp-lzo no', 'compress', 'compress stub-v2', 'compress migrate'])(
    'no allows %s',
    (line) => {
      expect(read('allow-compression no', line).allowDecompression).toBe(false);
    },
  );

  test.each(['allow-compression', 'allow-compression maybe'])('%s is refused', (line) => {
    expect(errorOf(profileWith(line)).directive).toBe('allow-compression');
  });
});
