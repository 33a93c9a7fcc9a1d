import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { FragmentType, fragmentHeader } from '../../src/datachannel/fragment-header.ts';
import {
  FragmentReassembly,
  MAX_PARTIAL_PACKETS,
  MAX_REASSEMBLED_BYTES,
  PARTIAL_PACKET_TTL_MS,
} from '../../src/datachannel/fragment-reassembly.ts';
import { Fragmenter } from '../../src/datachannel/fragmenter.ts';
import { partsOf } from './parts.ts';

const { PART, LAST_PART, WHOLE, TEST } = FragmentType;

/** A part as it is on the wire: `bytes` of its number. */
function part(
  type: FragmentType,
  { sequence = 1, number = 0, size = 0, bytes = 100 } = {},
): Buffer {
  const wire = Buffer.alloc(4 + bytes, number + 1);
  wire.writeUInt32BE(fragmentHeader(type, sequence, number, size));
  return wire;
}

/** A packet of two parts of 100 bytes. */
function first(sequence: number): Buffer {
  return part(PART, { sequence });
}
function last(sequence: number): Buffer {
  return part(LAST_PART, { sequence, number: 1, size: 100 });
}
const WHOLE_PACKET = Buffer.concat([Buffer.alloc(100, 1), Buffer.alloc(100, 2)]);

