import type { webcrypto } from 'node:crypto';
import { OvpnUsageError } from '../core/errors.ts';
import type { DataCipher } from '../model/ciphers.ts';
import type { Digest } from '../model/digests.ts';
import type { CbcKeys } from './cipher-provider.ts';

/** What is needed of a `SubtleCrypto`. */
export type Subtle = Pick<webcrypto.SubtleCrypto, 'importKey' | 'encrypt' | 'decrypt' | 'sign'>;

/** The names that WebCrypto knows ciphers and digests by. */
export const GCM = 'AES-GCM';
export const CBC = 'AES-CBC';
export const HMAC = 'HMAC';
const CIPHERS: ReadonlyMap<string, string> = new Map([
  ['AES-128-GCM', GCM],
  ['AES-192-GCM', GCM],
  ['AES-256-GCM', GCM],
  ['AES-128-CBC', CBC],
  ['AES-192-CBC', CBC],
  ['AES-256-CBC', CBC],
]);
const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA1', 'SHA-1'],
  ['SHA256', 'SHA-256'],
  ['SHA384', 'SHA-384'],
  ['SHA512', 'SHA-512'],
]);

/** Whether WebCrypto has `cipher`, which with CBC needs `digest`. */
export function has({ name, aead }: DataCipher, digest: Digest | undefined): boolean {
  return CIPHERS.has(name) && (aead || HASHES.has(digest?.name ?? ''));
}

/** A key that is being imported. */
export type ImportedKey = Promise<webcrypto.CryptoKey>;

/** The keys of one direction of a CBC cipher. */
export interface ImportedCbcKeys {
  readonly cipher: ImportedKey;
  readonly mac: ImportedKey;
}

/** Imports a cipher key. Copies it at once. @throws OvpnUsageError when WebCrypto has no such cipher */
export function importCipher(
  subtle: Subtle,
  { name }: DataCipher,
  key: Buffer,
  usage: 'encrypt' | 'decrypt',
): ImportedKey {
  const algorithm = CIPHERS.get(name);
  if (algorithm === undefined) throw refused('a cipher', name);
  return importKey(subtle, key, { name: algorithm }, usage);
}

/** Imports a cipher key and a HMAC key. @throws OvpnUsageError when WebCrypto lacks either kind */
export function importCbc(
  subtle: Subtle,
  cipher: DataCipher,
  { key, digest, macKey }: CbcKeys,
  usage: 'encrypt' | 'decrypt',
): ImportedCbcKeys {
  const hash = HASHES.get(digest.name);
  if (hash === undefined) throw refused('a digest', digest.name);
  return {
    cipher: importCipher(subtle, cipher, key, usage),
    mac: importKey(subtle, macKey, { name: HMAC, hash }, 'sign'),
  };
}

function refused(kind: string, name: string): OvpnUsageError {
  return new OvpnUsageError(`expected ${kind} that WebCrypto has, got ${name}`, 'datachannel');
}

/** The key that `bytes` make; they may be overwritten as soon as this returns. */
function importKey(
  subtle: Subtle,
  bytes: Buffer,
  algorithm: { readonly name: string; readonly hash?: string },
  usage: webcrypto.KeyUsage,
): ImportedKey {
  const imported = importCopy(subtle, new Uint8Array(bytes), algorithm, usage);
  // Whoever uses the key gets the error; a key that nobody uses has none to tell.
  imported.catch(() => {});
  return imported;
}

/** Overwrites `copy` when the key is there. */
async function importCopy(
  subtle: Subtle,
  copy: Uint8Array,
  algorithm: { readonly name: string; readonly hash?: string },
  usage: webcrypto.KeyUsage,
): ImportedKey {
  try {
    return await subtle.importKey('raw', copy, algorithm, false, [usage]);
  } finally {
    copy.fill(0);
  }
}
