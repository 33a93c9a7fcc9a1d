import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Secret } from '../core/secret.ts';
import { octetsOf, readBer } from './ber.ts';
import {
  DerivationBudget,
  type LockedKey,
  lockedOr,
  unreadable,
  wrongPassphrase,
} from './key-lock.ts';
import { decryptWithPassphrase } from './password-encryption.ts';
import { type PemBlock, pemBlocks, pemBytes } from './pem.ts';
import { pkcs12Passphrase } from './pkcs12-kdf.ts';

/** The first private key of a PEM text, PKCS#1, SEC 1 or PKCS#8, encrypted or not. */
export function privateKeyBlock(text: string): PemBlock | undefined {
  return pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
}

/** Whether a passphrase is needed to open the key. */
export function isEncryptedKey({ label, text }: PemBlock): boolean {
  return label === ENCRYPTED_PKCS8 || text.includes('\nProc-Type: 4,ENCRYPTED');
}

/** The key of a PEM text; undefined while it is encrypted. */
export function readableKey(key: Secret): KeyObject | undefined {
  const block = privateKeyBlock(key.reveal());
  return block === undefined || isEncryptedKey(block) ? undefined : createPrivateKey(block.text);
}

/** Whether `key` is that of the first certificate of `cert`, a PEM text. */
export function belongTogether(cert: string, key: KeyObject): boolean {
  return new X509Certificate(cert).checkPrivateKey(key);
}

/** Opens an encrypted private key. */
export function openPrivateKey(block: PemBlock, passphrase: string): KeyObject | LockedKey {
  return lockedOr(() =>
    block.label === ENCRYPTED_PKCS8
      ? openPkcs8(block, passphrase)
      : openTraditional(block, passphrase),
  );
}

const ENCRYPTED_PKCS8 = 'ENCRYPTED PRIVATE KEY';

/** `SEQUENCE { algorithm, OCTET STRING }`. OpenSSL would take any number of rounds, and no RC2. */
function openPkcs8(block: PemBlock, passphrase: string): KeyObject {
  const [algorithm, encrypted] = readBer(pemBytes(block))?.children ?? [];
  const bytes = octetsOf(encrypted) ?? unreadable('the encrypted key is malformed');
  const forms = { utf8: Buffer.from(passphrase), utf16: pkcs12Passphrase(passphrase) };
  const der = decryptWithPassphrase(algorithm, bytes, forms, new DerivationBudget());
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  } catch {
    return wrongPassphrase();
  } finally {
    der.fill(0);
  }
}

/** `Proc-Type: 4,ENCRYPTED`: one round of MD5, which OpenSSL does itself. */
function openTraditional({ text }: PemBlock, passphrase: string): KeyObject {
  try {
    return createPrivateKey({ key: text, passphrase });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_EVP_UNSUPPORTED') {
      unreadable("its cipher is not among those of Node's OpenSSL: use `openssl pkey -aes256`");
    }
    return wrongPassphrase();
  }
}
