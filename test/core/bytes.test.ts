import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY, setU8, setU16, setU24, setU32, u8, u16, u24, u32 } from '../../src/core/bytes.ts';

const widths = [
  { name: 'u8', bytes: 1, get: u8, set: setU8 },
  { name: 'u16', bytes: 2, get: u16, set: setU16 },
  { name: 'u24', bytes: 3, get: u24, set: setU24 },
  { name: 'u32', bytes: 4, get: u32, set: setU32 },
];

describe.each(widths)('$name', ({ bytes, get, set }) => {
  const largest = 2 ** (8 * bytes) - 1;

  test.each([0, 1, largest - 1, largest, (largest + 1) / 2])('writes and reads %d', (value) => {
    const buffer = Buffer.alloc(8, 0x55);
    set(buffer, 2, value);
    expect(get(buffer, 2)).toBe(value);
    expect(buffer.readUIntBE(2, bytes)).toBe(value);
  });

  test('agrees with Node at every position and touches nothing beside it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: largest }), fc.nat(8 - bytes), (value, at) => {
        const ours = Buffer.alloc(8, 0x55);
        const nodes = Buffer.alloc(8, 0x55);
        set(ours, at, value);
        nodes.writeUIntBE(value, at, bytes);
        expect(ours).toEqual(nodes);
        expect(get(ours, at)).toBe(value);
      }),
    );
  });
});

test('EMPTY has no bytes', () => {
  expect(EMPTY).toHaveLength(0);
});
