import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import forge from 'node-forge';
import { type BerNode, octetsOf, oidOf, wholeNumberOf } from './ber.ts';
import { type DerivationBudget, unreadable, wrongPassphrase } from './key-lock.ts';
import { Pkcs12Purpose, pkcs12Key } from './pkcs12-kdf.ts';

/** A passphrase in the two forms that keys are derived from. */
export interface PassphraseForms {
  /** For PBES1 and PBES2. */
  readonly utf8: Buffer;
  /** For PKCS#12's own schemes: see `pkcs12Passphrase`. */
  readonly utf16: Buffer;
}

/**
 * Opens what is encrypted with a passphrase: PBES2 (RFC 8018 §6.2: PBKDF2 with AES or 3DES), PBES1
 * with DES (§6.1), and PKCS#12's own 3DES and RC2 (RFC 7292 appendix C).
 *
 * @param algorithm its AlgorithmIdentifier
 * @throws LockError when the passphrase is wrong or the scheme is none of these
 */
export function decryptWithPassphrase(
  algorithm: BerNode | undefined,
  encrypted: Buffer,
  passphrase: PassphraseForms,
  budget: DerivationBudget,
): Buffer {
  const [id, parameters] = algorithm?.children ?? [];
  const scheme = oidOf(id);
  if (scheme === OID_PBES2) return pbes2(parameters, encrypted, passphrase.utf8, budget);

  const salt = octetsOf(parameters?.children[0]);
  if (salt === undefined) unreadable('its encryption is malformed');
  const rounds = wholeNumberOf(parameters?.children[1], Number.MAX_SAFE_INTEGER);
  const desHash = PBES1_DES.get(scheme);
  if (desHash !== undefined) {
    return pbes1(desHash, { salt, rounds: budget.spend(rounds) }, encrypted, passphrase.utf8);
  }
  const cipher = PKCS12_CIPHERS.get(scheme);
  if (cipher === undefined) unreadable(UNKNOWN_SCHEME);
  const { keyBytes, open } = cipher;
  const derived = (purpose: Pkcs12Purpose, bytes: number) =>
    pkcs12Key({
      hash: 'sha1',
      purpose,
      passphrase: passphrase.utf16,
      salt,
      rounds: budget.spend(rounds),
      bytes,
    });
  return open(derived(Pkcs12Purpose.KEY, keyBytes), derived(Pkcs12Purpose.IV, 8), encrypted);
}

const UNKNOWN_SCHEME =
  'its encryption is not supported: encrypt it anew, as `openssl pkcs12 -export` or ' +
  '`openssl pkey -aes256` do';

function pbes2(
  parameters: BerNode | undefined,
  encrypted: Buffer,
  passphrase: Buffer,
  budget: DerivationBudget,
): Buffer {
  const [derivation, encryption] = parameters?.children ?? [];
  const cipher = PBES2_CIPHERS.get(oidOf(encryption?.children[0]));
  if (oidOf(derivation?.children[0]) !== OID_PBKDF2 || cipher === undefined) {
    unreadable(UNKNOWN_SCHEME);
  }
  const [saltNode, roundsNode, ...optional] = derivation?.children[1]?.children ?? [];
  const salt = octetsOf(saltNode);
  const iv = octetsOf(encryption?.children[1]);
  // An optional key length stands before the optional PRF; the cipher says it anyway.
  const prf = optional.find(({ children }) => children.length > 0);
  const hash = prf === undefined ? 'sha1' : PRF_HASHES.get(oidOf(prf.children[0]));
  if (hash === undefined) unreadable(UNKNOWN_SCHEME);
  if (salt === undefined || iv?.length !== cipher.ivBytes) {
    unreadable('its encryption is malformed');
  }
  const rounds = budget.spend(wholeNumberOf(roundsNode, MAX_PBKDF2_ROUNDS));
  return nodeCipher(
    cipher.name,
    pbkdf2Sync(passphrase, salt, rounds, cipher.keyBytes, hash),
    iv,
    encrypted,
  );
}

/** What `pbkdf2Sync` takes. */
const MAX_PBKDF2_ROUNDS = 0x7fffffff;

/** PBKDF1: key and IV are the first 16 bytes of the last digest. */
function pbes1(
  hash: string,
  { salt, rounds }: { salt: Buffer; rounds: number },
  encrypted: Buffer,
  passphrase: Buffer,
): Buffer {
  let digest = Buffer.concat([passphrase, salt]);
  for (let round = 0; round < rounds; round += 1) digest = createHash(hash).update(digest).digest();
  const decipher = forge.cipher.createDecipher('DES-CBC', binary(digest.subarray(0, 8)));
  decipher.start({ iv: binary(digest.subarray(8, 16)) });
  return forgeCipher(decipher, encrypted);
}

function nodeCipher(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  try {
    const decipher = createDecipheriv(name, key, iv);
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  } catch {
    return wrongPassphrase();
  }
}

function rc2(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  const decipher = forge.rc2.createDecryptionCipher(binary(key), key.length * 8);
  decipher.start(binary(iv));
  return forgeCipher(decipher, encrypted);
}

/** DES and RC2 are not among the ciphers of Node's OpenSSL. `decipher` has been started. */
function forgeCipher(
  decipher: Pick<forge.rc2.cipher, 'finish' | 'output' | 'update'>,
  encrypted: Buffer,
): Buffer {
  if (encrypted.length === 0 || encrypted.length % 8 !== 0) wrongPassphrase();
  decipher.update(forge.util.createBuffer(binary(encrypted)));
  if (!decipher.finish()) wrongPassphrase();
  return Buffer.from(decipher.output.getBytes(), 'latin1');
}

function binary(bytes: Buffer): string {
  return bytes.toString('latin1');
}

const OID_PBES2 = '1.2.840.113549.1.5.13';
const OID_PBKDF2 = '1.2.840.113549.1.5.12';

/** PBES1 with DES-CBC, by the digest of its key derivation. */
const PBES1_DES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.5.3', 'md5'],
  ['1.2.840.113549.1.5.10', 'sha1'],
]);

interface Pkcs12Cipher {
  readonly keyBytes: number;
  readonly open: (key: Buffer, iv: Buffer, encrypted: Buffer) => Buffer;
}

const PKCS12_CIPHERS: ReadonlyMap<string, Pkcs12Cipher> = new Map<string, Pkcs12Cipher>([
  [
    '1.2.840.113549.1.12.1.3',
    { keyBytes: 24, open: (key, iv, bytes) => nodeCipher('des-ede3-cbc', key, iv, bytes) },
  ],
  ['1.2.840.113549.1.12.1.5', { keyBytes: 16, open: rc2 }],
  ['1.2.840.113549.1.12.1.6', { keyBytes: 5, open: rc2 }],
]);

interface Pbes2Cipher {
  readonly name: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
}

const PBES2_CIPHERS: ReadonlyMap<string, Pbes2Cipher> = new Map([
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 }],
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 }],
  ['2.16.840.1.101.3.4.1.42', { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 }],
]);

/** Pseudo-random functions of PBKDF2: HMAC with these. */
const PRF_HASHES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.8', 'sha224'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);
