import { createSecretKey } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  EpochKeyChain,
  expandLabel,
  FIRST_EPOCH,
  LAST_EPOCH,
} from '../../src/datachannel/epoch-keys.ts';
import { readUnitVectors } from './captures.ts';
import type { EpochVectors } from './epoch-vectors.ts';

const { epoch: vectors } = readUnitVectors<EpochVectors>();

describe('expandLabel', () => {
  test('agrees with the label test', () => {
    const { secret, label, length, output } = vectors.label_test;
    expect(expandLabel(secretOf(secret), label, length).toString('hex')).toBe(output);
  });

  test('agrees with the derivation test', () => {
    const { epoch_key, data_key_24, data_iv_12 } = vectors.derive_test;
    const secret = secretOf(epoch_key);
    expect(expandLabel(secret, 'data_key', 24).toString('hex')).toBe(data_key_24);
    expect(expandLabel(secret, 'data_iv', 12).toString('hex')).toBe(data_iv_12);
  });

  test('gives no more than one round of the digest', () => {
    const secret = secretOf(vectors.derive_test.epoch_key);
    expect(expandLabel(secret, 'data_key', 32).length).toBe(32);
    expect(() => expandLabel(secret, 'data_key', 33)).toThrow('at most 32');
  });
});

describe('EpochKeyChain', () => {
  test.each(vectors.packets)('derives epoch $epoch of $capture, $dir', (packet) => {
    const at = packet.dir === 'C' ? 0 : 128;
    const chain = chainOf(Buffer.from(packet.key2, 'hex').subarray(at, at + 32));
    const { epoch, cipher, iv } = chain.keyOf(packet.epoch);
    expect(epoch).toBe(packet.epoch);
    expect(cipher.key).toBe(packet.K);
    expect(iv.toString('hex')).toBe(packet.iv);
  });

  test('overwrites the keys that it lent, and copies the secret', () => {
    const secret = Buffer.alloc(32, 5);
    const chain = chainOf(secret);
    secret.fill(0);
    expect(chain.keyOf(2).cipher).toEqual({
      key: chainOf(Buffer.alloc(32, 5)).keyOf(2).cipher.key,
      lent: Buffer.alloc(32),
    });
  });

  test('every epoch has keys of its own', () => {
    const chain = chainOf(Buffer.alloc(32, 5));
    const keys = Array.from({ length: 100 }, (_, at) => chain.keyOf(FIRST_EPOCH + at));
    expect(new Set(keys.map(({ cipher }) => cipher.key)).size).toBe(100);
    expect(new Set(keys.map(({ iv }) => iv.toString('hex'))).size).toBe(100);
  });

  test('gives an epoch again, none before it, and none that a packet cannot name', () => {
    const chain = chainOf(Buffer.alloc(32, 5));
    expect(() => chain.keyOf(0)).toThrow('from 1 to 65535, got 0');
    expect(chain.keyOf(3).cipher.key).toBe(chain.keyOf(3).cipher.key);
    expect(() => chain.keyOf(2)).toThrow('from 3 to 65535, got 2');
    expect(chain.keyOf(LAST_EPOCH).epoch).toBe(0xffff);
    expect(() => chain.keyOf(LAST_EPOCH + 1)).toThrow('got 65536');
  });
});

/** Keeps what the chain lends: what it was and what became of it. */
function chainOf(secret: Buffer): EpochKeyChain<{ readonly key: string; readonly lent: Buffer }> {
  return new EpochKeyChain(secret, 32, (lent) => ({ key: lent.toString('hex'), lent }));
}

function secretOf(hex: string) {
  return createSecretKey(Buffer.from(hex, 'hex'));
}
