import type { OvpnTlsError } from '../core/errors.ts';
import type { X509NameCheck } from '../model/profile.ts';
import { readCertificate } from './certificate.ts';
import {
  type CertificateDigest,
  checkFingerprint,
  checkIssuerDigest,
} from './certificate-digest.ts';
import { checkName } from './certificate-name.ts';
import {
  checkExtendedKeyUsage,
  checkKeyUsage,
  checkNetscapeType,
  checkPurpose,
} from './certificate-purpose.ts';
import { type Chain, decimalSerial, MAX_SHOWN_CERTIFICATES } from './issuers.ts';
import { refused } from './refused.ts';

/** What is asked of a peer's certificate beside its chain; fields as in `Profile`. */
export interface PeerChecks {
  readonly remoteCertTls: 'server' | 'client' | undefined;
  readonly remoteCertKu: readonly number[];
  readonly remoteCertEku: string | undefined;
  readonly nsCertType: 'server' | 'client' | undefined;
  readonly verifyX509Name: X509NameCheck | undefined;
  /** SHA-256 of the DER, 32 bytes each; any one is enough. Empty: not asked for. */
  readonly peerFingerprints: readonly Buffer[];
  /** Digests of the certificate that has issued the leaf; any one is enough. Empty: not asked for. */
  readonly verifyHashes: readonly CertificateDigest[];
  /** Decimal serial numbers that no certificate of the chain may have. */
  readonly revokedSerials: readonly string[];
}

/** Checks that ask for nothing beside a chain that node:tls accepts. */
export const NO_PEER_CHECKS: PeerChecks = Object.freeze({
  remoteCertTls: undefined,
  remoteCertKu: [],
  remoteCertEku: undefined,
  nsCertType: undefined,
  verifyX509Name: undefined,
  peerFingerprints: [],
  verifyHashes: [],
  revokedSerials: [],
});

/**
 * Judges a peer's leaf certificate by the profile's own rules. The chain is node:tls's work; these
 * checks come in addition and read the DER only. Undefined when the certificate is accepted.
 *
 * @param chain who has issued it, asked for where a check needs it; undefined: that is not known
 */
export function verifyPeer(
  der: Buffer,
  checks: PeerChecks,
  chain: () => Chain | undefined = () => undefined,
): OvpnTlsError | undefined {
  const { peerFingerprints } = checks;
  const stranger =
    peerFingerprints.length === 0 ? undefined : checkFingerprint(der, peerFingerprints);
  return stranger ?? checkFacts(der, checks) ?? checkChain(checks, chain);
}

function checkFacts(der: Buffer, checks: PeerChecks): OvpnTlsError | undefined {
  const { remoteCertTls, remoteCertKu, remoteCertEku, nsCertType, verifyX509Name } = checks;
  const wanted = [remoteCertTls, remoteCertEku, nsCertType, verifyX509Name, ...remoteCertKu];
  if (wanted.every((check) => check === undefined)) return undefined;
  const facts = readCertificate(der);
  if (facts === undefined) {
    return refused('OVPN_TLS_FAILED', "the peer's certificate cannot be read: malformed DER");
  }
  const refusals = [
    remoteCertTls === undefined ? undefined : checkPurpose(facts, remoteCertTls),
    remoteCertKu.length === 0 ? undefined : checkKeyUsage(facts, remoteCertKu),
    remoteCertEku === undefined ? undefined : checkExtendedKeyUsage(facts, remoteCertEku),
    nsCertType === undefined ? undefined : checkNetscapeType(facts, nsCertType),
    verifyX509Name === undefined ? undefined : checkName(facts, verifyX509Name),
  ];
  return refusals.find((refusal) => refusal !== undefined);
}

function checkChain(
  { verifyHashes, revokedSerials }: PeerChecks,
  chain: () => Chain | undefined,
): OvpnTlsError | undefined {
  if (verifyHashes.length === 0 && revokedSerials.length === 0) return undefined;
  const known = chain();
  if (known === undefined) {
    return refused(
      'OVPN_CERT_UNTRUSTED',
      `expected a peer that shows at most ${MAX_SHOWN_CERTIFICATES} certificates, got more`,
    );
  }
  const revoked = known.all.map(decimalSerial).find((serial) => revokedSerials.includes(serial));
  if (revoked !== undefined) {
    return refused(
      'OVPN_CERT_REVOKED',
      `expected a chain of certificates that crl-verify does not name, got serial number ${revoked}`,
    );
  }
  if (verifyHashes.length === 0) return undefined;
  return checkIssuerDigest(
    known.issuers.map(({ raw }) => raw),
    verifyHashes,
  );
}
