import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { openSslSuite, tls13Suite } from '../../src/config/tls-suites.ts';
import { errorOf, profileWith, read } from './sample-profile.ts';

const NEVER = '!aNULL:!eNULL:!EXPORT:!RC4';
const RSA256 = 'ECDHE-RSA-AES256-GCM-SHA384';
const older = tls.DEFAULT_CIPHERS.split(':').filter((name) => !name.startsWith('TLS_'));

describe('tls-cipher', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: "IANA's name",             list: 'TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384', comes: RSA256 },
    { name: "IANA's own spelling",     list: 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', comes: RSA256 },
    { name: "OpenSSL's name",          list: RSA256,                                  comes: RSA256 },
    { name: 'small letters',           list: RSA256.toLowerCase(),                    comes: RSA256 },
    { name: 'several',                 list: `${RSA256}:TLS-DHE-RSA-WITH-AES-128-CBC-SHA`, comes: `${RSA256}:DHE-RSA-AES128-SHA` },
    { name: 'CHACHA20',                list: 'TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256', comes: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
    { name: 'groups and rules',        list: 'DEFAULT:!kRSA:-AES128:+SHA1:@STRENGTH', comes: 'DEFAULT:!kRSA:-AES128:+SHA1:@STRENGTH' },
    { name: 'an intersection',         list: 'kEECDH+AESGCM',                         comes: 'kEECDH+AESGCM' },
    { name: 'a suite taken out',       list: 'HIGH:!TLS-DHE-RSA-WITH-AES-256-CBC-SHA', comes: 'HIGH:!DHE-RSA-AES256-SHA' },
    { name: 'a level',                 list: 'DEFAULT:@SECLEVEL=2',                   comes: 'DEFAULT:@SECLEVEL=2' },
    { name: 'a level without a colon', list: 'DEFAULT@SECLEVEL=1',                    comes: 'DEFAULT:@SECLEVEL=1' },
    { name: 'weak ones taken out',     list: 'DEFAULT:!aNULL:!EXP:!RC4:!NULL',        comes: 'DEFAULT:!aNULL:!EXP:!RC4:!NULL' },
  ])('$name', ({ list, comes }) => {
    const { tlsCipher, ignored } = read(`tls-cipher "${list}"`);
    expect(tlsCipher).toBe(`${comes}:${NEVER}`);
    expect(ignored).toEqual([]);
  });

  test('unknown names are told of and left out', () => {
    const { tlsCipher, ignored } = read(`tls-cipher TLS-FOO:${RSA256}:BAR:!BAZ`);
    expect(tlsCipher).toBe(`${RSA256}:${NEVER}`);
    expect(ignored).toMatchObject([{ directive: 'tls-cipher', level: 'warn' }]);
    expect(ignored[0]?.reason).toMatch(/^3 of its names/);
  });

  test('groups of OpenSSL never bring suites without authentication', () => {
    for (const list of ['ALL', 'HIGH', 'DEFAULT']) {
      const context = () => tls.createSecureContext({ ciphers: `${list}:${NEVER}:!ADH:!AECDH` });
      expect(context).not.toThrow();
      expect(read(`tls-cipher ${list}`).tlsCipher?.endsWith(NEVER)).toBe(true);
    }
  });

  test.each([
    'eNULL',
    'aNULL',
    'NULL',
    'ADH',
    'AECDH',
    'EXPORT',
    'EXP-RC4-MD5',
    'RC4',
    'RC4-SHA',
    'COMPLEMENTOFALL',
    'TLS-RSA-WITH-NULL-SHA256',
    'TLS-RSA-WITH-RC4-128-SHA',
    'TLS-DH-anon-WITH-AES-256-CBC-SHA',
    'TLS-RSA-EXPORT-WITH-RC4-40-MD5',
    `DEFAULT:@SECLEVEL=0`,
    'DEFAULT@SECLEVEL=0',
    `${RSA256}:aNULL`,
    'kEECDH+eNULL',
    'FOO',
    'FOO:BAR',
    ':',
    '!DEFAULT',
    `${RSA256}:!${RSA256}`,
    '',
  ])('refuses %j', (list) => {
    const { directive, problems } = errorOf(profileWith(`tls-cipher "${list}"`));
    expect({ directive, count: problems.length }).toEqual({ directive: 'tls-cipher', count: 1 });
  });

  test('every suite of the table is one that OpenSSL takes', () => {
    const names = tls.getCiphers().filter((name) => /^(dhe|ecdhe|aes|camellia)/.test(name));
    const ours = names.filter((name) => !name.includes('psk'));
    expect(ours.length).toBeGreaterThan(20);
    for (const name of ours) {
      const suite = openSslSuite(name);
      expect(suite).toBe(name.toUpperCase());
      expect(() =>
        tls.createSecureContext({ ciphers: suite, maxVersion: 'TLSv1.2' }),
      ).not.toThrow();
    }
  });
});

