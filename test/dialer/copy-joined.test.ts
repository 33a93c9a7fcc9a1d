import { describe, expect, test } from 'vitest';
import { COPIED_BYTES, copyJoined } from '../../src/dialer/copy-joined.ts';

const lengths = (buffers: readonly Buffer[]) => buffers.map(({ length }) => length);

describe('copyJoined', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'one chunk',                  given: [5],                          copied: [5] },
    { name: 'small chunks',               given: [1, 2, 3],                    copied: [6] },
    { name: 'exactly the most',           given: [COPIED_BYTES - 1, 1],        copied: [COPIED_BYTES] },
    { name: 'one byte more',              given: [COPIED_BYTES, 1],            copied: [COPIED_BYTES, 1] },
    { name: 'a longer one between small', given: [1, 2 * COPIED_BYTES, 1, 1],  copied: [1, 2 * COPIED_BYTES, 2] },
    { name: 'nothing in a chunk',         given: [0],                          copied: [0] },
  ])('$name', ({ given, copied }) => {
    const chunks = given.map((length, at) => Buffer.alloc(length, at + 1));
    const wanted = Buffer.concat(chunks);
    const copies = copyJoined(chunks);
    for (const chunk of chunks) chunk.fill(0);
    expect(lengths(copies)).toEqual(copied);
    expect(Buffer.concat(copies).equals(wanted)).toBe(true);
  });
});
