import { describe, expect, test } from 'vitest';
import { checkStaticKey, cipherSlot, hmacSlot } from '../../src/packetmuxer/static-key.ts';

describe('slots', () => {
  test.each([
    { half: 0, cipher: 0, hmac: 64 },
    { half: 1, cipher: 128, hmac: 192 },
  ] as const)('of half $half: cipher at $cipher, HMAC at $hmac', ({ half, cipher, hmac }) => {
    expect(cipherSlot(half)).toBe(cipher);
    expect(hmacSlot(half)).toBe(hmac);
  });
});

describe('checkStaticKey', () => {
  test('takes 256 bytes', () => {
    expect(() => checkStaticKey(Buffer.alloc(256))).not.toThrow();
  });

  test.each([0, 128, 255, 257])('refuses %i', (length) => {
    expect(() => checkStaticKey(Buffer.alloc(length))).toThrow('256 bytes');
  });
});
