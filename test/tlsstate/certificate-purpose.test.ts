import { describe, expect, test } from 'vitest';
import { NO_PEER_CHECKS, type PeerChecks, verifyPeer } from '../../src/tlsstate/verify-peer.ts';
import {
  attribute,
  type CertificateOptions,
  CLIENT_AUTH,
  commonName,
  createAuthority,
  DIGITAL_SIGNATURE,
  SERVER_AUTH,
  serverOptions,
} from './certificates.ts';

const authority = createAuthority();
const KEY_ENCIPHERMENT = 0x20;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

function verdict(changes: Partial<CertificateOptions>, checks: Partial<PeerChecks>) {
  const { der } = authority.issue(serverOptions(changes));
  return verifyPeer(der, { ...NO_PEER_CHECKS, ...checks });
}

describe('remote-cert-ku', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the same bits',            keyUsage: 0xa0,      masks: [0xa0],             ok: true },
    { name: 'more bits than asked for', keyUsage: 0xa8,      masks: [0xa0],             ok: true },
    { name: 'one bit is missing',       keyUsage: 0x80,      masks: [0xa0],             ok: false },
    { name: 'other bits',               keyUsage: 0x08,      masks: [0xa0],             ok: false },
    { name: 'any of several masks',     keyUsage: 0x88,      masks: [0xa0, 0x88],       ok: true },
    { name: 'bits of two masks, mixed', keyUsage: 0x28,      masks: [0xa0, 0x88],       ok: false },
    { name: 'no extension',             keyUsage: undefined, masks: [0x80],             ok: false },
    { name: 'any usage, and there is',  keyUsage: 0x40,      masks: [0],                ok: true },
    { name: 'any usage, there is none', keyUsage: undefined, masks: [0],                ok: false },
  ])('$name: accepted: $ok', ({ keyUsage, masks, ok }) => {
    const refusal = verdict({ keyUsage }, { remoteCertKu: masks });
    expect(refusal?.code).toBe(ok ? undefined : 'OVPN_CERT_KEY_USAGE');
    const wanted = masks.map((mask) => (mask === 0 ? 'any' : `0x${mask.toString(16)}`)).join(' or ');
    if (!ok) expect(refusal?.message).toContain(`bits ${wanted} (remote-cert-ku), got `);
  });

  test('is asked beside remote-cert-tls', () => {
    const checks = { remoteCertTls: 'server', remoteCertKu: [KEY_ENCIPHERMENT] } as const;
    expect(verdict({ keyUsage: DIGITAL_SIGNATURE }, checks)?.code).toBe('OVPN_CERT_KEY_USAGE');
    expect(verdict({ keyUsage: DIGITAL_SIGNATURE | KEY_ENCIPHERMENT }, checks)).toBeUndefined();
  });
});

describe('remote-cert-eku', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the one',            has: [SERVER_AUTH],              oid: SERVER_AUTH,  code: undefined },
    { name: 'one of two',         has: [CLIENT_AUTH, SERVER_AUTH], oid: SERVER_AUTH,  code: undefined },
    { name: 'one of its own',     has: [CODE_SIGNING],             oid: CODE_SIGNING, code: undefined },
    { name: 'another one',        has: [CLIENT_AUTH],              oid: SERVER_AUTH,  code: 'OVPN_CERT_PURPOSE' },
    { name: 'a longer OID',       has: [`${SERVER_AUTH}.1`],       oid: SERVER_AUTH,  code: 'OVPN_CERT_PURPOSE' },
    { name: 'a shorter OID',      has: ['1.3.6.1.5.5.7.3'],        oid: SERVER_AUTH,  code: 'OVPN_CERT_PURPOSE' },
    { name: 'none at all',        has: undefined,                  oid: SERVER_AUTH,  code: 'OVPN_CERT_NO_EKU' },
  ])('$name: $code', ({ has, oid, code }) => {
    expect(verdict({ extendedKeyUsage: has }, { remoteCertEku: oid })?.code).toBe(code);
  });
});

