import { describe, expect, test } from 'vitest';
import { isWrappedKey } from '../../src/model/wrapped-key.ts';
import { tlsCryptV2Key } from '../packetmuxer/wrap-vectors.ts';

describe('isWrappedKey', () => {
  test.each([
    { name: 'the recorded one', bytes: tlsCryptV2Key().wrappedKey, is: true },
    { name: 'with a byte in front', bytes: telling(301, 300), is: false },
    { name: 'one that tells more', bytes: telling(300, 301), is: false },
    { name: 'of 1,024 bytes', bytes: telling(1_024, 1_024), is: true },
    { name: 'of 1,025 bytes', bytes: telling(1_025, 1_025), is: false },
    { name: 'of 290 bytes', bytes: telling(290, 290), is: true },
    { name: 'of 289 bytes', bytes: telling(289, 289), is: false },
    { name: 'of no bytes', bytes: Buffer.alloc(0), is: false },
  ])('$name: $is', ({ bytes, is }) => {
    expect(isWrappedKey(bytes)).toBe(is);
  });
});

function telling(length: number, told: number): Buffer {
  const bytes = Buffer.alloc(length, 0xff);
  if (length >= 2) bytes.writeUInt16BE(told, length - 2);
  return bytes;
}
