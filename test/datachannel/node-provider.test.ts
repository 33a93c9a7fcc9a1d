import { describe, expect, test } from 'vitest';
import { TAG_BYTES } from '../../src/datachannel/cipher-provider.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { cipherNamed } from './captures.ts';

/** Test cases 4, 10 and 16 of the GCM specification (McGrew and Viega), and RFC 8439 §2.8.2. */
const GCM_INPUT = {
  nonce: 'cafebabefacedbaddecaf888',
  aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  plaintext:
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
};
const VECTORS = [
  {
    cipher: 'AES-128-GCM',
    key: 'feffe9928665731c6d6a8f9467308308',
    ...GCM_INPUT,
    ciphertext:
      '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091',
    tag: '5bc94fbc3221a5db94fae95ae7121a47',
  },
  {
    cipher: 'AES-192-GCM',
    key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c',
    ...GCM_INPUT,
    ciphertext:
      '3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710',
    tag: '2519498e80f1478f37ba55bd6d27618c',
  },
  {
    cipher: 'AES-256-GCM',
    key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
    ...GCM_INPUT,
    ciphertext:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
    tag: '76fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    cipher: 'CHACHA20-POLY1305',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plaintext: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ).toString('hex'),
    ciphertext:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
    tag: '1ae10b594f09e26a7e902ecbd0600691',
  },
];

describe('nodeProvider', () => {
  test.each(VECTORS)('seals the published vector of $cipher', (vector) => {
    const sealer = nodeProvider.createSealer(cipherNamed(vector.cipher), bytes(vector.key));
    const plaintext = bytes(vector.plaintext);
    const packet = Buffer.alloc(4 + TAG_BYTES + plaintext.length);
    void sealer.seal(bytes(vector.nonce), bytes(vector.aad), plaintext, packet, 4, 4 + TAG_BYTES);
    expect(packet.toString('hex')).toBe(`00000000${vector.tag}${vector.ciphertext}`);
  });

  test.each(VECTORS)('opens the published vector of $cipher', (vector) => {
    const opener = openerOf(vector);
    const opened = opener.open(
      bytes(vector.nonce),
      bytes(vector.aad),
      bytes(vector.tag),
      bytes(vector.ciphertext),
    );
    expect(opened?.toString('hex')).toBe(vector.plaintext);
  });

  test.each(VECTORS)('refuses any changed bit of tag, nonce, AAD or text: $cipher', (vector) => {
    const opener = openerOf(vector);
    for (const changed of ['nonce', 'aad', 'tag', 'ciphertext'] as const) {
      const parts = {
        nonce: bytes(vector.nonce),
        aad: bytes(vector.aad),
        tag: bytes(vector.tag),
        ciphertext: bytes(vector.ciphertext),
      };
      for (let at = 0; at < parts[changed].length; at += 1) {
        flip(parts[changed], at);
        expect(opener.open(parts.nonce, parts.aad, parts.tag, parts.ciphertext)).toBeUndefined();
        flip(parts[changed], at);
      }
    }
  });

  test.each(VECTORS)('never takes a shorter tag: $cipher', (vector) => {
    const opener = openerOf(vector);
    for (const length of [4, 8, 12, 15]) {
      const tag = bytes(vector.tag).subarray(0, length);
      expect(() =>
        opener.open(bytes(vector.nonce), bytes(vector.aad), tag, bytes(vector.ciphertext)),
      ).toThrow(/tag/);
    }
  });

  test('leaves the length of stack traces as it was', () => {
    const vector = VECTORS[0] ?? expect.fail();
    const before = Error.stackTraceLimit;
    for (const tag of [bytes(vector.tag), Buffer.alloc(TAG_BYTES)]) {
      const [nonce, aad] = [bytes(vector.nonce), bytes(vector.aad)];
      openerOf(vector).open(nonce, aad, tag, bytes(vector.ciphertext));
      expect(Error.stackTraceLimit).toBe(before);
    }
    expect(before).toBeGreaterThan(0);
  });

  test('copies the key', () => {
    const vector = VECTORS[0] ?? expect.fail();
    const key = bytes(vector.key);
    const opener = nodeProvider.createOpener(cipherNamed(vector.cipher), key);
    key.fill(0);
    const opened = opener.open(
      bytes(vector.nonce),
      bytes(vector.aad),
      bytes(vector.tag),
      bytes(vector.ciphertext),
    );
    expect(opened?.toString('hex')).toBe(vector.plaintext);
  });
});

function openerOf(vector: { readonly cipher: string; readonly key: string }) {
  return nodeProvider.createOpener(cipherNamed(vector.cipher), bytes(vector.key));
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

function flip(buffer: Buffer, at: number): void {
  buffer.writeUInt8(buffer.readUInt8(at) ^ 0x10, at);
}
