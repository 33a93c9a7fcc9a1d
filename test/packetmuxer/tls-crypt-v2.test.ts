import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { isWrappedKey, MAX_WRAPPED_KEY_BYTES } from '../../src/model/wrapped-key.ts';
import {
  MAX_METADATA_BYTES,
  splitWrappedKey,
  TlsCryptV2ServerKey,
} from '../../src/packetmuxer/tls-crypt-v2.ts';
import { withBitFlipped } from '../contract/control-wrap.ts';
import { tlsCryptV2Vectors, wrappedKeyVectors } from './wrap-vectors.ts';

/** Tag, client key, length: a WKc without metadata. */
const SHORTEST = 290;
const serverKeyBytes = Buffer.from(Array.from({ length: 128 }, (_, index) => index));
const serverKey = new TlsCryptV2ServerKey(serverKeyBytes);
const clientKey = Buffer.alloc(256, 0xc1);

/** `length` bytes whose last two say `told`. */
function telling(length: number, told: number): Buffer {
  const bytes = Buffer.alloc(length, 0xff);
  if (length >= 2) bytes.writeUInt16BE(told, length - 2);
  return bytes;
}

describe('splitWrappedKey', () => {
  const withKey = tlsCryptV2Vectors().filter(({ wkc }) => wkc !== null);

  test.each(withKey.map((vector) => ({ name: vector.plaintext.slice(0, 10), vector })))(
    'parts recorded packet $name',
    ({ vector }) => {
      const packet = Buffer.from(vector.packet, 'hex');
      const wrappedKey = Buffer.from(vector.wkc ?? '', 'hex');
      const front = packet.subarray(0, packet.length - wrappedKey.length);
      expect(splitWrappedKey(packet)).toEqual({ packet: front, wrappedKey });
    },
  );

  test('two packets with a wrapped key are recorded: the reset, and the one that was asked for', () => {
    expect(withKey.map(({ packet }) => packet.slice(0, 2))).toEqual(['50', '58']);
  });

  test.each([
    { name: 'an empty packet', length: 0, told: 0 },
    { name: 'one byte', length: 1, told: 0 },
    { name: 'two bytes', length: 2, told: 2 },
    { name: 'length 0', length: 400, told: 0 },
    { name: 'length 1', length: 400, told: 1 },
    { name: 'length 2', length: 400, told: 2 },
    { name: 'a length without room for a key', length: 400, told: SHORTEST - 1 },
    { name: 'more than the packet', length: 400, told: 401 },
    { name: 'more than the limit', length: 2_000, told: MAX_WRAPPED_KEY_BYTES + 1 },
    { name: 'the highest length', length: 2_000, told: 0xffff },
    { name: 'a packet without room for a key', length: SHORTEST - 1, told: SHORTEST - 1 },
  ])('refuses $name', ({ length, told }) => {
    expect(splitWrappedKey(telling(length, told))).toBe(Drop.MALFORMED);
  });

  test.each([
    { name: 'the shortest', length: 400, told: SHORTEST, left: 110 },
    { name: 'the longest', length: 1_400, told: MAX_WRAPPED_KEY_BYTES, left: 376 },
    { name: 'one that is all', length: 300, told: 300, left: 0 },
  ])('takes $name', ({ length, told, left }) => {
    const split = splitWrappedKey(telling(length, told));
    if (typeof split === 'number') throw new Error(`refused: ${split}`);
    expect(split.packet).toHaveLength(left);
    expect(split.wrappedKey).toHaveLength(told);
  });

  test('no bytes make it throw, and its parts are the whole', () => {
    const packets = fc.uint8Array({ maxLength: 1_500, size: 'max' });
    const lengths = fc.oneof(fc.nat(0xffff), fc.integer({ min: 280, max: 1_030 }));
    fc.assert(
      fc.property(packets, lengths, (bytes, told) => {
        const packet = Buffer.from(bytes);
        if (packet.length >= 2) packet.writeUInt16BE(told, packet.length - 2);
        const split = splitWrappedKey(packet);
        const parts = typeof split === 'number' ? undefined : [split.packet, split.wrappedKey];
        const fits = packet.length >= told && told >= SHORTEST && told <= MAX_WRAPPED_KEY_BYTES;
        expect(parts).toEqual(
          fits ? [packet.subarray(0, -told), packet.subarray(-told)] : undefined,
        );
      }),
    );
  });
});

