import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import { sessionIdOf } from '../../src/model/ids.ts';
import { Opcode } from '../../src/model/opcode.ts';
import { ControlPacket } from '../../src/model/packet.ts';
import { encodeControlPacket } from '../../src/packetmuxer/control-packet-codec.ts';
import {
  ackV1Limit,
  firstTlsChunkBytes,
  MAX_TLS_CHUNK_BYTES,
} from '../../src/session/control-sizes.ts';
import { ControlWraps } from '../../src/session/control-wraps.ts';

const OWN = sessionIdOf(Buffer.alloc(8, 1));
const PEER = sessionIdOf(Buffer.alloc(8, 2));
const KEY = new Secret(Buffer.alloc(256, 3));

function wrappedKey(length: number): Buffer {
  const bytes = Buffer.alloc(length, 5);
  bytes.writeUInt16BE(length, length - 2);
  return bytes;
}

function datagram(
  wrap: ControlWrapOptions,
  payloadBytes: number,
  opcode: Opcode,
  acks: number[],
): Buffer {
  const packet = new ControlPacket(opcode, 0, OWN);
  packet.packetId = 1;
  packet.ackedPacketIds = acks;
  packet.remoteSessionId = PEER;
  packet.payload = Buffer.alloc(payloadBytes);
  const wraps = new ControlWraps({ wrap, role: 'client', unixSeconds: () => 1_800_000_000 });
  const wrapped = wraps.forKey(0)?.wrap(encodeControlPacket(packet));
  if (wrapped === undefined) throw new Error('expected a wrap for key id 0');
  return wrapped;
}

describe('MAX_TLS_CHUNK_BYTES', () => {
  test.each<{ name: string; wrap: ControlWrapOptions; bytes: number }>([
    { name: 'none', wrap: { kind: 'none' }, bytes: 1_128 },
    { name: 'tls-crypt', wrap: { kind: 'tls-crypt', key: KEY }, bytes: 1_168 },
    { name: 'tls-auth, SHA1', wrap: tlsAuth('SHA1'), bytes: 1_156 },
    { name: 'tls-auth, SHA512', wrap: tlsAuth('SHA512'), bytes: 1_200 },
  ])('keeps the outer datagram within 1,200 bytes: $name', ({ wrap, bytes }) => {
    const packet = datagram(wrap, MAX_TLS_CHUNK_BYTES, Opcode.P_CONTROL_V1, [1, 2, 3, 4]);
    expect(packet.length).toBe(bytes);
  });
});

describe('firstTlsChunkBytes', () => {
  test.each([290, 299, 1_024])('leaves room for a wrapped key of %i bytes', (length) => {
    const wrap = { kind: 'tls-crypt-v2', key: KEY, wrappedKey: wrappedKey(length) } as const;
    const chunk = firstTlsChunkBytes(wrap);
    expect(chunk).toBeGreaterThan(0);
    const packet = datagram(wrap, chunk, Opcode.P_CONTROL_WKC_V1, [0]);
    expect(packet.length).toBeGreaterThan(1_100);
    expect(packet.length).toBeLessThanOrEqual(1_200);
  });

  test('is any other where no wrapped key is brought', () => {
    expect(firstTlsChunkBytes({ kind: 'tls-crypt', key: KEY })).toBe(MAX_TLS_CHUNK_BYTES);
    expect(firstTlsChunkBytes({ kind: 'none' })).toBe(MAX_TLS_CHUNK_BYTES);
  });
});

function tlsAuth(digest: string): ControlWrapOptions {
  return { kind: 'tls-auth', key: KEY, direction: 1, digest };
}

describe('ackV1Limit', () => {
  test.each([
    { wrapped: true, limit: 8 },
    { wrapped: false, limit: 4 },
  ])('wrapped $wrapped: $limit', ({ wrapped, limit }) => {
    expect(ackV1Limit(wrapped)).toBe(limit);
  });
});
