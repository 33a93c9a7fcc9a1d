import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/tlsstate/certificate.ts';
import { readDer } from '../../src/tlsstate/der.ts';
import { NO_PEER_CHECKS, type PeerChecks, verifyPeer } from '../../src/tlsstate/verify-peer.ts';
import {
  attribute,
  BMP_STRING,
  CLIENT_AUTH,
  commonName,
  createAuthority,
  type Dn,
  NON_REPUDIATION,
  PRINTABLE_STRING,
  SERVER_AUTH,
  serverOptions,
} from './certificates.ts';

const authority = createAuthority();
const NONE: PeerChecks = NO_PEER_CHECKS;

function codeFor(subject: Dn, type: 'name' | 'name-prefix' | 'subject', value: string) {
  const { der } = authority.issue(serverOptions({ subject }));
  return verifyPeer(der, { ...NONE, verifyX509Name: { type, value } })?.code;
}

const full: Dn = [
  [attribute('2.5.4.6', 'KG', PRINTABLE_STRING)],
  [attribute('2.5.4.8', 'NA')],
  [attribute('2.5.4.10', 'Example, Inc.')],
  [attribute('2.5.4.3', 'vpn'), attribute('2.5.4.11', 'Tür')],
  [attribute('1.2.840.113549.1.9.1', 'a@b.example', 0x16)],
  [attribute('1.3.6.1.4.1.55555.1', 'x')],
];

describe('verify-x509-name', () => {
  test.each<{
    name: string;
    subject: Dn;
    type: 'name' | 'name-prefix' | 'subject';
    value: string;
    ok: boolean;
  }>([
    { name: 'exact', subject: commonName('vpn'), type: 'name', value: 'vpn', ok: true },
    { name: 'case counts', subject: commonName('VPN'), type: 'name', value: 'vpn', ok: false },
    {
      name: 'a prefix is not the name',
      subject: commonName('vpn1'),
      type: 'name',
      value: 'vpn',
      ok: false,
    },
    { name: 'prefix', subject: commonName('vpn-7'), type: 'name-prefix', value: 'vpn-', ok: true },
    {
      name: 'other prefix',
      subject: commonName('xvpn-7'),
      type: 'name-prefix',
      value: 'vpn-',
      ok: false,
    },
    {
      name: 'PrintableString',
      subject: commonName('vpn', PRINTABLE_STRING),
      type: 'name',
      value: 'vpn',
      ok: true,
    },
    { name: 'emoji', subject: commonName('vpn🦊'), type: 'name', value: 'vpn🦊', ok: true },
    {
      name: 'two names',
      subject: [...commonName('vpn'), ...commonName('vpn')],
      type: 'name',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'two names in one',
      subject: [[attribute('2.5.4.3', 'vpn'), attribute('2.5.4.3', 'x')]],
      type: 'name',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'none',
      subject: [[attribute('2.5.4.10', 'vpn')]],
      type: 'name',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'NUL',
      subject: commonName('vpn\0.evil'),
      type: 'name-prefix',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'line feed',
      subject: commonName('vpn\nCN=x'),
      type: 'name-prefix',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'C1 control',
      subject: commonName('vpn\u009b'),
      type: 'name-prefix',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'not UTF-8',
      subject: commonName(Buffer.from('76706eff', 'hex')),
      type: 'name-prefix',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'high byte in PrintableString',
      subject: commonName(Buffer.from('76706ee9', 'hex'), PRINTABLE_STRING),
      type: 'name-prefix',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'BMPString',
      subject: commonName(Buffer.from('00760070006e', 'hex'), BMP_STRING),
      type: 'name-prefix',
      value: '',
      ok: false,
    },
    {
      name: 'full subject',
      subject: full,
      type: 'subject',
      value:
        'C=KG, ST=NA, O=Example, Inc., CN=vpn + OU=Tür, emailAddress=a@b.example, 1.3.6.1.4.1.55555.1=x',
      ok: true,
    },
    { name: 'part of the subject', subject: full, type: 'subject', value: 'CN=vpn', ok: false },
    {
      name: 'a name in place of the subject',
      subject: commonName('vpn'),
      type: 'subject',
      value: 'vpn',
      ok: false,
    },
    {
      name: 'unclean attribute elsewhere',
      subject: [...commonName('vpn'), [attribute('2.5.4.10', 'a\0')]],
      type: 'subject',
      value: 'CN=vpn, O=a',
      ok: false,
    },
    { name: 'empty subject', subject: [], type: 'subject', value: '', ok: false },
  ])('$name', ({ subject, type, value, ok }) => {
    expect(codeFor(subject, type, value)).toBe(ok ? undefined : 'OVPN_CERT_NAME');
  });
});

