import { generateKeyPairSync } from 'node:crypto';
import tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { type TlsChoices, tlsChoiceOptions } from '../../src/tlsstate/tls-choices.ts';
import { createClient, identityOf, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

const NONE: TlsChoices = {
  tlsVersionMin: '1.2',
  tlsVersionMax: '1.3',
  tlsCipher: undefined,
  tlsCiphersuites: undefined,
  tlsGroups: undefined,
};
const VERSIONS = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };

describe('tlsChoiceOptions', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',           choices: {},                                         options: {} },
    { name: 'suites of TLS 1.2', choices: { tlsCipher: 'X' },                         options: { ciphers: 'TLS_A:TLS_B:X' } },
    { name: 'suites of TLS 1.3', choices: { tlsCiphersuites: 'TLS_X' },               options: { ciphers: 'TLS_X:C:!D' } },
    { name: 'both',              choices: { tlsCipher: 'X', tlsCiphersuites: 'TLS_Y' }, options: { ciphers: 'TLS_Y:X' } },
    { name: 'groups',            choices: { tlsGroups: 'X25519' },                    options: { ecdhCurve: 'X25519' } },
  ])('$name', ({ choices, options }) => {
    const made = tlsChoiceOptions({ ...NONE, ...choices }, 'TLS_A:C:TLS_B:!D');
    expect(made).toEqual({ ...VERSIONS, ...options });
  });
});

/** An RSA key: over TLS 1.2 the groups do not limit which one it may be. */
const weak = pki.authority.issue({
  subject: [],
  keyUsage: 0x80,
  extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'],
  keys: generateKeyPairSync('rsa', { modulusLength: 1024 }),
});

let stop = () => {};
afterEach(() => stop());

async function meet(choices: Partial<TlsChoices>, options: tls.TlsOptions, shown = pki.server) {
  const raw = new RawServer(shown, options);
  const client = createClient({ identity: identityOf(pki.client, choices) });
  stop = () => {
    client.service.stop();
    raw.stop();
  };
  await raw.serve(client);
  return { raw, client };
}

const TLS12 = { tlsVersionMin: '1.2', tlsVersionMax: '1.2' } as const;
const TLS13 = { tlsVersionMin: '1.3', tlsVersionMax: '1.3' } as const;

describe('what the profile chooses is what is spoken', () => {
  test.each([
    {
      name: 'tls-cipher',
      choices: { ...TLS12, tlsCipher: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
      cipher: 'ECDHE-ECDSA-CHACHA20-POLY1305',
    },
    {
      name: 'tls-cipher leaves TLS 1.3 on',
      choices: { tlsCipher: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
      cipher: 'TLS_AES_256_GCM_SHA384',
    },
    {
      name: 'tls-ciphersuites',
      choices: { tlsCiphersuites: 'TLS_AES_128_GCM_SHA256' },
      cipher: 'TLS_AES_128_GCM_SHA256',
    },
    {
      name: 'tls-ciphersuites leaves TLS 1.2 on',
      choices: { ...TLS12, tlsCiphersuites: 'TLS_AES_128_GCM_SHA256' },
      cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    },
    {
      name: 'suite B',
      choices: { ...TLS12, tlsCipher: 'SUITEB128' },
      cipher: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    },
  ])('$name', async ({ choices, cipher }) => {
    const { raw, client } = await meet(choices, { ciphers: tls.DEFAULT_CIPHERS });
    expect(client.code).toBeUndefined();
    expect(raw.socket?.getCipher().name).toBe(cipher);
  });

  test.each(['1.2', '1.3'] as const)('tls-groups over TLS %s', async (version) => {
    const choices = { tlsVersionMin: version, tlsVersionMax: version, tlsGroups: 'secp384r1' };
    const { client } = await meet(choices, { ecdhCurve: 'P-256:secp384r1' }, weak);
    expect(client.code).toBeUndefined();
  });
});

describe('a server that has nothing of it is refused before anything is told', () => {
  test.each([
    {
      name: 'another group over TLS 1.3',
      choices: { ...TLS13, tlsGroups: 'secp384r1' },
      options: { ecdhCurve: 'P-256' },
    },
    {
      name: 'another group over TLS 1.2',
      choices: { ...TLS12, tlsGroups: 'secp384r1' },
      options: { ecdhCurve: 'P-256', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0' },
    },
    {
      name: 'another suite of TLS 1.2',
      choices: { ...TLS12, tlsCipher: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      options: { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
    },
    {
      name: 'another suite of TLS 1.3',
      choices: { ...TLS13, tlsCiphersuites: 'TLS_AES_128_GCM_SHA256' },
      options: { ciphers: 'TLS_AES_256_GCM_SHA384' },
    },
  ])('$name', async ({ choices, options }) => {
    const shown = 'ecdhCurve' in options ? weak : pki.server;
    const { raw, client } = await meet(choices, options, shown);
    expect(client.code).toBe('OVPN_TLS_FAILED');
    expect(client.error?.message).toContain('tls-groups');
    expect(raw.receivedBytes).toBe(0);
  });

  test('a client certificate that is missing is another matter', async () => {
    const { certPem: ca } = pki.authority;
    const raw = new RawServer(pki.server, { ca, requestCert: true, rejectUnauthorized: true });
    const identity = { ...identityOf(pki.client, TLS12), cert: undefined, key: undefined };
    const client = createClient({ identity });
    stop = () => {
      client.service.stop();
      raw.stop();
    };
    await raw.serve(client);
    expect(client.code).toBe('OVPN_TLS_REJECTED');
  });
});

describe('security levels of certificates', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'Node has 1',          tlsCipher: undefined,             code: undefined },
    { name: 'legacy is 1',         tlsCipher: 'DEFAULT:@SECLEVEL=1', code: undefined },
    { name: 'preferred is 2',      tlsCipher: 'DEFAULT:@SECLEVEL=2', code: 'OVPN_CERT_UNTRUSTED' },
    { name: 'suite B has no RSA',  tlsCipher: 'SUITEB128',           code: 'OVPN_TLS_FAILED' },
  ])('an RSA key of 1024 bits: $name', async ({ tlsCipher, code }) => {
    for (const versions of [TLS12, TLS13]) {
      const { raw, client } = await meet({ ...versions, tlsCipher }, {}, weak);
      expect(client.code).toBe(code);
      if (code !== undefined) expect(raw.receivedBytes).toBe(0);
      stop();
    }
  });

  test('a key of our own that the level does not allow for is told at once', () => {
    const identity = identityOf(weak, { tlsCipher: 'DEFAULT:@SECLEVEL=2' });
    const client = createClient({ identity });
    client.ports.hardResetDone.push({ local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) });
    client.run(0);
    client.service.stop();
    expect(client.code).toBe('OVPN_TLS_FAILED');
    expect(client.error?.message).toContain('tls-cert-profile');
  });
});
