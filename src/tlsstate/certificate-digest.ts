import { createHash, timingSafeEqual } from 'node:crypto';
import type { OvpnTlsError } from '../core/errors.ts';
import { refused } from './refused.ts';

/** A digest of a certificate's DER. */
export interface CertificateDigest {
  readonly algorithm: 'sha1' | 'sha256';
  readonly digest: Buffer;
}

/** `peer-fingerprint`: one of them is the SHA-256 of the leaf. */
export function checkFingerprint(
  der: Buffer,
  fingerprints: readonly Buffer[],
): OvpnTlsError | undefined {
  const accepted = fingerprints.map((digest) => ({ algorithm: 'sha256', digest }) as const);
  if (hasDigest(der, accepted)) return undefined;
  return refused(
    'OVPN_CERT_FINGERPRINT',
    `expected one of ${accepted.length} peer-fingerprint values, got a certificate with SHA-256 ${shown(der)}; ` +
      "compare it with the one the server's administrator gives you",
  );
}

/** `verify-hash`: one of them is the digest of a certificate that has issued the leaf. */
export function checkIssuerDigest(
  issuers: readonly Buffer[],
  accepted: readonly CertificateDigest[],
): OvpnTlsError | undefined {
  if (issuers.some((der) => hasDigest(der, accepted))) return undefined;
  const came = issuers.map((der) => `one with SHA-256 ${shown(der)}`).join(', ');
  return refused(
    'OVPN_CERT_FINGERPRINT',
    `expected the peer's certificate to be issued by one of ${accepted.length} certificates of verify-hash, got ${came || 'none'}`,
  );
}

/** Looks at all of them, whichever it is. */
function hasDigest(der: Buffer, accepted: readonly CertificateDigest[]): boolean {
  let matches = false;
  for (const { algorithm, digest } of accepted) {
    const own = createHash(algorithm).update(der).digest();
    if (own.length === digest.length && timingSafeEqual(own, digest)) matches = true;
  }
  return matches;
}

function shown(der: Buffer): string {
  return createHash('sha256')
    .update(der)
    .digest('hex')
    .toUpperCase()
    .replace(/..(?!$)/g, '$&:');
}