describe('TlsCryptV2ServerKey', () => {
  test.each(wrappedKeyVectors())('reads and writes $file to the same bytes', (vector) => {
    const { key, metadata, wrappedKey } = vector;
    const server = new TlsCryptV2ServerKey(vector.serverKey);
    expect(wrappedKey).toHaveLength(vector.wrappedKeyBytes);
    expect(server.unwrap(wrappedKey)).toEqual({ key, metadata });
    expect(server.wrap(key, metadata)).toEqual(wrappedKey);
  });

  test('refuses a wrapped key with one bit changed', () => {
    const wrappedKey = serverKey.wrap(clientKey, Buffer.from([1, 2, 3]));
    for (let bit = 0; bit < wrappedKey.length * 8; bit += 1) {
      const isLength = bit >> 3 >= wrappedKey.length - 2;
      const result = serverKey.unwrap(withBitFlipped(wrappedKey, bit));
      expect(result).toBe(isLength ? Drop.MALFORMED : Drop.BAD_AUTH);
    }
  });

  test('the length is authentic: one less of everything is refused', () => {
    const wrappedKey = serverKey.wrap(clientKey, Buffer.from([1, 2, 3]));
    const shorter = Buffer.from(wrappedKey.subarray(0, -1));
    shorter.writeUInt16BE(shorter.length, shorter.length - 2);
    expect(serverKey.unwrap(shorter)).toBe(Drop.BAD_AUTH);
  });

  test('refuses every truncation and extension', () => {
    const wrappedKey = serverKey.wrap(clientKey, Buffer.from([0]));
    for (let length = 0; length < wrappedKey.length; length += 1) {
      expect(serverKey.unwrap(wrappedKey.subarray(0, length))).toBe(Drop.MALFORMED);
    }
    for (let more = 1; more <= 64; more += 1) {
      const longer = Buffer.concat([wrappedKey, Buffer.alloc(more)]);
      expect(serverKey.unwrap(longer)).toBe(Drop.MALFORMED);
    }
  });

  test.each([
    { name: 'another cipher key', at: 0, drop: Drop.BAD_AUTH },
    { name: 'another HMAC key', at: 64, drop: Drop.BAD_AUTH },
  ])('refuses a key that was wrapped under $name', ({ at, drop }) => {
    const other = withBitFlipped(serverKeyBytes, at * 8);
    const wrappedKey = new TlsCryptV2ServerKey(other).wrap(clientKey, Buffer.alloc(1));
    expect(serverKey.unwrap(wrappedKey)).toBe(drop);
  });

  test('wraps and unwraps any key with any metadata', () => {
    const keys = fc.uint8Array({ minLength: 256, maxLength: 256 });
    const notes = fc.uint8Array({ maxLength: MAX_METADATA_BYTES });
    fc.assert(
      fc.property(keys, notes, (keyBytes, metadataBytes) => {
        const [key, metadata] = [Buffer.from(keyBytes), Buffer.from(metadataBytes)];
        const wrappedKey = serverKey.wrap(key, metadata);
        expect(isWrappedKey(wrappedKey)).toBe(true);
        expect(serverKey.unwrap(wrappedKey)).toEqual({ key, metadata });
      }),
    );
  });

  test('no bytes make it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1_200 }), fc.boolean(), (bytes, tellsLength) => {
        const told = telling(bytes.length, bytes.length);
        const wrappedKey = tellsLength ? told : Buffer.from(bytes);
        expect(typeof serverKey.unwrap(wrappedKey)).toBe('number');
      }),
    );
  });

  test('has room for 734 bytes of metadata', () => {
    expect(MAX_METADATA_BYTES).toBe(734);
    const longest = serverKey.wrap(clientKey, Buffer.alloc(734));
    expect(longest).toHaveLength(MAX_WRAPPED_KEY_BYTES);
    expect(serverKey.unwrap(longest)).not.toBeTypeOf('number');
    expect(() => serverKey.wrap(clientKey, Buffer.alloc(735))).toThrow('734');
  });

  test.each([0, 255, 257])('wants a client key of 256 bytes, not %i', (length) => {
    expect(() => serverKey.wrap(Buffer.alloc(length), Buffer.alloc(1))).toThrow('256 bytes');
  });

  test.each([0, 127, 129, 256])('wants a server key of 128 bytes, not %i', (length) => {
    expect(() => new TlsCryptV2ServerKey(Buffer.alloc(length))).toThrow('128 bytes');
  });

  test('shares no memory with what it was given', () => {
    const wrappedKey = serverKey.wrap(clientKey, Buffer.from([1, 2]));
    const unwrapped = serverKey.unwrap(wrappedKey);
    wrappedKey.fill(0);
    expect(unwrapped).toEqual({ key: clientKey, metadata: Buffer.from([1, 2]) });
  });

  test('shows no key', () => {
    const shown = inspect(serverKey, { depth: 9, showHidden: true }) + JSON.stringify(serverKey);
    expect(shown).not.toContain(serverKeyBytes.toString('hex', 64, 68));
  });
});
