import { describe, expect, test } from 'vitest';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import { offeredProfile } from '../../src/vpnclient/offered-profile.ts';
import { read } from '../config/sample-profile.ts';

const web = webCryptoProvider(globalThis.crypto);

describe('offeredProfile', () => {
  test('changes nothing with the default provider', () => {
    const profile = read('data-ciphers CHACHA20-POLY1305:AES-128-CBC', 'auth SHA224');
    expect(offeredProfile(profile, nodeProvider)).toEqual(profile);
  });

  test('leaves out ciphers, fallback and cipher that the provider has not', () => {
    const profile = read(
      'data-ciphers CHACHA20-POLY1305:AES-256-GCM',
      'data-ciphers-fallback AES-128-CBC',
      'cipher AES-128-CBC',
      'auth SHA224',
    );
    expect(offeredProfile(profile, web)).toEqual({
      ...profile,
      dataCiphers: ['AES-256-GCM'],
      dataCiphersFallback: undefined,
      cipher: undefined,
    });
  });

  test('refuses a profile of which it has no cipher', () => {
    expect(() => offeredProfile(read('data-ciphers CHACHA20-POLY1305'), web)).toThrow(
      expect.objectContaining({
        code: 'OVPN_USAGE',
        message:
          'expected `cipherProvider` to have one of CHACHA20-POLY1305 with auth SHA1, got WebCrypto',
      }),
    );
  });
});
