import type { OvpnTlsError } from '../core/errors.ts';
import { ExtendedKeyUsage } from '../model/x509-names.ts';
import { type CertificateFacts, KeyUsage, NetscapeType } from './certificate.ts';
import { refused } from './refused.ts';

type Side = 'server' | 'client';

/** `remote-cert-tls`: a key usage that can do TLS and the extended key usage of that side. */
export function checkPurpose(facts: CertificateFacts, side: Side): OvpnTlsError | undefined {
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
        `${shownBits(facts.keyUsage)}; issue it with keyUsage=digitalSignature`,
    );
  }
  return undefined;
}

/** `remote-cert-ku`: all bits of one of the masks; a mask of 0 wants the extension only. */
export function checkKeyUsage(
  { keyUsage }: CertificateFacts,
  masks: readonly number[],
): OvpnTlsError | undefined {
  if (keyUsage !== undefined && masks.some((mask) => (keyUsage & mask) === mask)) return undefined;
  const wanted = masks.map((mask) => (mask === 0 ? 'any' : `0x${mask.toString(16)}`)).join(' or ');
  return refused(
    'OVPN_CERT_KEY_USAGE',
    `expected a certificate with key usage bits ${wanted} (remote-cert-ku), got ${shownBits(keyUsage)}`,
  );
}

/** `remote-cert-eku`: this extended key usage among the others. */
export function checkExtendedKeyUsage(
  { extendedKeyUsage }: CertificateFacts,
  oid: string,
): OvpnTlsError | undefined {
  if (extendedKeyUsage === undefined) {
    return refused(
      'OVPN_CERT_NO_EKU',
      `expected a certificate with extended key usage ${oid} (remote-cert-eku), got one without any`,
    );
  }
  if (extendedKeyUsage.includes(oid)) return undefined;
  return refused(
    'OVPN_CERT_PURPOSE',
    `expected a certificate with extended key usage ${oid} (remote-cert-eku), got ${extendedKeyUsage.join(', ')}`,
  );
}

/**
 * `ns-cert-type`: Netscape's certificate type says so, or the extended key usage does, which took its
 * place. OpenVPN also takes a certificate with neither; then any client could pass for the server.
 */
export function checkNetscapeType(facts: CertificateFacts, side: Side): OvpnTlsError | undefined {
  const { oid, name, netscape } = PURPOSES[side];
  const { netscapeType = 0, extendedKeyUsage = [] } = facts;
  if ((netscapeType & netscape) !== 0 || extendedKeyUsage.includes(oid)) return undefined;
  return refused(
    'OVPN_CERT_PURPOSE',
    `expected a certificate whose Netscape type or extended key usage (${name}) says ${side} (ns-cert-type ${side}), got one with neither; ` +
      `issue it with extendedKeyUsage=${name}`,
  );
}

function shownBits(keyUsage: number | undefined): string {
  return keyUsage === undefined ? 'none' : `bits 0x${keyUsage.toString(16)}`;
}

const PURPOSES = {
  server: {
    oid: ExtendedKeyUsage.SERVER_AUTH,
    name: 'serverAuth',
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_ENCIPHERMENT | KeyUsage.KEY_AGREEMENT,
    netscape: NetscapeType.SERVER,
  },
  client: {
    oid: ExtendedKeyUsage.CLIENT_AUTH,
    name: 'clientAuth',
    keyUsage: KeyUsage.DIGITAL_SIGNATURE | KeyUsage.KEY_AGREEMENT,
    netscape: NetscapeType.CLIENT,
  },
} as const;
