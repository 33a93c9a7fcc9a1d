import { createPrivateKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { Secret } from '../core/secret.ts';
import { type LockedKey, lockedOr, unreadable } from './key-lock.ts';
import type { Pkcs12Contents } from './pkcs12.ts';

/** Who a client is, out of a PKCS#12 file. */
export interface Pkcs12Identity {
  /** PEM: the key's own certificate, then the others that do not sign themselves. */
  readonly cert: string;
  /** PEM, PKCS#8. */
  readonly key: Secret;
  /** PEM: all but the key's own certificate. They are trusted where the profile names no `ca`. */
  readonly authorities: string | undefined;
}

/** What is said of a profile whose file was its last hope. */
export const PKCS12_WITHOUT_CA: string =
  'neither ca nor peer-fingerprint, and pkcs12 holds no other certificate than its own: ' +
  'the server could not be recognised';

/** Finds the certificate of the key; a file without either is of no use. */
export function pkcs12Identity(contents: Pkcs12Contents): Pkcs12Identity | LockedKey {
  return lockedOr(() => {
    const key = privateKeyOf(contents.key);
    const own = contents.certificates.find((certificate) => certificate.checkPrivateKey(key));
    if (own === undefined) unreadable('it holds no certificate of its key');
    const others = contents.certificates.filter((certificate) => certificate !== own);
    const links = others.filter((certificate) => !certificate.checkIssued(certificate));
    return {
      cert: pemOf([own, ...links]),
      key: new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString()),
      authorities: others.length === 0 ? undefined : pemOf(others),
    };
  });
}

function privateKeyOf(der: Buffer | undefined): KeyObject {
  if (der === undefined) unreadable('it holds no private key');
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    return unreadable('its private key cannot be read');
  } finally {
    der.fill(0);
  }
}

function pemOf(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join('');
}
