import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checksumOf,
  fold,
  pseudoHeaderSum,
  sumBytes,
  sumIsIntact,
  updateChecksum,
} from '../../src/netstack/checksum.ts';

/** RFC 1071 §4.1, word by word. */
function naive(bytes: Uint8Array): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  while (sum > 0xffff) sum = (sum % 0x1_0000) + Math.floor(sum / 0x1_0000);
  return sum;
}

/** One's complement has two zeroes. */
function same(a: number, b: number): boolean {
  return a % 0xffff === b % 0xffff;
}

describe('sumBytes', () => {
  test('of the example of RFC 1071 §3', () => {
    const bytes = Buffer.from('0001f203f4f5f6f7', 'hex');
    expect(sumBytes(bytes, 0, bytes.length)).toBe(0xddf2);
    expect(checksumOf(sumBytes(bytes, 0, bytes.length))).toBe(0x220d);
  });

  test('equals the naive sum at any offset and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(40), (bytes, before) => {
        const at = Math.min(before, bytes.length);
        const sum = sumBytes(bytes, at, bytes.length - at);
        expect(same(sum, naive(bytes.subarray(at)))).toBe(true);
      }),
    );
  });

  test.each([0, 0x7f, 0x80, 0xff])('of the largest packet of bytes %i', (byte) => {
    const bytes = new Uint8Array(0xffff).fill(byte);
    expect(same(sumBytes(bytes, 0, bytes.length), naive(bytes))).toBe(true);
  });

  test('of parts of even length adds up to that of the whole', () => {
    const bytes = Uint8Array.from({ length: 64 }, (_, at) => at * 37);
    const parts = sumBytes(bytes, 0, 20) + sumBytes(bytes, 20, 44);
    expect(fold(parts)).toBe(fold(sumBytes(bytes, 0, 64)));
  });
});

describe('a checksum field', () => {
  const header = Buffer.from(
    '4500007300004000401100 00c0a80001c0a800c7'.replaceAll(' ', ''),
    'hex',
  );

  test('makes an IPv4 header intact', () => {
    const checksum = checksumOf(sumBytes(header, 0, header.length));
    expect(checksum).toBe(0xb861);
    const whole = Buffer.from(header);
    whole.writeUInt16BE(checksum, 10);
    expect(sumIsIntact(sumBytes(whole, 0, whole.length))).toBe(true);
  });

  test('tells every flipped bit', () => {
    const whole = Buffer.from(header);
    whole.writeUInt16BE(0xb861, 10);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
      expect(sumIsIntact(sumBytes(damaged, 0, damaged.length))).toBe(false);
    }
  });

  test('follows a changed word (RFC 1624)', () => {
    expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 2, maxLength: 40 }),
        fc.nat(0xffff),
        (bytes, after) => {
          const before = naive(bytes.subarray(0, 2));
          const checksum = checksumOf(naive(bytes));
          const changed = Uint8Array.from([after >>> 8, after & 0xff, ...bytes.subarray(2)]);
          const updated = updateChecksum(checksum, before, after);
          expect(same(updated, checksumOf(naive(changed)))).toBe(true);
        },
      ),
    );
  });
});

test('pseudoHeaderSum counts both addresses and the protocol', () => {
  const ipv4 = pseudoHeaderSum(Buffer.from([192, 168, 0, 1]), Buffer.from([192, 168, 0, 199]), 6);
  expect(fold(ipv4)).toBe(fold(0xc0a8 + 0x0001 + 0xc0a8 + 0x00c7 + 6));
  const source = Buffer.from('20010db8000000000000000000000001', 'hex');
  const destination = Buffer.from('20010db8000000000000000000000002', 'hex');
  const ipv6 = pseudoHeaderSum(source, destination, 17);
  expect(fold(ipv6)).toBe(fold(2 * (0x2001 + 0x0db8) + 1 + 2 + 17));
});
