import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  belongTogether,
  isEncryptedKey,
  openPrivateKey,
  privateKeyBlock,
} from '../../src/config/private-key.ts';
import { keyText } from './key-files.ts';

const publicKey = new X509Certificate(keyText('client.crt')).publicKey;

function blockOf(text: string) {
  const block = privateKeyBlock(text);
  if (block === undefined) throw new Error('no private key');
  return block;
}

function opened(text: string, passphrase: string) {
  const key = openPrivateKey(blockOf(text), passphrase);
  return 'locked' in key ? key.locked : createPublicKey(key).equals(publicKey);
}

describe('openPrivateKey', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { file: 'pkcs8-aes256.key',        passphrase: 'secret', comes: true },
    { file: 'pkcs8-aes128-sha512.key', passphrase: 'secret', comes: true },
    { file: 'pkcs8-des3.key',          passphrase: 'secret', comes: true },
    { file: 'pkcs8-pbe-3des.key',      passphrase: 'secret', comes: true },
    { file: 'pkcs8-pbe-rc2-40.key',    passphrase: 'secret', comes: true },
    { file: 'pkcs8-pbe-md5-des.key',   passphrase: 'secret', comes: true },
    { file: 'traditional-aes128.key',  passphrase: 'secret', comes: true },
    { file: 'traditional-des.key',     passphrase: 'secret', comes: 'unreadable' },
    { file: 'pkcs8-scrypt.key',        passphrase: 'secret', comes: 'unreadable' },
    { file: 'pkcs8-slow.key',          passphrase: 'secret', comes: 'unreadable' },
  ])('$file: $comes', ({ file, passphrase, comes }) => {
    expect(isEncryptedKey(blockOf(keyText(file)))).toBe(true);
    expect(opened(keyText(file), passphrase)).toBe(comes);
  });

  test.each([
    'pkcs8-aes256.key',
    'pkcs8-aes128-sha512.key',
    'pkcs8-des3.key',
    'pkcs8-pbe-3des.key',
    'pkcs8-pbe-rc2-40.key',
    'pkcs8-pbe-md5-des.key',
    'traditional-aes128.key',
  ])('%s with another passphrase', (file) => {
    for (const wrong of ['', 'Secret', 'secret ', 'x'.repeat(2000)]) {
      expect(opened(keyText(file), wrong)).toBe('wrong-passphrase');
    }
  });

  test('what is no key inside is never thrown about', () => {
    const text = (bytes: readonly number[]) => {
      const base64 = Buffer.from(bytes).toString('base64');
      return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${base64}\n-----END ENCRYPTED PRIVATE KEY-----`;
    };
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 200 }), (bytes) => {
        expect(opened(text(bytes), 'secret')).toMatch(/^(unreadable|wrong)/);
      }),
    );
    const der = Buffer.from(
      keyText('pkcs8-aes256.key').split('\n').slice(1, -2).join(''),
      'base64',
    );
    for (let at = 0; at < der.length; at += 1) {
      const changed = Buffer.from(der);
      changed.writeUInt8(changed.readUInt8(at) ^ 0x40, at);
      expect(opened(text([...changed]), 'secret')).not.toBe(undefined);
      expect(opened(text([...der.subarray(0, at)]), 'secret')).toMatch(/^(unreadable|wrong)/);
    }
  });
});

describe('privateKeyBlock', () => {
  test('finds the key among other blocks and text', () => {
    const text = `text\r\n${keyText('client.crt')}more\r\n${keyText('client.key')}`.trimEnd();
    const block = blockOf(text.replaceAll('\n', '\r\n'));
    expect(block.label).toBe('PRIVATE KEY');
    expect(isEncryptedKey(block)).toBe(false);
    expect(belongTogether(keyText('client.crt'), createPrivateKey(block.text))).toBe(true);
    expect(belongTogether(keyText('ca.crt'), createPrivateKey(block.text))).toBe(false);
  });

  test('there may be none', () => {
    expect(privateKeyBlock(keyText('client.crt'))).toBeUndefined();
  });
});
