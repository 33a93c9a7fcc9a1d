import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLz4Block } from '../../src/datachannel/lz4-block.ts';
import { openLzo1xBlock } from '../../src/datachannel/lzo1x-block.ts';
import { lz4Stream, lzoStream, type Step, steps } from './block-streams.ts';
import { COMPRESSED_BLOCKS } from './compressed-blocks.ts';

type Open = (block: Buffer, output: Buffer) => number;

/** What `block` opens to, when `room` bytes may come of it; undefined: it is refused. */
function opened(open: Open, block: Buffer, room: number): Buffer | undefined {
  // What lies behind the room must stay as it is.
  const memory = Buffer.alloc(room + 64, 0xa5);
  const length = open(block, memory.subarray(0, room));
  expect(memory.subarray(room)).toEqual(Buffer.alloc(64, 0xa5));
  expect(length).toBeLessThanOrEqual(room);
  return length < 0 ? undefined : memory.subarray(0, length);
}

const FORMATS: readonly {
  readonly name: string;
  readonly open: Open;
  readonly key: 'lz4' | 'lzo' | 'lzo999';
}[] = [
  { name: 'LZ4', open: openLz4Block, key: 'lz4' },
  { name: 'LZO1X-1(15)', open: openLzo1xBlock, key: 'lzo' },
  { name: 'LZO1X-999', open: openLzo1xBlock, key: 'lzo999' },
];

describe.each(FORMATS)('$name', ({ open, key }) => {
  test.each(COMPRESSED_BLOCKS)('opens what its own compressor made: $name', (row) => {
    const text = Buffer.from(row.text, 'hex');
    const block = Buffer.from(row[key], 'hex');

    expect(opened(open, block, text.length)).toEqual(text);
    expect(opened(open, block, 65_536)).toEqual(text);
    expect(opened(open, block, text.length - 1)).toBeUndefined();
  });

  test.each(COMPRESSED_BLOCKS)('no beginning of a block is taken for a whole: $name', (row) => {
    const text = Buffer.from(row.text, 'hex');
    const block = Buffer.from(row[key], 'hex');
    for (let length = 0; length < block.length; length += 1) {
      const found = opened(open, block.subarray(0, length), text.length);
      // An LZ4 block has no end mark: it may be cut between two sequences.
      if (found !== undefined) expect(found).toEqual(text.subarray(0, found.length));
      if (key !== 'lz4') expect(found).toBeUndefined();
    }
  });

  test('bytes of chance neither throw nor leave the output', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: 2000 }),
        (bytes, room) => {
          opened(open, Buffer.from(bytes), room);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a block with one wrong byte neither throws nor leaves the output', () => {
    for (const row of COMPRESSED_BLOCKS) {
      const block = Buffer.from(row[key], 'hex');
      for (let at = 0; at < block.length; at += 1) {
        for (const value of [0, 1, 0x11, 0x7f, 0xff]) {
          const wrong = Buffer.from(block);
          wrong[at] = value;
          opened(open, wrong, 1756);
        }
      }
    }
  });
});

const STREAMS: readonly {
  readonly name: string;
  readonly open: Open;
  readonly stream: (given: readonly Step[]) => { readonly block: Buffer; readonly text: Buffer };
}[] = [
  { name: 'LZ4', open: openLz4Block, stream: lz4Stream },
  { name: 'LZO1X', open: openLzo1xBlock, stream: lzoStream },
];

describe.each(STREAMS)('$name', ({ open, stream }) => {
  test('opens every row of literals and matches', () => {
    fc.assert(
      fc.property(steps, (given) => {
        const { block, text } = stream(given);
        expect(opened(open, block, text.length)).toEqual(text);
        if (text.length > 0) expect(opened(open, block, text.length - 1)).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test('refuses a match that begins before the text', () => {
    const { block } = stream([{ literals: Buffer.from('abcdefgh'), distance: 9, count: 8 }]);
    expect(opened(open, block, 4096)).toBeUndefined();
  });

  test('a bomb ends where its room does', () => {
    const megabytes = 64 * 1024 * 1024;
    const { block } = bomb(stream, megabytes);
    expect(opened(open, block.subarray(0, 65_536), 65_536)).toBeUndefined();
    expect(opened(open, block, 1756)).toBeUndefined();
  });
});

/** One literal, repeated for so many bytes: a length that is as good as no bytes long. */
function bomb(
  stream: (given: readonly Step[], withText?: boolean) => { readonly block: Buffer },
  bytes: number,
): { readonly block: Buffer } {
  return stream([{ literals: Buffer.from('bomb'), distance: 1, count: bytes }], false);
}