describe('FragmentReassembly', () => {
  test('what is whole comes at once, without its header', () => {
    const reassembly = new FragmentReassembly(1756);
    expect(reassembly.accept(part(WHOLE, { sequence: 0 }), 0)).toEqual(Buffer.alloc(100, 1));
  });

  test('parts in any order, of several packets at once', () => {
    const reassembly = new FragmentReassembly(1756);
    for (const wire of [last(1), first(2), last(3)]) {
      expect(reassembly.accept(wire, 0)).toBe(Drop.NONE);
    }
    for (const wire of [first(3), first(1), last(2)]) {
      expect(reassembly.accept(wire, 0)).toEqual(WHOLE_PACKET);
    }
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no bytes',                              wire: Buffer.alloc(0) },
    { name: 'half a header',                         wire: Buffer.alloc(3) },
    { name: 'a header and nothing',                  wire: Buffer.alloc(4) },
    { name: 'a whole with a sequence',               wire: part(WHOLE, { sequence: 1 }) },
    { name: 'a whole with a part number',            wire: part(WHOLE, { sequence: 0, number: 1 }) },
    { name: 'a test',                                wire: part(TEST) },
    { name: 'a part that is no multiple of 4',       wire: part(PART, { bytes: 98 }) },
    { name: 'a last part of parts of no size',       wire: part(LAST_PART, { number: 1, size: 0 }) },
    { name: 'a last part longer than the others',    wire: part(LAST_PART, { number: 1, size: 96 }) },
    { name: 'a last part beyond the longest packet', wire: part(LAST_PART, { number: 17, size: 100 }) },
    { name: 'a part beyond the longest packet',      wire: part(PART, { number: 31 }) },
  ])('refuses $name (CVE-2023-46849)', ({ wire }) => {
    expect(new FragmentReassembly(1756).accept(wire, 0)).toBe(Drop.MALFORMED);
  });

  test('refuses a part behind the last one, and a last one before others', () => {
    const reassembly = new FragmentReassembly(1756);
    reassembly.accept(last(1), 0);
    expect(reassembly.accept(part(PART, { number: 2 }), 0)).toBe(Drop.MALFORMED);
    expect(reassembly.accept(first(1), 0)).toEqual(WHOLE_PACKET);
    reassembly.accept(part(PART, { sequence: 2, number: 3 }), 0);
    expect(reassembly.accept(last(2), 0)).toBe(Drop.MALFORMED);
  });

  test('parts of another size begin the packet anew', () => {
    const reassembly = new FragmentReassembly(1756);
    reassembly.accept(part(PART, { sequence: 1, bytes: 96 }), 0);
    expect(reassembly.accept(last(1), 0)).toBe(Drop.NONE);
    expect(reassembly.accept(first(1), 0)).toEqual(WHOLE_PACKET);
  });

  test('a part that came twice counts once', () => {
    const reassembly = new FragmentReassembly(1756);
    expect(reassembly.accept(first(1), 0)).toBe(Drop.NONE);
    expect(reassembly.accept(first(1), 0)).toBe(Drop.NONE);
    expect(reassembly.accept(last(1), 0)).toEqual(WHOLE_PACKET);
    expect(reassembly.accept(last(1), 0)).toBe(Drop.NONE);
  });

  test('an incomplete packet is forgotten after ten seconds without a part', () => {
    const reassembly = new FragmentReassembly(1756);
    reassembly.accept(first(1), 0);
    reassembly.accept(first(2), 0);
    expect(reassembly.accept(last(1), PARTIAL_PACKET_TTL_MS - 1)).toEqual(WHOLE_PACKET);
    expect(reassembly.accept(last(2), PARTIAL_PACKET_TTL_MS)).toBe(Drop.NONE);
    expect(reassembly.accept(first(2), PARTIAL_PACKET_TTL_MS)).toEqual(WHOLE_PACKET);
  });

  test('the newest 25 packets may be incomplete', () => {
    const reassembly = new FragmentReassembly(1756);
    for (let sequence = 1; sequence <= MAX_PARTIAL_PACKETS + 1; sequence += 1) {
      reassembly.accept(first(sequence), 0);
    }
    expect(reassembly.accept(last(2), 0)).toEqual(WHOLE_PACKET);
    expect(reassembly.accept(last(26), 0)).toEqual(WHOLE_PACKET);
    // Further back than the window: all is forgotten.
    expect(reassembly.accept(last(1), 0)).toBe(Drop.NONE);
    expect(reassembly.accept(last(3), 0)).toBe(Drop.NONE);
  });

  test('a sequence of the last round is not mixed with this one', () => {
    const reassembly = new FragmentReassembly(1756);
    reassembly.accept(first(1), 0);
    for (let sequence = 2; sequence < 257; sequence += 1) {
      reassembly.accept(first(sequence % 256), 0);
      expect(reassembly.accept(last(sequence % 256), 0)).toEqual(WHOLE_PACKET);
    }
    expect(reassembly.accept(last(1), 0)).toBe(Drop.NONE);
  });

  test('no packet is longer than 64 KiB, whatever is asked for', () => {
    const reassembly = new FragmentReassembly(1_000_000);
    const bytes = 2112;
    for (let number = 0; number < 31; number += 1) {
      expect(reassembly.accept(part(PART, { number, bytes }), 0)).toBe(Drop.NONE);
    }
    const end = part(LAST_PART, { number: 31, size: bytes, bytes: 65 });
    expect(31 * bytes + 65).toBeGreaterThan(MAX_REASSEMBLED_BYTES);
    expect(reassembly.accept(end, 0)).toBe(Drop.MALFORMED);
    const fitting = part(LAST_PART, { number: 31, size: bytes, bytes: 64 });
    expect(reassembly.accept(fitting, 0)).toHaveProperty('length', MAX_REASSEMBLED_BYTES);
  });

  test('puts together what a fragmenter cut, in any order, beside other packets', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 1500 }), { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 68, max: 600 }),
        fc.infiniteStream(fc.nat()),
        (payloads, limit, chance) => {
          const fragmenter = new Fragmenter(limit);
          const wires = payloads.flatMap((bytes) => partsOf(fragmenter, Buffer.from(bytes)));
          const shuffled = wires
            .map((wire) => ({ wire, rank: chance.next().value as number }))
            .sort((a, b) => a.rank - b.rank);
          const reassembly = new FragmentReassembly(1756);
          const found = shuffled.flatMap(({ wire }) => {
            const result = reassembly.accept(wire, 0);
            return typeof result === 'number' ? [] : [result.toString('hex')];
          });
          const sent = payloads.map((bytes) => Buffer.from(bytes).toString('hex'));
          expect(found.sort()).toEqual(sent.sort());
        },
      ),
    );
  });

  test('bytes of chance never throw, and never give more than the longest packet', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 40 }), (wires) => {
        const reassembly = new FragmentReassembly(500);
        for (const wire of wires) {
          const result = reassembly.accept(Buffer.from(wire), 0);
          if (typeof result !== 'number') expect(result.length).toBeLessThanOrEqual(500);
        }
      }),
    );
  });
});
