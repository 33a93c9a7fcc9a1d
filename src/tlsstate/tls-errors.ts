import type { X509Certificate } from 'node:crypto';
import { type OvpnErrorCode, OvpnTlsError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { Role } from '../model/ids.ts';

/** What was known when node:tls gave up. */
export interface TlsFailure {
  /** Ours. */
  readonly role: Role;
  /** What node:tls said. */
  readonly error: Error;
  /** Node's name of the reason, for a verdict on a certificate or an OpenSSL error. */
  readonly code: string | undefined;
  /** The peer's leaf certificate, where it was seen. */
  readonly peer: X509Certificate | undefined;
  /** Whether the peer has said anything but an alert: until then nothing was agreed on. */
  readonly answered: boolean;
  readonly now: Date;
}

/** An error of node:tls as one of ours, with what was expected, what came and what to try. */
export function tlsError(failure: TlsFailure): OvpnTlsError {
  const { role, error, code } = failure;
  const other = role === 'client' ? 'server' : 'client';
  const [ourCode, message] = describe(code ?? '', other, failure);
  return new OvpnTlsError(ourCode, message, { layer: 'tlsstate', cause: error });
}

function describe(
  code: string,
  other: Role,
  { error, peer, answered, now }: TlsFailure,
): [OvpnErrorCode, string] {
  const subject = shownSubject(peer);
  if (UNTRUSTED.has(code)) {
    return [
      'OVPN_CERT_UNTRUSTED',
      `expected the ${other}'s certificate${subject} to be issued by the configured ca, got ${code}; ` +
        `check that ca holds the certificate authority of this ${other}`,
    ];
  }
  if (code === 'UNSPECIFIED') {
    return [
      'OVPN_CERT_UNTRUSTED',
      `the ${other}'s certificate${subject} was refused: ${printable(error.message)}`,
    ];
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const expired = code === 'CERT_HAS_EXPIRED';
    return [
      expired ? 'OVPN_CERT_EXPIRED' : 'OVPN_CERT_NOT_YET_VALID',
      `expected the ${other}'s certificate${subject} to be valid now, ${now.toISOString()}, got ` +
        `${validity(peer, now)}; ${expired ? 'it has expired: renew it, or' : 'it is not valid yet:'} check the clock of this machine`,
    ];
  }
  if (code === 'INVALID_PURPOSE') {
    return [
      'OVPN_CERT_PURPOSE',
      `expected a certificate made for a ${other}, got one${subject} whose key usage or extended key usage does not allow it`,
    ];
  }
  if (code === 'CERT_REVOKED') {
    return ['OVPN_CERT_REVOKED', `the ${other}'s certificate${subject} has been revoked`];
  }
  if (CRL_UNUSABLE.has(code)) {
    return [
      'OVPN_CRL_UNUSABLE',
      `expected a valid revocation list of each issuer of the ${other}'s certificate${subject}, got ${code}; renew crl-verify, or check the clock of this machine`,
    ];
  }
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    return ['OVPN_CERT_MISSING', `expected a certificate of the ${other}, got none`];
  }
  if (ALERT.test(code) && other === 'server' && !answered) {
    return [
      'OVPN_TLS_FAILED',
      `expected the server to agree on TLS, got the alert ${alertName(code)} at once; it may have none of our TLS ` +
        'versions, ciphers and groups: check tls-version-min, tls-version-max, tls-cipher, tls-ciphersuites and tls-groups',
    ];
  }
  if (ALERT.test(code)) {
    return [
      'OVPN_TLS_REJECTED',
      `the ${other} ended the TLS handshake with the alert ${alertName(code)}; ` +
        (other === 'server'
          ? 'it may not accept the client certificate: check cert and key, or the TLS versions'
          : 'it may not accept our certificate'),
    ];
  }
  const hint = VERSION.test(code) ? '; check tls-version-min and tls-version-max' : '';
  return [
    'OVPN_TLS_FAILED',
    `TLS with the ${other} failed: ${printable(code || error.message)}${hint}`,
  ];
}

/** A stranger chose it: it may be missing, whatever Node's types say, and this must not throw. */
function shownSubject(peer: X509Certificate | undefined): string {
  const subject: string | undefined = peer?.subject;
  return subject === undefined ? '' : ` (${printable(subject.replaceAll('\n', ', '))})`;
}

/** Validity of the first certificate of the chain that is outside of it. */
function validity(leaf: X509Certificate | undefined, now: Date): string {
  let certificate = leaf;
  for (let depth = 0; certificate !== undefined && depth < MAX_CHAIN_DEPTH; depth += 1) {
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    if (now < from || now > to) return `${timeText(from)} to ${timeText(to)}`;
    certificate = certificate.issuerCertificate;
  }
  return 'other times in its chain';
}

/** An invalid `Date` throws where it is asked for its text. */
function timeText(time: Date): string {
  return Number.isNaN(time.getTime()) ? 'an unreadable time' : time.toISOString();
}

/** `UNKNOWN_CA` of `ERR_SSL_TLSV1_ALERT_UNKNOWN_CA`. */
function alertName(code: string): string {
  return code.replace(ALERT, '').toLowerCase().replaceAll('_', ' ');
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
]);
/** Without a list that holds, nobody can say that a certificate is not revoked. */
const CRL_UNUSABLE: ReadonlySet<string> = new Set([
  'UNABLE_TO_GET_CRL',
  'CRL_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_SIGNATURE_FAILURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
]);
const ALERT = /^ERR_SSL_\w*?_?ALERT_/;
const VERSION = /VERSION|PROTOCOL/;
const MAX_CHAIN_DEPTH = 8;
