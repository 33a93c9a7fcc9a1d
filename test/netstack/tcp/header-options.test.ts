import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderOptions, MAX_SACK_BLOCKS } from '../../../src/netstack/tcp/header-options.ts';

const MAX_BYTES = 40;

function read(hex: string): HeaderOptions {
  const packet = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const options = new HeaderOptions();
  options.read(packet, 0, packet.length);
  return options;
}

function blocksOf({ sackBlocks, sackEdges }: HeaderOptions): string {
  const edges = Array.from(sackEdges.subarray(0, 2 * sackBlocks), (edge) => edge.toString(16));
  return edges.join(' ');
}

const BLOCK = '0000000a 0000000b';

describe('SACK', () => {
  test.each([
    { name: 'one block', hex: `0101 050a ${BLOCK}`, blocks: 'a b' },
    { name: 'not aligned', hex: `050a ${BLOCK} 0000`, blocks: 'a b' },
    { name: 'across the wrap', hex: '0101 050a fffffff0 00000010', blocks: 'fffffff0 10' },
    { name: 'four', hex: `0522 ${`${BLOCK} `.repeat(4)}`, blocks: 'a b a b a b a b' },
    {
      name: 'three beside timestamps',
      hex: `0101 080a 00000001 00000002 0101 051a ${`${BLOCK} `.repeat(3)}`,
      blocks: 'a b a b a b',
    },
    { name: 'no block', hex: '0502 0000', blocks: '' },
    { name: 'half a block', hex: '0506 0000000a 0000', blocks: '' },
    { name: 'a block and a half', hex: `050e ${BLOCK} 0000000c 0000`, blocks: '' },
    { name: 'a block and a byte', hex: `050b ${BLOCK} 00 00`, blocks: '' },
    { name: 'five, which a header cannot hold', hex: `052a ${`${BLOCK} `.repeat(5)}`, blocks: '' },
    { name: 'longer than the header', hex: `0101 0512 ${BLOCK}`, blocks: '' },
    { name: 'length 0', hex: `0101 0500 ${BLOCK}`, blocks: '' },
    { name: 'length 1', hex: `0101 0501 ${BLOCK}`, blocks: '' },
    { name: 'cut behind its kind', hex: '01 01 01 05', blocks: '' },
    { name: 'behind the end of the list', hex: `00 01 050a ${BLOCK}`, blocks: '' },
    { name: 'twice: the last counts', hex: `050a ${BLOCK} 050a 00000001 00000002`, blocks: '1 2' },
  ])('$name', ({ hex, blocks }) => {
    expect(blocksOf(read(hex))).toBe(blocks);
  });

  test.each([
    { name: 'right', hex: '0402 0101', permitted: true },
    { name: 'too long', hex: '0403 0001', permitted: false },
    { name: 'cut', hex: '01 01 01 04', permitted: false },
  ])('permitted: $name', ({ hex, permitted }) => {
    expect(read(hex).sackPermitted).toBe(permitted);
  });

  test.each([
    { name: 'alone', timestamps: false, mss: -1, windowScale: -1, room: 4 },
    { name: 'beside timestamps', timestamps: true, mss: -1, windowScale: -1, room: 3 },
    { name: 'beside an MSS', timestamps: false, mss: 1000, windowScale: -1, room: 4 },
    { name: 'beside those of a SYN', timestamps: true, mss: 1000, windowScale: 7, room: 2 },
  ])('room for blocks: $name', ({ timestamps, mss, windowScale, room }) => {
    const options = new HeaderOptions();
    Object.assign(options, { mss, windowScale, hasTimestamps: timestamps });
    expect(options.sackRoom).toBe(room);
    options.sackBlocks = room;
    expect(options.sackRoom).toBe(room);
    expect(options.length).toBeLessThanOrEqual(MAX_BYTES);
    expect(options.length % 4).toBe(0);
  });

  test('is written aligned, behind two no-operations', () => {
    const options = new HeaderOptions();
    options.sackBlocks = 2;
    options.sackEdges.set([1, 2, 0xffff_fff0, 0x10]);
    const packet = Buffer.alloc(options.length);
    options.write(packet, 0);
    expect(packet.toString('hex')).toBe('01010512000000010000000' + '2fffffff000000010');
  });
});

describe('HeaderOptions', () => {
  test('reads what it writes, as many blocks as there is room for', () => {
    const uint32 = fc.nat(0xffff_ffff);
    fc.assert(
      fc.property(
        fc.record({
          mss: fc.oneof(fc.constant(-1), fc.nat(0xffff)),
          windowScale: fc.oneof(fc.constant(-1), fc.nat(14)),
          hasTimestamps: fc.boolean(),
          sackPermitted: fc.boolean(),
        }),
        fc.array(uint32, { minLength: 10, maxLength: 10 }),
        fc.nat(MAX_SACK_BLOCKS),
        (plain, numbers, blocks) => {
          const written = new HeaderOptions();
          const [timestamp = 0, echo = 0, ...edges] = plain.hasTimestamps
            ? numbers
            : [0, 0, ...numbers.slice(2)];
          Object.assign(written, { ...plain, timestamp, echo });
          written.sackBlocks = Math.min(blocks, written.sackRoom);
          written.sackEdges.set(edges.slice(0, 2 * written.sackBlocks));
          const packet = Buffer.alloc(written.length);
          written.write(packet, 0);
          const options = new HeaderOptions();
          options.read(packet, 0, packet.length);
          expect(options).toEqual(written);
        },
      ),
    );
  });

  test('whatever it reads, it never reads past the end nor claims more than it holds', () => {
    const options = new HeaderOptions();
    const bytes = fc.uint8Array({ maxLength: MAX_BYTES });
    fc.assert(
      fc.property(bytes, fc.nat(MAX_BYTES), (list, cut) => {
        const end = Math.min(cut, list.length);
        options.read(list, 0, end);
        expect(options.sackBlocks).toBeLessThanOrEqual(MAX_SACK_BLOCKS);
        const other = new HeaderOptions();
        other.read(Uint8Array.from([...list.subarray(0, end), 0xee, 0xee, 0xee, 0xee]), 0, end);
        other.sackEdges.fill(0, 2 * other.sackBlocks);
        options.sackEdges.fill(0, 2 * options.sackBlocks);
        expect(other).toEqual(options);
      }),
      { numRuns: 2000 },
    );
  });
});
