import { createCipheriv, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { DIGESTS, type Digest } from '../../src/model/digests.ts';
import { cipherNamed } from './captures.ts';

/** NIST SP 800-38A, F.2.1, F.2.3 and F.2.5: CBC-AES128, -AES192 and -AES256. */
const IV = '000102030405060708090a0b0c0d0e0f';
const PLAINTEXT = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51';
const VECTORS = [
  {
    cipher: 'AES-128-CBC',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    ciphertext: '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2',
  },
  {
    cipher: 'AES-192-CBC',
    key: '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b',
    ciphertext: '4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a',
  },
  {
    cipher: 'AES-256-CBC',
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    ciphertext: 'f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d',
  },
];
const MAC_KEY = Buffer.alloc(32, 0x0b);

describe('NodeCbcSealer', () => {
  test.each(VECTORS)('seals the published vector of $cipher, packet after packet', (vector) => {
    const sealer = nodeProvider.createCbcSealer(cipherNamed(vector.cipher), keysOf(vector));
    for (let packet = 0; packet < 3; packet += 1) {
      const sealed = seal(sealer, bytes(IV), bytes(PLAINTEXT));
      expect(sealed.subarray(48, 80).toString('hex')).toBe(vector.ciphertext);
      expect(sealed.subarray(0, 32)).toEqual(macOf(sealed.subarray(32)));
    }
  });

  test('equals a cipher of its own for every packet', () => {
    const vector = VECTORS[2] ?? expect.fail();
    const cipher = cipherNamed(vector.cipher);
    const sealer = nodeProvider.createCbcSealer(cipher, keysOf(vector));
    const opener = nodeProvider.createCbcOpener(cipher, keysOf(vector));
    const iv = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(iv, fc.uint8Array({ maxLength: 200 }), (ivBytes, text) => {
        const fresh = createCipheriv(cipher.nodeName, bytes(vector.key), ivBytes);
        const sealed = Buffer.concat([ivBytes, fresh.update(text), fresh.final()]);
        const packet = seal(sealer, Buffer.from(ivBytes), Buffer.from(text));
        expect(packet).toEqual(Buffer.concat([macOf(sealed), sealed]));
        expect(opener.open(macOf(sealed), sealed)).toEqual(Buffer.from(text));
      }),
    );
  });
});

describe('NodeCbcOpener', () => {
  test.each(VECTORS)('refuses any changed bit: $cipher', (vector) => {
    const cipher = cipherNamed(vector.cipher);
    const sealer = nodeProvider.createCbcSealer(cipher, keysOf(vector));
    const opener = nodeProvider.createCbcOpener(cipher, keysOf(vector));
    const packet = seal(sealer, bytes(IV), Buffer.from('text'));
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const forged = Buffer.from(packet);
      forged.writeUInt8(forged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(opener.open(forged.subarray(0, 32), forged.subarray(32))).toBeUndefined();
    }
    expect(opener.open(packet.subarray(0, 32), packet.subarray(32))).toEqual(Buffer.from('text'));
  });

  test('copies the keys', () => {
    const vector = VECTORS[0] ?? expect.fail();
    const keys = keysOf(vector);
    const sealer = nodeProvider.createCbcSealer(cipherNamed(vector.cipher), keys);
    keys.key.fill(0);
    keys.macKey.fill(0);
    const packet = seal(sealer, bytes(IV), bytes(PLAINTEXT));
    expect(packet.subarray(48, 80).toString('hex')).toBe(vector.ciphertext);
    expect(packet.subarray(0, 32)).toEqual(macOf(packet.subarray(32)));
  });
});

/** HMAC, IV and ciphertext of `text`, without a header. */
function seal(
  sealer: ReturnType<typeof nodeProvider.createCbcSealer>,
  iv: Buffer,
  text: Buffer,
): Buffer {
  const padding = Buffer.alloc(16 - (text.length % 16));
  const packet = Buffer.concat([Buffer.alloc(32), iv, text, padding]);
  void sealer.seal(packet, 0, 32, 48 + text.length);
  return packet;
}

function keysOf({ key }: { readonly key: string }) {
  return { key: bytes(key), digest: sha256(), macKey: Buffer.from(MAC_KEY) };
}

function sha256(): Digest {
  return DIGESTS.get('SHA256') ?? expect.fail();
}

function macOf(sealed: Uint8Array): Buffer {
  return createHmac('sha256', MAC_KEY).update(sealed).digest();
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
