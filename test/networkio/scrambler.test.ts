import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Scramble } from '../../src/model/profile.ts';
import { Scrambler } from '../../src/networkio/scrambler.ts';

const MODES: readonly Scramble[] = [
  { mode: 'xormask', key: new Secret(Buffer.from('key')) },
  { mode: 'xorptrpos', key: undefined },
  { mode: 'reverse', key: undefined },
  { mode: 'obfuscate', key: new Secret(Buffer.from('a longer key')) },
];

function scrambled(scramble: Scramble, packet: Buffer): Buffer {
  const bytes = Buffer.from(packet);
  new Scrambler(scramble).scramble(bytes);
  return bytes;
}

describe('Scrambler', () => {
  // Worked out by hand: `abcdef`, and the key `k` (6b) where there is one.
  // biome-ignore format: a table, one row a line
  test.each([
    { mode: 'xormask',   packet: '616263646566', result: '0a09080f0e0d' },
    { mode: 'xorptrpos', packet: '616263646566', result: '606060606060' },
    { mode: 'reverse',   packet: '616263646566', result: '616665646362' },
    { mode: 'reverse',   packet: '616263',       result: '616362' },
    { mode: 'reverse',   packet: '6162',         result: '6162' },
    { mode: 'reverse',   packet: '61',           result: '61' },
    // 60 60 60 60 60 60, reversed the same, 61 62 63 64 65 66, and the mask.
    { mode: 'obfuscate', packet: '616263646566', result: '0a09080f0e0d' },
    // 01 02 03, positions: 00 00 00; reversed; positions: 01 02 03; mask.
    { mode: 'obfuscate', packet: '010203',       result: '6a6968' },
    // 10 20 30: 11 22 33; 11 33 22; 10 31 21; 7b 5a 4a.
    { mode: 'obfuscate', packet: '102030',       result: '7b5a4a' },
  ] as const)('$mode of $packet', ({ mode, packet, result }) => {
    const key = mode === 'xormask' || mode === 'obfuscate' ? new Secret(Buffer.from('k')) : undefined;
    expect(scrambled({ mode, key }, Buffer.from(packet, 'hex')).toString('hex')).toBe(result);
  });

  test('the key goes round, from its beginning for every packet', () => {
    const [xormask] = MODES as [Scramble];
    const first = scrambled(xormask, Buffer.alloc(7));
    expect(first.toString('latin1')).toBe('keykeyk');
    expect(scrambled(xormask, Buffer.alloc(7))).toEqual(first);
  });

  test('positions beyond 255 begin again at 0', () => {
    const bytes = scrambled({ mode: 'xorptrpos', key: undefined }, Buffer.alloc(258));
    expect([...bytes.subarray(253)]).toEqual([254, 255, 0, 1, 2]);
  });

  test.each(MODES)('$mode: what was disguised comes back, of any length to 1,500', (scramble) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
        const packet = scrambled(scramble, Buffer.from(bytes));
        new Scrambler(scramble).unscramble(packet);
        expect(packet).toEqual(Buffer.from(bytes));
      }),
    );
    for (let length = 0; length <= 1500; length += 1) {
      const packet = Buffer.alloc(length, length);
      const bytes = scrambled(scramble, packet);
      new Scrambler(scramble).unscramble(bytes);
      expect(bytes.equals(packet)).toBe(true);
    }
  });

  test.each([
    { mode: 'xormask', key: undefined },
    { mode: 'obfuscate', key: undefined },
    { mode: 'xormask', key: new Secret(Buffer.alloc(0)) },
    { mode: 'rot13' as 'reverse', key: undefined },
  ] as const)('$mode with $key is refused', (scramble) => {
    expect(() => new Scrambler(scramble)).toThrow(OvpnUsageError);
  });
});
