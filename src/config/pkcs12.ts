import { createHmac, timingSafeEqual, X509Certificate } from 'node:crypto';
import { type BerNode, octetsOf, oidOf, readBer, wholeNumberOf } from './ber.ts';
import {
  DerivationBudget,
  type LockedKey,
  lockedOr,
  unreadable,
  wrongPassphrase,
} from './key-lock.ts';
import { decryptWithPassphrase, type PassphraseForms } from './password-encryption.ts';
import { Pkcs12Purpose, pkcs12Key, pkcs12Passphrase } from './pkcs12-kdf.ts';

/** What a PKCS#12 file holds of use. */
export interface Pkcs12Contents {
  /** PKCS#8, DER; the first one. */
  readonly key: Buffer | undefined;
  /** In the file's order: the key's own, and others. */
  readonly certificates: readonly X509Certificate[];
}

/** Most certificates that are taken from one file. */
export const MAX_PKCS12_CERTIFICATES = 64;

/**
 * Opens a PKCS#12 file (RFC 7292) that is protected by a passphrase:
 *
 *     PFX       SEQUENCE { 3, authSafe ContentInfo(data), MacData }
 *     authSafe  SEQUENCE OF ContentInfo(data | encryptedData), each of which holds
 *     contents  SEQUENCE OF { bag type, [0] bag, attributes? }
 *
 * Its MAC is looked at before anything inside is: a file without one is refused.
 */
export function openPkcs12(file: Buffer, passphrase: string): Pkcs12Contents | LockedKey {
  return lockedOr(() => {
    const budget = new DerivationBudget();
    const [, authSafe, macData] = readBer(file)?.children ?? [];
    const content = contentOf(authSafe, OID_DATA);
    if (content === undefined) unreadable('it is no PKCS#12 file that a passphrase protects');
    const forms = authenticate(content, macData, passphrase, budget);
    const parts = readBer(content)?.children ?? unreadable('what it holds is malformed');
    const bags = parts.flatMap((part) => bagsOf(part, forms, budget));
    const certificates = bags.flatMap((bag) => certificateOf(bag) ?? []);
    if (certificates.length > MAX_PKCS12_CERTIFICATES) {
      unreadable(`it holds more than ${MAX_PKCS12_CERTIFICATES} certificates`);
    }
    let key: Buffer | undefined;
    for (const bag of bags) key ??= keyOf(bag, forms, budget);
    return { key, certificates };
  });
}

/** The form of the passphrase with which the MAC is right. @throws LockError when it is wrong */
function authenticate(
  content: Buffer,
  macData: BerNode | undefined,
  passphrase: string,
  budget: DerivationBudget,
): PassphraseForms {
  if (macData === undefined) unreadable('it has no MAC, so nobody can say who has changed it');
  const [digestInfo, saltNode, roundsNode] = macData.children;
  const hash = MAC_HASHES.get(oidOf(digestInfo?.children[0]?.children[0]));
  const mac = octetsOf(digestInfo?.children[1]);
  const salt = octetsOf(saltNode);
  if (hash === undefined) unreadable('its MAC is not supported');
  if (mac === undefined || salt === undefined) unreadable('its MAC is malformed');
  const rounds = roundsNode === undefined ? 1 : wholeNumberOf(roundsNode, Number.MAX_SAFE_INTEGER);
  for (const utf16 of utf16Forms(passphrase)) {
    const key = pkcs12Key({
      hash,
      purpose: Pkcs12Purpose.MAC,
      passphrase: utf16,
      salt,
      rounds: budget.spend(rounds),
      bytes: HASH_BYTES.get(hash) ?? 0,
    });
    const expected = createHmac(hash, key).update(content).digest();
    if (expected.length === mac.length && timingSafeEqual(expected, mac)) {
      return { utf8: Buffer.from(passphrase), utf16 };
    }
  }
  return wrongPassphrase();
}

/** Writers differ about what no passphrase is: an empty text with its end, or nothing at all. */
function utf16Forms(passphrase: string): readonly Buffer[] {
  const form = pkcs12Passphrase(passphrase);
  return passphrase === '' ? [form, Buffer.alloc(0)] : [form];
}

interface Bag {
  readonly type: string;
  readonly value: BerNode;
}

function bagsOf(part: BerNode, passphrase: PassphraseForms, budget: DerivationBudget): Bag[] {
  const bytes = contentOf(part, OID_DATA) ?? encryptedContent(part, passphrase, budget);
  const bags = readBer(bytes)?.children ?? unreadable('what it holds is malformed');
  return bags.flatMap(({ children: [id, holder] }) => {
    const value = holder?.children[0];
    return value === undefined ? [] : [{ type: oidOf(id), value }];
  });
}

/** The bytes of a ContentInfo of `type`: `SEQUENCE { type, [0] OCTET STRING }`. */
function contentOf(info: BerNode | undefined, type: string): Buffer | undefined {
  const [id, holder] = info?.children ?? [];
  return oidOf(id) === type ? octetsOf(holder?.children[0]) : undefined;
}

/** EncryptedData: `SEQUENCE { version, SEQUENCE { type, algorithm, [0] bytes } }`. */
function encryptedContent(
  info: BerNode,
  passphrase: PassphraseForms,
  budget: DerivationBudget,
): Buffer {
  const [id, holder] = info.children;
  const [, algorithm, encrypted] = holder?.children[0]?.children[1]?.children ?? [];
  if (oidOf(id) !== OID_ENCRYPTED_DATA || encrypted?.contextual !== true) {
    unreadable('a part of it is protected by something else than a passphrase');
  }
  return decryptWithPassphrase(algorithm, encrypted.content, passphrase, budget);
}

/** `SEQUENCE { type, [0] OCTET STRING }` with the certificate's DER. */
function certificateOf({ type, value }: Bag): X509Certificate | undefined {
  if (type !== OID_CERT_BAG || oidOf(value.children[0]) !== OID_X509) return undefined;
  const der = octetsOf(value.children[1]?.children[0]);
  try {
    return new X509Certificate(der ?? '');
  } catch {
    return unreadable('a certificate in it cannot be read');
  }
}

function keyOf(
  { type, value }: Bag,
  passphrase: PassphraseForms,
  budget: DerivationBudget,
): Buffer | undefined {
  if (type === OID_KEY_BAG) return value.der();
  if (type !== OID_SHROUDED_KEY_BAG) return undefined;
  const [algorithm, encrypted] = value.children;
  const bytes = octetsOf(encrypted) ?? unreadable('its key is malformed');
  return decryptWithPassphrase(algorithm, bytes, passphrase, budget);
}

const OID_DATA = '1.2.840.113549.1.7.1';
const OID_ENCRYPTED_DATA = '1.2.840.113549.1.7.6';
const OID_KEY_BAG = '1.2.840.113549.1.12.10.1.1';
const OID_SHROUDED_KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const OID_CERT_BAG = '1.2.840.113549.1.12.10.1.3';
const OID_X509 = '1.2.840.113549.1.9.22.1';

const MAC_HASHES: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

const HASH_BYTES: ReadonlyMap<string, number> = new Map([
  ['sha1', 20],
  ['sha224', 28],
  ['sha256', 32],
  ['sha384', 48],
  ['sha512', 64],
]);