describe('tls-ciphersuites', () => {
  test.each([
    { list: 'TLS_AES_128_GCM_SHA256', comes: 'TLS_AES_128_GCM_SHA256' },
    { list: 'TLS-AES-256-GCM-SHA384', comes: 'TLS_AES_256_GCM_SHA384' },
    {
      list: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
      comes: 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256',
    },
  ])('$list', ({ list, comes }) => {
    expect(read(`tls-ciphersuites ${list}`)).toMatchObject({ tlsCiphersuites: comes, ignored: [] });
    for (const name of comes.split(':')) {
      expect(tls13Suite(name)).toBe(name);
      expect(() => tls.createSecureContext({ ciphers: name, minVersion: 'TLSv1.3' })).not.toThrow();
    }
  });

  test('an unknown one is told of and left out', () => {
    const profile = read('tls-ciphersuites TLS_NEW_SHA512:TLS_AES_128_GCM_SHA256');
    expect(profile.tlsCiphersuites).toBe('TLS_AES_128_GCM_SHA256');
    expect(profile.ignored).toMatchObject([{ directive: 'tls-ciphersuites', level: 'warn' }]);
  });

  test.each(['TLS_NEW_SHA512', 'TLS_SHA256_SHA256', RSA256, '', 'TLS_NULL_WITH_NULL_NULL'])(
    'refuses %j',
    (list) => {
      expect(errorOf(profileWith(`tls-ciphersuites "${list}"`)).problems).toHaveLength(1);
    },
  );
});

describe('tls-groups', () => {
  test.each([
    { list: 'X25519', comes: 'X25519', unknown: false },
    { list: 'secp256r1:X448', comes: 'secp256r1:X448', unknown: false },
    { list: 'prime256v1:P-384', comes: 'prime256v1:P-384', unknown: false },
    { list: 'SECP384R1:p-521', comes: 'secp384r1:P-521', unknown: false },
    { list: 'kyber9:X25519:?x', comes: 'X25519', unknown: true },
    { list: 'auto:secp384r1', comes: 'secp384r1', unknown: true },
  ])('$list', ({ list, comes, unknown }) => {
    const { tlsGroups, ignored } = read(`tls-groups ${list}`);
    expect(tlsGroups).toBe(comes);
    expect(ignored).toHaveLength(unknown ? 1 : 0);
  });

  test.each(['kyber9', 'auto', '', ':', '*X25519', `${'x'.repeat(100)}`, 'a:'.repeat(300)])(
    'refuses %j',
    (list) => {
      expect(errorOf(profileWith(`tls-groups "${list}"`)).problems).toHaveLength(1);
    },
  );

  test('ecdh-curve is for a server', () => {
    const { tlsGroups, ignored } = read('ecdh-curve secp384r1');
    expect(tlsGroups).toBeUndefined();
    expect(ignored).toMatchObject([{ directive: 'ecdh-curve', level: 'quiet' }]);
  });
});

describe('tls-cert-profile', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { lines: ['tls-cert-profile legacy'],                               comes: `${older.join(':')}:@SECLEVEL=1` },
    { lines: ['tls-cert-profile preferred'],                            comes: `${older.join(':')}:@SECLEVEL=2` },
    { lines: ['tls-cert-profile suiteb'],                               comes: 'SUITEB128' },
    { lines: ['tls-cert-profile preferred', `tls-cipher ${RSA256}`],    comes: `${RSA256}:${NEVER}:@SECLEVEL=2` },
    { lines: ['tls-cipher DEFAULT@SECLEVEL=1', 'tls-cert-profile preferred'], comes: `DEFAULT:@SECLEVEL=1:${NEVER}` },
  ])('$lines', ({ lines, comes }) => {
    const { tlsCipher = '', ignored } = read(...lines);
    expect(tlsCipher).toBe(comes);
    expect(ignored).toEqual([]);
    expect(() => tls.createSecureContext({ ciphers: tlsCipher })).not.toThrow();
  });

  test('suiteb has its own list', () => {
    const { tlsCipher, ignored } = read('tls-cert-profile suiteb', `tls-cipher ${RSA256}`);
    expect(tlsCipher).toBe('SUITEB128');
    expect(ignored).toMatchObject([{ directive: 'tls-cert-profile', level: 'warn' }]);
  });

  test.each(['insecure', 'none', ''])('refuses %j', (name) => {
    const { directive } = errorOf(profileWith(`tls-cert-profile "${name}"`));
    expect(directive).toBe('tls-cert-profile');
  });
});
