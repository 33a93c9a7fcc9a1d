import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Reader } from '../../src/core/reader.ts';

type Field = 'u8' | 'u16' | 'u32' | number;

function read(reader: Reader, field: Field): number | Buffer | undefined {
  return typeof field === 'number' ? reader.bytes(field) : reader[field]();
}

describe('Reader', () => {
  test('reads big-endian fields in order', () => {
    const reader = new Reader(Buffer.from('ff0102fffefdfcaabb', 'hex'));
    expect([reader.u8(), reader.u16(), reader.u32()]).toEqual([0xff, 0x0102, 0xfffefdfc]);
    expect(reader.remaining).toBe(2);
    expect(reader.bytes(2)).toEqual(Buffer.from('aabb', 'hex'));
    expect(reader.remaining).toBe(0);
  });

  test.each<{ field: Field; size: number }>([
    { field: 'u8', size: 0 },
    { field: 'u16', size: 0 },
    { field: 'u16', size: 1 },
    { field: 'u32', size: 3 },
    { field: 4, size: 3 },
    { field: 0xffff_ffff, size: 3 },
    { field: -1, size: 3 },
  ])('gives undefined for $field in $size bytes, and moves on by nothing', ({ field, size }) => {
    const reader = new Reader(Buffer.alloc(size));
    expect(read(reader, field)).toBeUndefined();
    expect(reader.remaining).toBe(size);
  });

  test('bytes are a copy, and none are an empty buffer', () => {
    const source = Buffer.from([1, 2]);
    const reader = new Reader(source);
    expect(reader.bytes(0)).toEqual(Buffer.alloc(0));
    const copy = reader.bytes(2);
    source.fill(9);
    expect(copy).toEqual(Buffer.from([1, 2]));
  });

  test('no sequence of reads throws or goes past the end', () => {
    const field = fc.oneof(
      fc.constantFrom<Field[]>('u8', 'u16', 'u32'),
      fc.integer({ min: -5, max: 70_000 }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.array(field), (bytes, fields) => {
        const source = Buffer.from(bytes);
        const reader = new Reader(source);
        let at = 0;
        for (const next of fields) {
          const value = read(reader, next);
          const length = typeof next === 'number' ? next : Number(next.slice(1)) / 8;
          const fits = length >= 0 && at + length <= source.length;
          expect(value !== undefined).toBe(fits);
          if (!fits) continue;
          const expected = source.subarray(at, at + length);
          if (typeof value === 'number') expect(value).toBe(source.readUIntBE(at, length));
          else expect(value).toEqual(Buffer.from(expected));
          at += length;
        }
        expect(reader.remaining).toBe(source.length - at);
      }),
    );
  });
});
