import { describe, expect, test } from 'vitest';
import { atOnce, blocksOf, KeyUsage } from '../../src/datachannel/data-codec.ts';

describe('blocksOf', () => {
  test.each([
    { bytes: 0, blocks: 0 },
    { bytes: 1, blocks: 1 },
    { bytes: 16, blocks: 1 },
    { bytes: 17, blocks: 2 },
    { bytes: 65_535, blocks: 4096 },
  ])('$bytes bytes begin $blocks blocks', ({ bytes, blocks }) => {
    expect(blocksOf(bytes)).toBe(blocks);
  });
});

describe('KeyUsage', () => {
  test('counts each direction by itself', () => {
    const usage = new KeyUsage();
    usage.countSealed(17, 41);
    usage.countOpened(16, 40);
    usage.countOpened(1, 25);
    expect({ ...usage }).toEqual({
      sealedPackets: 1,
      openedPackets: 2,
      sealedBytes: 41,
      openedBytes: 65,
      sealedBlocks: 2,
      openedBlocks: 2,
      failedOpens: 0,
    });
  });
});

describe('atOnce', () => {
  test('gives what is there, and refuses a promise', () => {
    const plaintext = Buffer.of(1);
    expect(atOnce(plaintext)).toBe(plaintext);
    expect(atOnce(undefined)).toBeUndefined();
    expect(() => atOnce(Promise.resolve(plaintext))).toThrow('answers at once');
  });
});
