import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { framingOf } from '../../src/datachannel/compression-framing.ts';
import {
  DecompressingFraming,
  MAX_DECOMPRESSED_BYTES,
} from '../../src/datachannel/decompressing-framing.ts';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import { lz4Stream, lzoStream } from './block-streams.ts';
import { readCapture } from './captures.ts';
import { COMPRESSED_BLOCKS } from './compressed-blocks.ts';
import { connectedPair, rawSealer } from './ends.ts';
import { ipv4Packet } from './fixtures.ts';
import { framed } from './formats.ts';

type Kind = Exclude<CompressionFraming, 'none'>;

function framing(kind: Kind, maxBytes = 1756): DecompressingFraming {
  return new DecompressingFraming(kind, framingOf(kind) ?? expect.fail(), maxBytes);
}

/** A block as each framing carries it. */
const FRAMES: Readonly<Record<Kind, (block: Buffer) => Buffer>> = {
  'comp-lzo-no': (block) => Buffer.concat([Buffer.of(0x66), block]),
  stub: (block) => Buffer.concat([Buffer.of(0x69), block.subarray(1), block.subarray(0, 1)]),
  'stub-v2': (block) => Buffer.concat([Buffer.of(0x50, 0x01), block]),
};
const KINDS: readonly Kind[] = ['comp-lzo-no', 'stub', 'stub-v2'];

/** Of the text that repeats itself, in `kind`'s compression. */
function blockOf(kind: Kind, name = 'a short period'): Buffer {
  const row = COMPRESSED_BLOCKS.find((block) => block.name === name) ?? expect.fail();
  return Buffer.from(kind === 'comp-lzo-no' ? row.lzo : row.lz4, 'hex');
}

/** A packet that is `bytes` long once it is opened. */
function bomb(kind: Kind, bytes: number): Buffer {
  const stream = kind === 'comp-lzo-no' ? lzoStream : lz4Stream;
  const steps = [{ literals: Buffer.from('bomb'), distance: 1, count: bytes }];
  return FRAMES[kind](stream(steps, false).block);
}

describe('DecompressingFraming', () => {
  test.each([
    { name: '63-compress-lz4-yes', kind: 'stub' },
    { name: '64-compress-lz4v2-yes', kind: 'stub-v2' },
  ] as const)('opens what was captured: $name', ({ name, kind }) => {
    const frames = readCapture(name).packets.map(({ plaintext }) => Buffer.from(plaintext, 'hex'));
    const compressed = frames.filter((frame) => /^(69|5001)/.test(frame.toString('hex')));
    expect(compressed).toHaveLength(4);
    for (const frame of compressed) {
      const packet = framing(kind).unframe(Buffer.from(frame));
      if (typeof packet === 'number') return expect.fail(`dropped: ${packet}`);
      expect(packet.readUInt8(0)).toBe(0x45);
      expect(packet.readUInt16BE(2)).toBe(packet.length);
      expect(packet.length).toBeGreaterThan(frame.length);
    }
  });

  test.each(KINDS)('%s: what is not compressed passes, and nothing is ever compressed', (kind) => {
    const packet = Buffer.from('the same'.repeat(100));
    const frame = framing(kind).frame(packet);
    expect(frame.length).toBeGreaterThanOrEqual(packet.length);
    expect(frame).toEqual(framingOf(kind)?.frame(packet));
    expect(framing(kind).unframe(frame)).toEqual(packet);
  });

  test.each(KINDS)('%s: opens up to its room, into bytes of their own', (kind) => {
    const text = Buffer.from('abc'.repeat(90));
    const exact = framing(kind, 270);
    const one = exact.unframe(FRAMES[kind](blockOf(kind)));
    exact.unframe(FRAMES[kind](blockOf(kind, 'four literals')));
    expect(one).toEqual(text);
    expect(framing(kind, 269).unframe(FRAMES[kind](blockOf(kind)))).toBe(Drop.MALFORMED);
  });

  test.each(KINDS)('%s: a bomb is malformed (VORACLE, openvpn3 08e6937c)', (kind) => {
    expect(framing(kind).unframe(bomb(kind, 64 * 1024 * 1024))).toBe(Drop.MALFORMED);
    expect(framing(kind).unframe(bomb(kind, 1757))).toBe(Drop.MALFORMED);
    const generous = framing(kind, 1_000_000_000);
    expect(generous.unframe(bomb(kind, MAX_DECOMPRESSED_BYTES))).toBe(Drop.MALFORMED);
    expect(generous.unframe(bomb(kind, MAX_DECOMPRESSED_BYTES - 64))).toBeInstanceOf(Buffer);
  });

  test.each(KINDS)(
    '%s: a frame that is cut off is malformed, or what an end is missing of',
    (kind) => {
      const frame = FRAMES[kind](blockOf(kind, 'text'));
      for (let length = 0; length < frame.length; length += 1) {
        const opened = framing(kind).unframe(Buffer.from(frame.subarray(0, length)));
        if (typeof opened !== 'number') expect(opened.length).toBeLessThanOrEqual(1756);
        else expect([Drop.MALFORMED, Drop.COMPRESSED]).toContain(opened);
      }
    },
  );

  // biome-ignore format: a table, one row a line
  test.each([
    { kind: 'comp-lzo-no', frame: '69aabb' },
    { kind: 'stub',        frame: '66aabb' },
    { kind: 'stub-v2',     frame: '5002aa' },
  ] as const)('$kind: $frame is not its compression', ({ kind, frame }) => {
    expect(framing(kind).unframe(Buffer.from(frame, 'hex'))).toBe(Drop.COMPRESSED);
  });
});

describe('DataChannel with allowDecompression', () => {
  test.each(KINDS)('%s: a compressed packet arrives only where it is allowed', (kind) => {
    const packet = ipv4Packet(60);
    const steps = [{ literals: packet.subarray(0, 56), distance: 4, count: 4 }];
    packet.copy(packet, 56, 52, 56);
    const { block } = (kind === 'comp-lzo-no' ? lzoStream : lz4Stream)(steps);
    const raw = rawSealer();
    for (const allowDecompression of [true, false]) {
      const { channel } = connectedPair({ allowDecompression }).client;
      channel.useFormat(framed(kind));
      const opened = channel.open(raw(FRAMES[kind](block)), 0);
      // An LZ4 block ends with literals, which lie behind the packet.
      expect(opened).toEqual(allowDecompression ? packet : Drop.COMPRESSED);
    }
  });
});