describe('ns-cert-type', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: "Netscape's server",            netscapeType: 0x40,      eku: undefined,     side: 'server', ok: true },
    { name: "Netscape's client",            netscapeType: 0x80,      eku: undefined,     side: 'client', ok: true },
    { name: 'both types',                   netscapeType: 0xc0,      eku: undefined,     side: 'server', ok: true },
    { name: 'serverAuth in its place',      netscapeType: undefined, eku: [SERVER_AUTH], side: 'server', ok: true },
    { name: 'clientAuth in its place',      netscapeType: undefined, eku: [CLIENT_AUTH], side: 'client', ok: true },
    { name: "a client for a server",        netscapeType: 0x80,      eku: undefined,     side: 'server', ok: false },
    { name: "a server for a client",        netscapeType: 0x40,      eku: undefined,     side: 'client', ok: false },
    { name: 'clientAuth for a server',      netscapeType: undefined, eku: [CLIENT_AUTH], side: 'server', ok: false },
    { name: 'an object-signing authority',  netscapeType: 0x01,      eku: undefined,     side: 'server', ok: false },
    { name: 'neither says anything',        netscapeType: undefined, eku: undefined,     side: 'server', ok: false },
  ] as const)('$name as $side: accepted: $ok', ({ netscapeType, eku, side, ok }) => {
    const changes = { extendedKeyUsage: eku, ...(netscapeType !== undefined && { netscapeType }) };
    expect(verdict(changes, { nsCertType: side })?.code).toBe(ok ? undefined : 'OVPN_CERT_PURPOSE');
  });
});

describe('all checks at once', () => {
  const all: Partial<PeerChecks> = {
    remoteCertTls: 'server',
    remoteCertKu: [DIGITAL_SIGNATURE],
    remoteCertEku: SERVER_AUTH,
    nsCertType: 'server',
    verifyX509Name: { type: 'name', value: 'vpn.example' },
  };

  // biome-ignore format: a table, one row a line
  test.each<{ name: string; changes: Partial<PeerChecks>; code: string | undefined }>([
    { name: 'all hold',             changes: {},                                              code: undefined },
    { name: 'remote-cert-tls not',  changes: { remoteCertTls: 'client' },                     code: 'OVPN_CERT_PURPOSE' },
    { name: 'remote-cert-ku not',   changes: { remoteCertKu: [KEY_ENCIPHERMENT] },            code: 'OVPN_CERT_KEY_USAGE' },
    { name: 'remote-cert-eku not',  changes: { remoteCertEku: CLIENT_AUTH },                  code: 'OVPN_CERT_PURPOSE' },
    { name: 'ns-cert-type not',     changes: { nsCertType: 'client' },                        code: 'OVPN_CERT_PURPOSE' },
    { name: 'verify-x509-name not', changes: { verifyX509Name: { type: 'name', value: 'x' } }, code: 'OVPN_CERT_NAME' },
  ])('$name: $code', ({ changes, code }) => {
    expect(verdict({}, { ...all, ...changes })?.code).toBe(code);
  });

  test('where none is asked for, the certificate is not looked into', () => {
    expect(verifyPeer(Buffer.from('junk'), NO_PEER_CHECKS)).toBeUndefined();
  });
});

describe('verify-x509-name by another field', () => {
  const EMAIL = '1.2.840.113549.1.9.1';
  const subject = [...commonName('vpn'), [attribute(EMAIL, 'vpn@example', 0x16)]];

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the value of the field',      subject,                               type: 'name',        value: 'vpn@example', ok: true },
    { name: 'its beginning',               subject,                               type: 'name-prefix', value: 'vpn@',        ok: true },
    { name: 'the common name',             subject,                               type: 'name',        value: 'vpn',         ok: false },
    { name: 'no such field',               subject: commonName('vpn@example'),    type: 'name',        value: 'vpn@example', ok: false },
    { name: 'the field twice',             subject: [...subject, ...subject],     type: 'name',        value: 'vpn@example', ok: false },
  ] as const)('$name: $ok', (row) => {
    const check = { type: row.type, value: row.value, field: EMAIL };
    const refusal = verdict({ subject: row.subject }, { verifyX509Name: check });
    expect(refusal?.code).toBe(row.ok ? undefined : 'OVPN_CERT_NAME');
    if (!row.ok) expect(refusal?.message).toContain('by emailAddress');
  });

  test('the whole subject is the whole subject', () => {
    const verifyX509Name = { type: 'subject', value: 'CN=vpn', field: EMAIL } as const;
    expect(verdict({ subject: commonName('vpn') }, { verifyX509Name })).toBeUndefined();
  });
});
