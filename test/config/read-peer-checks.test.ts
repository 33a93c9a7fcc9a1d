import { describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { errorOf, inline, profileWith, REQUIRED, read } from './sample-profile.ts';

const hex = (bytes: number, pair = 'ab') => Array.from({ length: bytes }, () => pair).join(':');
const sha1 = { algorithm: 'sha1', digest: Buffer.alloc(20, 0xab) };
const sha256 = { algorithm: 'sha256', digest: Buffer.alloc(32, 0xab) };

describe('peer checks', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { line: 'remote-cert-ku a0 88',             comes: { remoteCertKu: [0xa0, 0x88] } },
    { line: 'remote-cert-ku 0x80',              comes: { remoteCertKu: [0x80] } },
    { line: 'remote-cert-ku 00A0',              comes: { remoteCertKu: [0xa0] } },
    { line: 'remote-cert-ku',                   comes: { remoteCertKu: [0] } },
    { line: 'remote-cert-eku 1.3.6.1.5.5.7.3.1', comes: { remoteCertEku: '1.3.6.1.5.5.7.3.1' } },
    { line: 'remote-cert-eku "TLS Web Server Authentication"', comes: { remoteCertEku: '1.3.6.1.5.5.7.3.1' } },
    { line: 'remote-cert-eku clientAuth',       comes: { remoteCertEku: '1.3.6.1.5.5.7.3.2' } },
    { line: 'ns-cert-type server',              comes: { nsCertType: 'server' } },
    { line: 'ns-cert-type client',              comes: { nsCertType: 'client' } },
    { line: `verify-hash ${hex(20)}`,           comes: { verifyHashes: [sha1] } },
    { line: `verify-hash ${hex(20)} SHA1`,      comes: { verifyHashes: [sha1] } },
    { line: `verify-hash ${hex(32, 'AB')} SHA256`, comes: { verifyHashes: [sha256] } },
    { line: `verify-hash ${hex(32)}`,           comes: { verifyHashes: [sha256] } },
  ])('$line', ({ line, comes }) => {
    expect(read(line)).toMatchObject(comes);
  });

  test('verify-hash may be a block, and adds up', () => {
    const block = inline('verify-hash', `# authorities\n${hex(32)}\n\n${hex(20)}\n`);
    expect(read(block, `verify-hash ${hex(20)}`).verifyHashes).toEqual([sha256, sha1, sha1]);
  });

  test.each([
    'remote-cert-ku zz',
    'remote-cert-ku 0',
    'remote-cert-ku 100',
    'remote-cert-ku a0 -1',
    'remote-cert-eku',
    'remote-cert-eku "TLS Server"',
    'remote-cert-eku 3.1',
    'remote-cert-eku 1',
    'ns-cert-type',
    'ns-cert-type both',
    'verify-hash',
    `verify-hash ${hex(19)}`,
    `verify-hash ${hex(31)}`,
    `verify-hash ${hex(32)} SHA1`,
    `verify-hash ${hex(20)} SHA256`,
    `verify-hash ${hex(32)} MD5`,
    `verify-hash ${hex(32)}:`,
    'verify-hash abab',
    inline('verify-hash', ''),
    inline('verify-hash', `${hex(32)}\n${hex(33)}`),
    `peer-fingerprint ${hex(20)}`,
    inline('peer-fingerprint', `${hex(32)}\n${hex(20)}`),
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).problems).toHaveLength(1);
  });
});

describe('what tells the server from other holders of certificates', () => {
  const without = REQUIRED.filter((line) => !line.startsWith('remote-cert-tls'));
  const warned = (line: string) =>
    readProfile(`${[...without, line].join('\n')}\n`).ignored.some(
      ({ directive, level }) => directive === 'remote-cert-tls' && level === 'warn',
    );

  test.each([
    { line: 'verify-x509-name a', tells: true },
    { line: 'remote-cert-eku serverAuth', tells: true },
    { line: 'ns-cert-type server', tells: true },
    { line: `peer-fingerprint ${hex(32)}`, tells: true },
    { line: 'remote-cert-ku a0', tells: false },
    { line: `verify-hash ${hex(32)}`, tells: false },
  ])('$line: $tells', ({ line, tells }) => {
    expect(warned(line)).toBe(!tells);
  });
});

describe('x509-username-field', () => {
  test.each([
    { field: 'CN', oid: '2.5.4.3' },
    { field: 'cn', oid: '2.5.4.3' },
    { field: 'commonName', oid: '2.5.4.3' },
    { field: 'emailAddress', oid: '1.2.840.113549.1.9.1' },
    { field: 'ou', oid: '2.5.4.11' },
    { field: 'UID', oid: '0.9.2342.19200300.100.1.1' },
  ])('$field is what verify-x509-name looks at', ({ field, oid }) => {
    for (const type of ['name', 'name-prefix'] as const) {
      const { verifyX509Name } = read(`x509-username-field ${field}`, `verify-x509-name a ${type}`);
      expect(verifyX509Name).toEqual({ type, value: 'a', field: oid });
    }
  });

  test.each(['ext:subjectAltName', 'CN OU', 'shoeSize', '""'])(
    'refuses %s where it matters',
    (field) => {
      const lines = [`x509-username-field ${field}`, 'verify-x509-name a name'];
      expect(errorOf(profileWith(...lines))).toMatchObject({ directive: 'x509-username-field' });
    },
  );

  test.each([[], ['verify-x509-name "CN=a"'], ['verify-x509-name "CN=a" subject']])(
    'has no meaning beside %j',
    (...lines) => {
      const { ignored } = read('x509-username-field ext:subjectAltName', ...lines);
      expect(ignored).toMatchObject([{ directive: 'x509-username-field', level: 'quiet' }]);
    },
  );
});
