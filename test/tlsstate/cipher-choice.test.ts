import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { chooseClientCipher, chooseServerCipher } from '../../src/tlsstate/cipher-choice.ts';

const OURS = ['AES-256-GCM', 'CHACHA20-POLY1305'];

describe('chooseClientCipher', () => {
  test.each([
    {
      pushed: 'CHACHA20-POLY1305',
      occ: undefined,
      fallback: undefined,
      chosen: 'CHACHA20-POLY1305',
    },
    { pushed: 'AES-128-GCM', occ: 'AES-256-GCM', fallback: undefined, chosen: undefined },
    { pushed: 'AES-128-GCM', occ: undefined, fallback: 'AES-128-GCM', chosen: 'AES-128-GCM' },
    { pushed: 'AES-128-GCM', occ: undefined, fallback: 'AES-256-GCM', chosen: undefined },
    { pushed: 'NONE', occ: undefined, fallback: undefined, chosen: undefined },
    { pushed: undefined, occ: 'AES-256-GCM', fallback: undefined, chosen: 'AES-256-GCM' },
    { pushed: undefined, occ: 'BF-CBC', fallback: undefined, chosen: undefined },
    { pushed: undefined, occ: 'AES-128-GCM', fallback: undefined, chosen: undefined },
    { pushed: undefined, occ: 'BF-CBC', fallback: 'AES-128-GCM', chosen: 'AES-128-GCM' },
    { pushed: undefined, occ: undefined, fallback: 'AES-128-GCM', chosen: 'AES-128-GCM' },
    { pushed: undefined, occ: undefined, fallback: undefined, chosen: undefined },
  ])(
    'pushed $pushed, occ $occ, fallback $fallback: $chosen',
    ({ pushed, occ, fallback, chosen }) => {
      const cipher = chooseClientCipher({
        pushed,
        serverOptions: occ,
        dataCiphers: OURS,
        fallback,
      });
      if (cipher instanceof OvpnProtocolError) {
        expect(cipher.code).toBe('OVPN_NO_SHARED_CIPHER');
        expect(chosen).toBeUndefined();
      } else expect(cipher.name).toBe(chosen);
    },
  );
});

describe('chooseServerCipher', () => {
  const lines = (entries: Record<string, string>) => new Map(Object.entries(entries));
  test.each([
    {
      name: 'our order decides',
      info: { IV_CIPHERS: 'CHACHA20-POLY1305:AES-256-GCM' },
      occ: undefined,
      fallback: undefined,
      chosen: 'AES-256-GCM',
    },
    {
      name: 'the list wins over IV_NCP',
      info: { IV_CIPHERS: 'CHACHA20-POLY1305', IV_NCP: '2' },
      occ: undefined,
      fallback: undefined,
      chosen: 'CHACHA20-POLY1305',
    },
    {
      name: 'nothing in common',
      info: { IV_CIPHERS: 'AES-128-CBC' },
      occ: 'AES-256-GCM',
      fallback: 'AES-256-GCM',
      chosen: undefined,
    },
    {
      name: 'IV_NCP alone',
      info: { IV_NCP: '2' },
      occ: undefined,
      fallback: undefined,
      chosen: 'AES-256-GCM',
    },
    {
      name: 'the options string',
      info: {},
      occ: 'CHACHA20-POLY1305',
      fallback: undefined,
      chosen: 'CHACHA20-POLY1305',
    },
    {
      name: 'an options string with another',
      info: {},
      occ: 'BF-CBC',
      fallback: 'AES-256-GCM',
      chosen: undefined,
    },
    {
      name: 'nothing named',
      info: {},
      occ: undefined,
      fallback: 'AES-128-GCM',
      chosen: 'AES-128-GCM',
    },
    {
      name: 'nothing named, no fallback',
      info: {},
      occ: undefined,
      fallback: undefined,
      chosen: undefined,
    },
  ])('$name', ({ info, occ, fallback, chosen }) => {
    const cipher = chooseServerCipher({
      dataCiphers: OURS,
      fallback,
      peerInfo: lines(info as Record<string, string>),
      clientOptions: occ,
    });
    expect(cipher?.name).toBe(chosen);
  });
});
