import { describe, expect, test } from 'vitest';
import {
  type DirectionKey,
  deriveKey2,
  tls1Prf,
  useDirectionKeys,
} from '../../src/datachannel/key-derivation.ts';
import type { DataChannelKey, PrfSecrets } from '../../src/model/data-channel-key.ts';
import type { Role } from '../../src/model/ids.ts';
import { cipherNamed, readUnitVectors } from './captures.ts';

interface PrfVector {
  readonly capture: string;
  readonly premaster: string;
  readonly client_random1: string;
  readonly client_random2: string;
  readonly server_random1: string;
  readonly server_random2: string;
  readonly client_sid: string;
  readonly server_sid: string;
  readonly key2: string;
}

interface Vectors {
  readonly prf: readonly PrfVector[];
  readonly tls1_prf_selftest: {
    readonly secret: string;
    readonly seed: string;
    readonly length: number;
    readonly output: string;
  };
  readonly ekm_tls13: { readonly key2: string };
}

const vectors = readUnitVectors<Vectors>();

describe('tls1Prf', () => {
  test('agrees with the self-test vector', () => {
    const { secret, seed, length, output } = vectors.tls1_prf_selftest;
    expect(tls1Prf(bytes(secret), [bytes(seed)], length).toString('hex')).toBe(output);
  });

  test('shares the middle byte of an odd secret between both halves', () => {
    const seeds = [Buffer.from('label'), Buffer.from('seed')];
    const odd = tls1Prf(Buffer.from([1, 2, 3]), seeds, 40);
    const even = tls1Prf(Buffer.from([1, 2, 2, 3]), seeds, 40);
    expect(odd.equals(even)).toBe(true);
  });
});

describe('deriveKey2', () => {
  test.each(vectors.prf)('derives the legacy key block of $capture', (vector) => {
    expect(deriveKey2(secretsOf(vector)).toString('hex')).toBe(vector.key2);
  });

  test('takes the exporter output as it is', () => {
    const { key2 } = vectors.ekm_tls13;
    expect(deriveKey2(bytes(key2)).toString('hex')).toBe(key2);
  });

  test('refuses an exporter output of another length', () => {
    expect(() => deriveKey2(Buffer.alloc(255, 1))).toThrow('expected 256 bytes');
  });
});

describe('useDirectionKeys', () => {
  test.each<{ name: string; role: Role; sealAt: number; openAt: number }>([
    { name: 'the client seals with the first half ', role: 'client', sealAt: 0, openAt: 128 },
    { name: 'the server seals with the second half', role: 'server', sealAt: 128, openAt: 0 },
  ])('$name', ({ role, sealAt, openAt }) => {
    const [sealing, opening] = useDirectionKeys(keyOf(counting(), role), (seal, open) => [
      copyOf(seal),
      copyOf(open),
    ]);
    expect(sealing).toEqual(slotsAt(sealAt));
    expect(opening).toEqual(slotsAt(openAt));
  });

  test('overwrites the exported block', () => {
    const material = counting();
    useDirectionKeys(keyOf(material, 'client'), () => undefined);
    expect(material.every((byte) => byte === 0)).toBe(true);
  });

  test('overwrites the secrets of the legacy derivation', () => {
    const material = secretsOf(vectors.prf[0] ?? expect.fail());
    useDirectionKeys(keyOf(material, 'client'), () => undefined);
    const secrets = [
      material.premaster,
      material.clientRandom1,
      material.clientRandom2,
      material.serverRandom1,
      material.serverRandom2,
    ];
    for (const secret of secrets) expect(secret.every((byte) => byte === 0)).toBe(true);
  });

  test('overwrites what it lent', () => {
    const lent = useDirectionKeys(keyOf(counting(), 'client'), (seal, open) => [seal, open]);
    for (const { cipherSlot, hmacSlot } of lent) {
      expect([...cipherSlot, ...hmacSlot].every((byte) => byte === 0)).toBe(true);
    }
  });

  test.each([
    { name: 'client to server', zeroAt: 0 },
    { name: 'server to client', zeroAt: 128 },
  ])('refuses an all-zero cipher key, $name, and overwrites the block', ({ zeroAt }) => {
    const material = counting();
    material.fill(0, zeroAt, zeroAt + 32);
    expect(() => useDirectionKeys(keyOf(material, 'client'), () => undefined)).toThrow(
      expect.objectContaining({ code: 'OVPN_PROTOCOL', layer: 'datachannel' }),
    );
    expect(material.every((byte) => byte === 0)).toBe(true);
  });

  test('accepts a zero slot beyond the key', () => {
    const material = counting();
    material.fill(0, 32, 64);
    expect(useDirectionKeys(keyOf(material, 'client'), () => 'used')).toBe('used');
  });
});

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

/** 1 … 255 and a 1. */
function counting(): Buffer {
  return Buffer.from(Array.from({ length: 256 }, (_, at) => (at % 255) + 1));
}

function slotsAt(at: number): DirectionKey {
  const block = counting();
  return { cipherSlot: block.subarray(at, at + 64), hmacSlot: block.subarray(at + 64, at + 128) };
}

function copyOf({ cipherSlot, hmacSlot }: DirectionKey): DirectionKey {
  return { cipherSlot: Buffer.from(cipherSlot), hmacSlot: Buffer.from(hmacSlot) };
}

function keyOf(material: Buffer | PrfSecrets, role: Role): DataChannelKey {
  return {
    keyId: 0,
    role,
    cipher: cipherNamed('AES-256-GCM'),
    peerId: 0,
    epoch: false,
    material,
    startedAt: 0,
  };
}

function secretsOf(vector: PrfVector): PrfSecrets {
  return {
    premaster: bytes(vector.premaster),
    clientRandom1: bytes(vector.client_random1),
    clientRandom2: bytes(vector.client_random2),
    serverRandom1: bytes(vector.server_random1),
    serverRandom2: bytes(vector.server_random2),
    clientSessionId: bytes(vector.client_sid),
    serverSessionId: bytes(vector.server_sid),
  };
}
