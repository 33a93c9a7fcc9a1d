import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import { webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import { resolveServerOptions, type VpnServerOptions } from '../../src/server/server-options.ts';
import { createAuthority, serverOptions } from '../tlsstate/certificates.ts';

const authority = createAuthority();
const own = authority.issue(serverOptions());
const identity = { ca: authority.certPem, cert: own.certPem, key: own.keyPem };
const bytes = (length: number) => new Secret(Buffer.alloc(length, 1));
const authenticate = () => ({ ok: true }) as const;
const web = webCryptoProvider(globalThis.crypto);

describe('resolveServerOptions', () => {
  test('fills in the defaults, frozen', () => {
    const resolved = resolveServerOptions(identity);
    expect(resolved).toMatchObject({
      protocol: 'udp',
      host: '127.0.0.1',
      port: 0,
      wrap: { kind: 'none' },
      dataCiphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
      auth: 'SHA1',
      compression: 'none',
      dynTlsCrypt: true,
      aeadEpoch: true,
      clientCertificate: 'required',
      subnet: '10.8.0.0/24',
      pushes: [],
      tunMtu: 1500,
      keepalive: { pingMs: 10_000, pingRestartMs: 60_000 },
      renegSecMs: 3_600_000,
      tlsTimeoutMs: 500,
      handWindowMs: 60_000,
      maxPeers: 1024,
      tlsVersionMin: '1.2',
      tlsVersionMax: '1.3',
      clock: systemClock,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  test('takes what is given; undefined is the default', () => {
    const options = { ...identity, port: 1194, host: undefined, tunMtu: undefined };
    expect(resolveServerOptions(options as unknown as VpnServerOptions)).toMatchObject({
      port: 1194,
      host: '127.0.0.1',
      tunMtu: 1500,
    });
  });

  test('hides the private key', () => {
    const resolved = resolveServerOptions(identity);
    const [, line = ''] = own.keyPem.split('\n');
    expect(resolved.key.reveal()).toBe(own.keyPem);
    expect(inspect(resolved)).not.toContain(line);
    expect(JSON.stringify({ ...resolved, clock: 0, random: 0 })).not.toContain(line);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no identity',              options: { ca: '', cert: '', key: '' } },
    { name: 'a path in place of PEM',   options: { ...identity, key: '/etc/server.key' } },
    { name: 'another key',              options: { ...identity, key: authority.keyPem } },
    { name: 'a key in place of the ca', options: { ...identity, ca: own.keyPem } },
    { name: 'nothing that judges',      options: { ...identity, clientCertificate: 'none' } },
    { name: 'a port that is none',      options: { ...identity, port: 65_536 } },
    { name: 'a broken port',            options: { ...identity, port: 1.5 } },
    { name: 'an mtu below 576',         options: { ...identity, tunMtu: 575 } },
    { name: 'an mtu that no client has', options: { ...identity, tunMtu: 1601 } },
    { name: 'room for nobody',          options: { ...identity, maxPeers: 0 } },
    { name: 'no time to shake hands',   options: { ...identity, handWindowMs: 0 } },
    { name: 'a cipher that we lack',    options: { ...identity, dataCiphers: ['AES-256-GCM', 'BF-CBC'] } },
    { name: 'no cipher',                options: { ...identity, dataCiphers: [] } },
    { name: 'a digest that we lack',    options: { ...identity, auth: 'SHA0' } },
    { name: 'a cipher provider that is none', options: { ...identity, cipherProvider: crypto } },
    { name: 'a cipher that the provider lacks', options: { ...identity, cipherProvider: web, dataCiphers: ['AES-256-GCM', 'CHACHA20-POLY1305'] } },
    { name: 'no digest',                options: { ...identity, auth: 'NONE' } },
    { name: 'a digest in small letters', options: { ...identity, auth: 'sha256' } },
    { name: 'a framing that compresses', options: { ...identity, compression: 'lz4' } },
    { name: 'a wrap that is none',      options: { ...identity, wrap: { kind: 'tls-crypt-v3' } } },
    { name: 'a short tls-crypt key',    options: { ...identity, wrap: { kind: 'tls-crypt', key: bytes(255) } } },
    { name: 'a short tls-auth key',     options: { ...identity, wrap: { kind: 'tls-auth', key: bytes(128), direction: 0, digest: 'SHA1' } } },
    { name: 'a tls-auth digest that we lack', options: { ...identity, wrap: { kind: 'tls-auth', key: bytes(256), direction: 0, digest: 'NONE' } } },
    { name: 'a client’s key as the server’s', options: { ...identity, wrap: { kind: 'tls-crypt-v2', serverKey: bytes(256) } } },
  ])('refuses $name', ({ options }) => {
    expect(() => resolveServerOptions(options as unknown as VpnServerOptions)).toThrow(
      OvpnUsageError,
    );
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'every digest',       options: { auth: 'SHA512' } },
    { name: 'CBC ciphers',        options: { dataCiphers: ['AES-256-CBC', 'AES-192-GCM'], auth: 'SHA256' } },
    { name: 'comp-lzo no',        options: { compression: 'comp-lzo-no' } },
    { name: 'compress stub',      options: { compression: 'stub' } },
    { name: 'compress stub-v2',   options: { compression: 'stub-v2' } },
    { name: 'nothing granted',    options: { dynTlsCrypt: false, aeadEpoch: false } },
    { name: 'tls-auth',           options: { wrap: { kind: 'tls-auth', key: bytes(256), direction: undefined, digest: 'SHA1' } } },
    { name: 'tls-crypt',          options: { wrap: { kind: 'tls-crypt', key: bytes(256) } } },
    { name: 'tls-crypt-v2',       options: { wrap: { kind: 'tls-crypt-v2', serverKey: bytes(128) } } },
  ] as const)('takes $name', ({ options }) => {
    expect(resolveServerOptions({ ...identity, ...options })).toMatchObject(options);
  });

  test('offers of the default ciphers those that the provider has', () => {
    const { dataCiphers } = resolveServerOptions({ ...identity, cipherProvider: web });
    expect(dataCiphers).toEqual(['AES-256-GCM', 'AES-128-GCM']);
  });

  test('a judge makes certificates needless', () => {
    const options = { ...identity, clientCertificate: 'none', authenticate } as const;
    expect(resolveServerOptions(options)).toMatchObject({
      clientCertificate: 'none',
      authenticate,
    });
  });
});
