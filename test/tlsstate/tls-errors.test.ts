import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { tlsError } from '../../src/tlsstate/tls-errors.ts';
import { attribute, type CertificateOptions, selfSigned, serverOptions } from './certificates.ts';

const NOW = new Date('2030-06-01T00:00:00Z');
const CODES = [
  undefined,
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNSPECIFIED',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'INVALID_PURPOSE',
  'CERT_REVOKED',
  'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
  'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'something \x1b[2J new',
];

/** What a stranger may put into the certificate that a refusal is about. */
const strange: readonly { name: string; changes: Partial<CertificateOptions> }[] = [
  { name: 'no subject', changes: { subject: [] } },
  { name: 'an empty name', changes: { subject: [[attribute('2.5.4.3', '')]] } },
  { name: 'an escape sequence', changes: { subject: [[attribute('2.5.4.3', '\x1b[2J\u009b')]] } },
  { name: 'a long name', changes: { subject: [[attribute('2.5.4.3', 'x'.repeat(5000))]] } },
  { name: 'no beginning', changes: { notBefore: 'soon' } },
  { name: 'no end', changes: { notAfter: 'never', notBefore: new Date('2031-01-01') } },
  { name: 'neither', changes: { notAfter: '', notBefore: '' } },
];

describe('tlsError', () => {
  // It runs inside events of node:tls: what it throws would end the process.
  test.each(strange)('describes a certificate with $name', ({ changes }) => {
    const peer = new X509Certificate(selfSigned(serverOptions(changes)).certPem);
    for (const role of ['client', 'server'] as const) {
      for (const code of CODES) {
        for (const answered of [false, true]) {
          const error = new Error('said \x1b[2J by OpenSSL');
          const described = tlsError({ role, error, code, peer, answered, now: NOW });
          expect(described.code).toMatch(/^OVPN_(CERT|TLS)_/);
          expect(described.message).toMatch(/^[\x20-\x7e]{1,1000}$/);
        }
      }
    }
  });

  test('names the times of a certificate, or that they cannot be read', () => {
    const shown = (changes: Partial<CertificateOptions>) => {
      const peer = new X509Certificate(selfSigned(serverOptions(changes)).certPem);
      const error = new Error('refused');
      const code = 'CERT_HAS_EXPIRED';
      return tlsError({ role: 'client', error, code, peer, answered: true, now: NOW }).message;
    };
    const times = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    expect(shown(times)).toContain('2020-01-01T00:00:00.000Z to 2021-01-01T00:00:00.000Z');
    expect(shown({ ...times, notBefore: 'soon' })).toContain('an unreadable time to 2021-01-01T');
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { role: 'client', answered: false, code: 'OVPN_TLS_FAILED',   says: /tls-groups/ },
    { role: 'client', answered: true,  code: 'OVPN_TLS_REJECTED', says: /cert and key/ },
    { role: 'server', answered: false, code: 'OVPN_TLS_REJECTED', says: /our certificate/ },
    { role: 'server', answered: true,  code: 'OVPN_TLS_REJECTED', says: /our certificate/ },
  ] as const)('an alert for the $role, answered: $answered, is $code', (row) => {
    const alert = 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE';
    const failure = { error: new Error('alert'), code: alert, peer: undefined, now: NOW };
    const described = tlsError({ ...failure, role: row.role, answered: row.answered });
    expect(described.code).toBe(row.code);
    expect(described.message).toMatch(row.says);
  });
});
