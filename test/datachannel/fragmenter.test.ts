import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import {
  fragmentHeader,
  fragmentTypeOf,
  partOf,
  partSizeOf,
  sequenceOf,
} from '../../src/datachannel/fragment-header.ts';
import { Fragmenter, MIN_PART_BYTES } from '../../src/datachannel/fragmenter.ts';
import { partsOf } from './parts.ts';

describe('fragment header', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'whole',                type: 0, sequence: 0,   part: 0,  size: 0,     header: 0x00000000 },
    { name: 'first part',           type: 1, sequence: 1,   part: 0,  size: 0,     header: 0x00000005 },
    { name: 'second part',          type: 1, sequence: 255, part: 1,  size: 0,     header: 0x000007fd },
    { name: 'last part',            type: 2, sequence: 1,   part: 1,  size: 752,   header: 0x005e0406 },
    { name: 'last of all, longest', type: 2, sequence: 255, part: 31, size: 65532, header: 0x1ffffffe },
  ] as const)('$name', ({ type, sequence, part, size, header }) => {
    expect(fragmentHeader(type, sequence, part, size)).toBe(header);
    expect(fragmentTypeOf(header)).toBe(type);
    expect(sequenceOf(header)).toBe(sequence);
    expect(partOf(header)).toBe(part);
    expect(partSizeOf(header)).toBe(size);
  });
});

describe('Fragmenter', () => {
  test('a payload that fits goes whole', () => {
    const fragmenter = new Fragmenter(104);
    expect(partsOf(fragmenter, Buffer.alloc(100, 7))).toEqual([
      Buffer.concat([Buffer.alloc(4), Buffer.alloc(100, 7)]),
    ]);
    expect(fragmenter.pending).toBe(false);
  });

  test('a longer one goes in parts of about the same length, a multiple of 4', () => {
    const parts = partsOf(new Fragmenter(1176), Buffer.alloc(1500, 7));
    expect(parts.map(({ length }) => length)).toEqual([756, 752]);
    expect(parts.map((part) => part.readUInt32BE(0).toString(16))).toEqual(['5', '5e0406']);
  });

  test('every packet in parts has the next sequence, modulo 256', () => {
    const fragmenter = new Fragmenter(104);
    const seen = Array.from({ length: 257 }, () => {
      const [first] = partsOf(fragmenter, Buffer.alloc(101));
      return sequenceOf(first?.readUInt32BE(0) ?? -1);
    });
    expect([seen[0], seen[254], seen[255], seen[256]]).toEqual([1, 255, 0, 1]);
  });

  test('a payload of more than 32 parts is refused', () => {
    const fragmenter = new Fragmenter(104);
    expect(partsOf(fragmenter, Buffer.alloc(3200))).toHaveLength(32);
    expect(fragmenter.begin(Buffer.alloc(3201))).toBe(Drop.MALFORMED);
    expect(fragmenter.pending).toBe(false);
  });

  test.each([-100, 0, 1, 4, 67])('a limit of %i cuts no shorter than a part may be', (limit) => {
    const parts = partsOf(new Fragmenter(limit), Buffer.alloc(1500));
    expect(parts[0]?.length).toBeLessThanOrEqual(MIN_PART_BYTES + 4);
    expect(parts).toHaveLength(24);
  });

  test('no part is longer than the limit, and together they are the payload', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 68, max: 2000 }),
        fc.uint8Array({ maxLength: 2000 }),
        (limit, bytes) => {
          const parts = partsOf(new Fragmenter(limit), Buffer.from(bytes));
          for (const part of parts) expect(part.length).toBeLessThanOrEqual(limit);
          expect(Buffer.concat(parts.map((part) => part.subarray(4)))).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });
});
