import { describe, expect, test } from 'vitest';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { offeredCiphers } from '../../src/datachannel/offered-ciphers.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';

const NAMES = ['CHACHA20-POLY1305', 'AES-128-CBC', 'AES-256-GCM', 'BF-CBC'];
const web = webCryptoProvider(globalThis.crypto);

describe('offeredCiphers', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'node:crypto        ', provider: nodeProvider, auth: 'SHA224', offered: NAMES.slice(0, 3) },
    { name: 'WebCrypto          ', provider: web, auth: 'SHA1', offered: ['AES-128-CBC', 'AES-256-GCM'] },
    { name: 'WebCrypto, an alias', provider: web, auth: 'SHA2-256', offered: ['AES-128-CBC', 'AES-256-GCM'] },
    { name: 'WebCrypto, SHA224  ', provider: web, auth: 'SHA224', offered: ['AES-256-GCM'] },
    { name: 'WebCrypto, NONE    ', provider: web, auth: 'NONE', offered: ['AES-256-GCM'] },
  ])('$name', ({ provider, auth, offered }) => {
    expect(offeredCiphers(provider, NAMES, auth)).toEqual(offered);
  });
});
