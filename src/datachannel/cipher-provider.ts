import type { DataCipher } from '../model/ciphers.ts';
import type { Digest } from '../model/digests.ts';

/** Length of an AEAD tag: never another, a shorter one is easier to forge. */
export const TAG_BYTES = 16;

/** Length of an AEAD nonce: packet id and implicit IV. */
export const NONCE_BYTES = 12;

/** Length of an AES block, and of the IV that CBC needs. */
export const CBC_BLOCK_BYTES = 16;

/**
 * How far a packet to be sent is: undefined, it is whole, or a promise that settles when it is. Until
 * then nobody may send or change it. A rejection ends the session.
 */
export type Filling = Promise<void> | undefined;

/**
 * What opening gave: the plaintext, undefined for a packet that is not the key's, or a promise of
 * either. A rejection ends the session: forged packets are no reason for it.
 */
export type Opened = Buffer | undefined | Promise<Buffer | undefined>;

/** One direction's AEAD key, for sending. */
export interface Sealer {
  /**
   * Encrypts `plaintext` into `packet`: the ciphertext, as long as the plaintext, at `textAt` and
   * the tag at `tagAt`. Keeps no reference to its arguments, except to `packet` while it is being
   * filled. A nonce may be used once only.
   */
  seal(
    nonce: Buffer,
    aad: Buffer,
    plaintext: Buffer,
    packet: Buffer,
    tagAt: number,
    textAt: number,
  ): Filling;
}

/** One direction's AEAD key, for receiving. */
export interface Opener {
  /**
   * The plaintext in a buffer of its own, or undefined when `tag` is not the key's. Keeps no
   * reference to its arguments.
   */
  open(nonce: Buffer, aad: Buffer, tag: Buffer, ciphertext: Buffer): Opened;
}

/** One direction's CBC key and HMAC key, for sending. */
export interface CbcSealer {
  /**
   * Finishes `packet` in place. At `ivAt` it holds a fresh random IV, behind that the plaintext up
   * to `textEnd`, behind that room for the padding: 1 to 16 bytes, up to its end. Pads (PKCS #7)
   * and encrypts the text, then writes the HMAC of IV and ciphertext at `macAt`. Keeps no reference
   * but while the packet is being filled.
   */
  seal(packet: Buffer, macAt: number, ivAt: number, textEnd: number): Filling;
}

/** One direction's CBC key and HMAC key, for receiving. */
export interface CbcOpener {
  /**
   * The plaintext, without its padding, in a buffer of its own. Undefined when `mac` is not the
   * key's HMAC of `sealed`, which is compared in constant time before anything is decrypted, and
   * undefined as well when the padding is wrong. Keeps no reference to its arguments.
   * @param mac as long as the digest
   * @param sealed the IV, and one or more blocks of ciphertext
   */
  open(mac: Buffer, sealed: Buffer): Opened;
}

/** The keys of one direction of a CBC cipher. */
export interface CbcKeys {
  /** Exactly `cipher.keyBytes` long. */
  readonly key: Buffer;
  readonly digest: Digest;
  /** Exactly `digest.bytes` long. */
  readonly macKey: Buffer;
}

/**
 * Where ciphers come from. Keys are copied at once: the caller may overwrite the bytes. `createSealer`
 * and `createOpener` are called with AEAD ciphers only, the other two with CBC ciphers only, all of
 * them only with what the provider `has`.
 */
export interface CipherProvider {
  readonly name: string;
  /** Whether its ciphers answer with promises, all of them. Packets leave in order all the same. */
  readonly defers: boolean;
  /** Whether it has `cipher`; a CBC cipher with `digest`, which no other cipher needs. */
  has(cipher: DataCipher, digest: Digest | undefined): boolean;
  /** @param key exactly `cipher.keyBytes` long */
  createSealer(cipher: DataCipher, key: Buffer): Sealer;
  /** @param key exactly `cipher.keyBytes` long */
  createOpener(cipher: DataCipher, key: Buffer): Opener;
  createCbcSealer(cipher: DataCipher, keys: CbcKeys): CbcSealer;
  createCbcOpener(cipher: DataCipher, keys: CbcKeys): CbcOpener;
}

/** Whether `value` passes for a provider: what callers give is looked at once. */
export function isCipherProvider(value: unknown): value is CipherProvider {
  const { has, createSealer, createOpener } = (value ?? {}) as Partial<CipherProvider>;
  return [has, createSealer, createOpener].every((member) => typeof member === 'function');
}