describe('remote-cert-tls', () => {
  test.each([
    { name: 'good', changes: {}, side: 'server', code: undefined },
    {
      name: 'good among others',
      changes: { extendedKeyUsage: [CLIENT_AUTH, SERVER_AUTH] },
      side: 'server',
      code: undefined,
    },
    { name: 'the other side', changes: {}, side: 'client', code: 'OVPN_CERT_PURPOSE' },
    {
      name: 'any purpose is not this one',
      changes: { extendedKeyUsage: ['2.5.29.37.0'] },
      side: 'server',
      code: 'OVPN_CERT_PURPOSE',
    },
    {
      name: 'no extended key usage',
      changes: { extendedKeyUsage: undefined },
      side: 'server',
      code: 'OVPN_CERT_NO_EKU',
    },
    {
      name: 'no key usage',
      changes: { keyUsage: undefined },
      side: 'server',
      code: 'OVPN_CERT_KEY_USAGE',
    },
    {
      name: 'key usage that cannot do TLS',
      changes: { keyUsage: NON_REPUDIATION },
      side: 'server',
      code: 'OVPN_CERT_KEY_USAGE',
    },
    {
      name: 'key encipherment: server',
      changes: { keyUsage: 0x20 },
      side: 'server',
      code: undefined,
    },
    {
      name: 'key encipherment: client',
      changes: { keyUsage: 0x20, extendedKeyUsage: [CLIENT_AUTH] },
      side: 'client',
      code: 'OVPN_CERT_KEY_USAGE',
    },
  ] as const)('$name', ({ changes, side, code }) => {
    const { der } = authority.issue(serverOptions(changes));
    expect(verifyPeer(der, { ...NONE, remoteCertTls: side })?.code).toBe(code);
  });
});

describe('peer-fingerprint', () => {
  const { der } = authority.issue(serverOptions());
  const digest = createHash('sha256').update(der).digest();
  const other = Buffer.alloc(32, 7);

  test.each([
    { name: 'the digest', accepted: [digest], code: undefined },
    { name: 'the digest behind another', accepted: [other, digest], code: undefined },
    { name: 'the digest before another', accepted: [digest, other], code: undefined },
    { name: 'another', accepted: [other], code: 'OVPN_CERT_FINGERPRINT' },
    { name: 'part of it', accepted: [digest.subarray(0, 31)], code: 'OVPN_CERT_FINGERPRINT' },
    {
      name: 'more than it',
      accepted: [Buffer.concat([digest, Buffer.of(0)])],
      code: 'OVPN_CERT_FINGERPRINT',
    },
  ])('$name', ({ accepted, code }) => {
    expect(verifyPeer(der, { ...NONE, peerFingerprints: accepted })?.code).toBe(code);
  });

  test('one with any bit changed is refused, and the message has what came', () => {
    for (let bit = 0; bit < digest.length * 8; bit += 1) {
      const changed = Buffer.from(digest);
      changed.writeUInt8(changed.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
      const refusal = verifyPeer(der, { ...NONE, peerFingerprints: [changed] });
      expect(refusal?.code).toBe('OVPN_CERT_FINGERPRINT');
      expect(refusal?.message).toContain(new X509Certificate(der).fingerprint256);
    }
  });

  test('the right one does not stand in for the other checks', () => {
    const checks: PeerChecks = { ...NONE, peerFingerprints: [digest], remoteCertTls: 'client' };
    expect(verifyPeer(der, checks)?.code).toBe('OVPN_CERT_PURPOSE');
  });
});

describe('readCertificate', () => {
  test.each([
    { file: 'server.crt', purposes: [SERVER_AUTH], name: 'vector-server' },
    { file: 'client.crt', purposes: [CLIENT_AUTH], name: 'vector-client' },
  ])('reads what openssl made: $file', ({ file, purposes, name }) => {
    const pem = readFileSync(new URL(`../vectors/pki/${file}`, import.meta.url));
    expect(readCertificate(new X509Certificate(pem).raw)).toMatchObject({
      subject: [[{ oid: '2.5.4.3', text: name }]],
      extendedKeyUsage: purposes,
    });
  });

  test('every truncation and every changed byte gives facts or undefined', () => {
    const { der } = authority.issue(serverOptions());
    for (let at = 0; at < der.length; at += 1) {
      expect(readCertificate(der.subarray(0, at))).toBeUndefined();
      const changed = Buffer.from(der);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      expect(() => readCertificate(changed)).not.toThrow();
    }
  });

  test('a certificate that cannot be read is refused', () => {
    const checks: PeerChecks = { ...NONE, remoteCertTls: 'server' };
    expect(verifyPeer(Buffer.from('3003020101', 'hex'), checks)?.code).toBe('OVPN_TLS_FAILED');
  });
});

describe('readDer', () => {
  test.each([
    { name: 'bytes behind the value', hex: '020101ff' },
    { name: 'an indefinite length', hex: '30800000' },
    { name: 'a length past the end', hex: '0204ff' },
    { name: 'nothing', hex: '' },
  ])('refuses $name', ({ hex }) => {
    expect(readDer(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  test('nesting without end is refused, not followed', () => {
    expect(readDer(Buffer.alloc(200_000, 0x30))).toBeUndefined();
  });
});
