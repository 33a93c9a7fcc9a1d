import type { DataCipher } from '../model/ciphers.ts';

/** Length of an AEAD tag: never another, a shorter one is easier to forge. */
export const TAG_BYTES = 16;

/** Length of an AEAD nonce: packet id and implicit IV. */
export const NONCE_BYTES = 12;

/** One direction's AEAD key, for sending. */
export interface Sealer {
  /**
   * Encrypts `plaintext` into `packet`: the ciphertext, as long as the plaintext, at `textAt` and
   * the tag at `tagAt`. Keeps no reference to its arguments. A nonce may be used once only.
   */
  seal(
    nonce: Buffer,
    aad: Buffer,
    plaintext: Buffer,
    packet: Buffer,
    tagAt: number,
    textAt: number,
  ): void;
}

/** One direction's AEAD key, for receiving. */
export interface Opener {
  /** The plaintext in a buffer of its own, or undefined when `tag` is not the key's. */
  open(nonce: Buffer, aad: Buffer, tag: Buffer, ciphertext: Buffer): Buffer | undefined;
}

/** Where ciphers come from. Keys are copied at once: the caller may overwrite the bytes. */
export interface CipherProvider {
  readonly name: string;
  /** @param key exactly `cipher.keyBytes` long */
  createSealer(cipher: DataCipher, key: Buffer): Sealer;
  /** @param key exactly `cipher.keyBytes` long */
  createOpener(cipher: DataCipher, key: Buffer): Opener;
}
