import { X509Certificate } from 'node:crypto';

/** Most certificates that a peer may show (OpenVPN's MAX_CERT_DEPTH). */
export const MAX_SHOWN_CERTIFICATES = 16;

/** Certificates around a peer's, as far as signatures tell and not as the peer says. */
export interface Chain {
  /** Those that have signed the leaf (level 1): one, or several of one key. */
  readonly issuers: readonly X509Certificate[];
  /** The leaf, its issuers, theirs, up to the authorities. */
  readonly all: readonly X509Certificate[];
}

/**
 * Who has issued whom, by name and signature, among the certificates that the peer showed and the
 * authorities: node:tls has accepted a chain of them, and does not tell which one.
 *
 * @param leaf with what the peer showed beside it as `issuerCertificate`
 * @param ca PEM, as `readProfile` has it
 * @returns undefined when the peer showed more than {@link MAX_SHOWN_CERTIFICATES}
 */
export function chainOf(leaf: X509Certificate, ca: string | undefined): Chain | undefined {
  const shown: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    shown.push(next);
    if (shown.length === MAX_SHOWN_CERTIFICATES) return undefined;
  }
  const authorities = ca?.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const known = [...shown, ...authorities.map((text) => new X509Certificate(text))];
  const issuers = issuersOf(leaf, known);
  const all = new Set([leaf, ...issuers]);
  // A set is walked to its end, with what is added on the way.
  for (const certificate of all) {
    if (certificate !== leaf) for (const next of issuersOf(certificate, known)) all.add(next);
  }
  return { issuers, all: [...all] };
}

function issuersOf(
  certificate: X509Certificate,
  known: readonly X509Certificate[],
): readonly X509Certificate[] {
  return known.filter(
    (issuer) => certificate.checkIssued(issuer) && isSignedBy(certificate, issuer),
  );
}

/** A key of a kind that cannot sign so makes OpenSSL throw. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/** The serial number in decimal digits, as `crl-verify DIR dir` names files. */
export function decimalSerial({ serialNumber }: X509Certificate): string {
  const negative = serialNumber.startsWith('-');
  const value = BigInt(`0x${negative ? serialNumber.slice(1) : serialNumber}`);
  return `${negative ? -value : value}`;
}
