import { createHash, timingSafeEqual } from 'node:crypto';
import { type OvpnErrorCode, OvpnTlsError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { X509NameCheck } from '../model/profile.ts';
import {
  type CertificateFacts,
  KeyUsage,
  OID_COMMON_NAME,
  readCertificate,
  type SubjectAttribute,
} from './certificate.ts';

/** What is asked of a peer's certificate beside its chain; fields as in `Profile`. */
export interface PeerChecks {
  readonly remoteCertTls: 'server' | 'client' | undefined;
  readonly verifyX509Name: X509NameCheck | undefined;
  /** SHA-256 of the DER, 32 bytes each; any one is enough. Empty: not asked for. */
  readonly peerFingerprints: readonly Buffer[];
}

/**
 * Judges a peer's leaf certificate by the profile's own rules. The chain is node:tls's work; these
 * checks come in addition and read the DER only. Undefined when the certificate is accepted.
 */
export function verifyPeer(der: Buffer, checks: PeerChecks): OvpnTlsError | undefined {
  if (checks.peerFingerprints.length > 0) {
    const refusal = checkFingerprint(der, checks.peerFingerprints);
    if (refusal !== undefined) return refusal;
  }
  if (checks.remoteCertTls === undefined && checks.verifyX509Name === undefined) return undefined;
  const facts = readCertificate(der);
  if (facts === undefined) {
    return refused('OVPN_TLS_FAILED', "the peer's certificate cannot be read: malformed DER");
  }
  if (checks.remoteCertTls !== undefined) {
    const refusal = checkPurpose(facts, checks.remoteCertTls);
    if (refusal !== undefined) return refusal;
  }
  return checks.verifyX509Name && checkName(facts, checks.verifyX509Name);
}

function checkFingerprint(der: Buffer, accepted: readonly Buffer[]): OvpnTlsError | undefined {
  const digest = createHash('sha256').update(der).digest();
  let matches = false;
  for (const fingerprint of accepted) {
    if (fingerprint.length === digest.length && timingSafeEqual(fingerprint, digest)) {
      matches = true;
    }
  }
  if (matches) return undefined;
  const shown = digest
    .toString('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$&:');
  return refused(
    'OVPN_CERT_FINGERPRINT',
    `expected one of ${accepted.length} peer-fingerprint values, got a certificate with SHA-256 ${shown}; ` +
      "compare it with the one the server's administrator gives you",
  );
}

/** `remote-cert-tls`: a key usage that can do TLS and the extended key usage of that side. */
function checkPurpose(
  facts: CertificateFacts,
  side: 'server' | 'client',
): OvpnTlsError | undefined {
  const { oid, name, keyUsage } = PURPOSES[side];
  if (facts.extendedKeyUsage === undefined) {
    return refused(
      'OVPN_CERT_NO_EKU',
      `expected a certificate with extended key usage ${name} (remote-cert-tls ${side}), got one without any; ` +
        `issue it with extendedKeyUsage=${name}, or remove remote-cert-tls and pin the name or fingerprint`,
    );
  }
  if (!facts.extendedKeyUsage.includes(oid)) {
    return refused(
      'OVPN_CERT_PURPOSE',
      `expected a certificate with extended key usage ${name} (remote-cert-tls ${side}), got ${facts.extendedKeyUsage.join(', ')}; ` +
        `the peer shows a certificate that was not made for a ${side}`,
    );
  }
  if (facts.keyUsage === undefined || (facts.keyUsage & keyUsage) === 0) {
    return refused(
      'OVPN_CERT_KEY_USAGE',
      `expected a certificate with a key usage fit for TLS (remote-cert-tls ${side}), got ` +
        `${facts.keyUsage === undefined ? 'none' : `bits 0x${facts.keyUsage.toString(16)}`}; issue it with keyUsage=digitalSignature`,
    );
  }
  return undefined;
}

/** `verify-x509-name`; anything that two readers could take for different names is refused. */
function checkName(facts: CertificateFacts, check: X509NameCheck): OvpnTlsError | undefined {
  const name = check.type === 'subject' ? subjectText(facts) : soleCommonName(facts);
  const expected = `verify-x509-name ${printable(check.value)} (${check.type})`;
  if (name === undefined) {
    return refused(
      'OVPN_CERT_NAME',
      `expected a certificate that matches ${expected}, got one whose name is missing, given more than once, or not plain text`,
    );
  }
  const matches =
    check.type === 'name-prefix' ? name.startsWith(check.value) : name === check.value;
  if (matches) return undefined;
  return refused(
    'OVPN_CERT_NAME',
    `expected a certificate that matches ${expected}, got ${printable(name)}`,
  );
}

function soleCommonName(facts: CertificateFacts): string | undefined {
  const names = facts.subject.flat().filter(({ oid }) => oid === OID_COMMON_NAME);
  return names.length === 1 ? names[0]?.text : undefined;
}

/** The whole subject as OpenVPN prints it: `C=KG, ST=NA, O=Example, CN=server`. */
function subjectText(facts: CertificateFacts): string | undefined {
  const attributes = facts.subject.flat();
  if (attributes.length === 0 || attributes.some(({ text }) => text === undefined)) {
    return undefined;
  }
  return facts.subject.map((rdn) => rdn.map(attributeText).join(' + ')).join(', ');
}

function attributeText({ oid, text }: SubjectAttribute): string {
  return `${SHORT_NAMES.get(oid) ?? oid}=${text}`;
}

function refused(code: OvpnErrorCode, message: string): OvpnTlsError {
  return new OvpnTlsError(code, message, { layer: 'tlsstate' });
}

const PURPOSES = {
  server: {
    oid: '1.3.6.1.5.5.7.3.1',
    name: 'serverAuth',
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_ENCIPHERMENT | KeyUsage.KEY_AGREEMENT,
  },
  client: {
    oid: '1.3.6.1.5.5.7.3.2',
    name: 'clientAuth',
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_AGREEMENT,
  },
} as const;

/** Attribute types by the short names that OpenSSL prints. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [OID_COMMON_NAME, 'CN'],
  ['2.5.4.4', 'SN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['2.5.4.12', 'title'],
  ['2.5.4.13', 'description'],
  ['2.5.4.17', 'postalCode'],
  ['2.5.4.41', 'name'],
  ['2.5.4.42', 'GN'],
  ['2.5.4.43', 'initials'],
  ['2.5.4.44', 'generationQualifier'],
  ['2.5.4.46', 'dnQualifier'],
  ['2.5.4.65', 'pseudonym'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
]);
