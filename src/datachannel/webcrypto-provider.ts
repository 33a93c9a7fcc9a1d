import { timingSafeEqual, type webcrypto } from 'node:crypto';
import { OvpnUsageError } from '../core/errors.ts';
import {
  CBC_BLOCK_BYTES,
  type CbcOpener,
  type CbcSealer,
  type CipherProvider,
  type Opener,
  type Sealer,
  TAG_BYTES,
} from './cipher-provider.ts';
import {
  CBC,
  GCM,
  HMAC,
  has,
  type ImportedCbcKeys,
  type ImportedKey,
  importCbc,
  importCipher,
  type Subtle,
} from './webcrypto-keys.ts';

/** What is needed of a `Crypto`: `globalThis.crypto`, or that of `@peculiar/webcrypto`. */
export interface WebCrypto {
  readonly subtle: Subtle;
}

const TAG_BITS = TAG_BYTES * 8;

/**
 * A cipher provider for runtimes that have WebCrypto only: AES-GCM, and AES-CBC with SHA1, SHA256,
 * SHA384 or SHA512. There is neither ChaCha20-Poly1305 nor SHA224: a key for them is refused with an
 * `OvpnUsageError`, and a client or server with this provider does not offer them. Several times
 * slower than the default, for every packet takes a promise.
 * @throws OvpnUsageError when `crypto` has no `subtle`, as in a page that is not secure
 */
export function webCryptoProvider(crypto: WebCrypto): CipherProvider {
  const subtle: Subtle | undefined = crypto?.subtle;
  if (subtle === undefined) {
    throw new OvpnUsageError('expected a Crypto with `subtle`, got none', 'datachannel');
  }
  return {
    name: 'WebCrypto',
    defers: true,
    has,
    createSealer: (cipher, key) =>
      new WebSealer(subtle, importCipher(subtle, cipher, key, 'encrypt')),
    createOpener: (cipher, key) =>
      new WebOpener(subtle, importCipher(subtle, cipher, key, 'decrypt')),
    createCbcSealer: (cipher, keys) =>
      new WebCbcSealer(subtle, importCbc(subtle, cipher, keys, 'encrypt')),
    createCbcOpener: (cipher, keys) =>
      new WebCbcOpener(subtle, importCbc(subtle, cipher, keys, 'decrypt')),
  };
}

class WebSealer implements Sealer {
  readonly #subtle: Subtle;
  readonly #key: ImportedKey;

  constructor(subtle: Subtle, key: ImportedKey) {
    this.#subtle = subtle;
    this.#key = key;
  }

  seal(
    nonce: Buffer,
    aad: Buffer,
    plaintext: Buffer,
    packet: Buffer,
    tagAt: number,
    textAt: number,
  ): Promise<void> {
    return this.#fill(gcm(nonce, aad), new Uint8Array(plaintext), packet, tagAt, textAt);
  }

  async #fill(
    algorithm: webcrypto.AesGcmParams,
    text: Uint8Array,
    packet: Buffer,
    tagAt: number,
    textAt: number,
  ): Promise<void> {
    const key = await this.#key;
    const sealed = new Uint8Array(await this.#subtle.encrypt(algorithm, key, text));
    packet.set(sealed.subarray(0, text.length), textAt);
    packet.set(sealed.subarray(text.length), tagAt);
  }
}

class WebOpener implements Opener {
  readonly #subtle: Subtle;
  readonly #key: ImportedKey;

  constructor(subtle: Subtle, key: ImportedKey) {
    this.#subtle = subtle;
    this.#key = key;
  }

  open(nonce: Buffer, aad: Buffer, tag: Buffer, ciphertext: Buffer): Promise<Buffer | undefined> {
    const sealed = new Uint8Array(ciphertext.length + TAG_BYTES);
    sealed.set(ciphertext);
    sealed.set(tag, ciphertext.length);
    return decrypt(this.#subtle, gcm(nonce, aad), this.#key, sealed);
  }
}

class WebCbcSealer implements CbcSealer {
  readonly #subtle: Subtle;
  readonly #keys: ImportedCbcKeys;

  constructor(subtle: Subtle, keys: ImportedCbcKeys) {
    this.#subtle = subtle;
    this.#keys = keys;
  }

  async seal(packet: Buffer, macAt: number, ivAt: number, textEnd: number): Promise<void> {
    const [key, macKey] = await Promise.all([this.#keys.cipher, this.#keys.mac]);
    const textAt = ivAt + CBC_BLOCK_BYTES;
    const algorithm = { name: CBC, iv: packet.subarray(ivAt, textAt) };
    const text = packet.subarray(textAt, textEnd);
    packet.set(new Uint8Array(await this.#subtle.encrypt(algorithm, key, text)), textAt);
    const mac = await this.#subtle.sign(HMAC, macKey, packet.subarray(ivAt));
    packet.set(new Uint8Array(mac), macAt);
  }
}

class WebCbcOpener implements CbcOpener {
  readonly #subtle: Subtle;
  readonly #keys: ImportedCbcKeys;

  constructor(subtle: Subtle, keys: ImportedCbcKeys) {
    this.#subtle = subtle;
    this.#keys = keys;
  }

  open(mac: Buffer, sealed: Buffer): Promise<Buffer | undefined> {
    return this.#verified(new Uint8Array(mac), new Uint8Array(sealed));
  }

  async #verified(mac: Uint8Array, sealed: Uint8Array): Promise<Buffer | undefined> {
    const macKey = await this.#keys.mac;
    // Not `verify`: that of @peculiar/webcrypto does not compare in constant time.
    const expected = new Uint8Array(await this.#subtle.sign(HMAC, macKey, sealed));
    if (!timingSafeEqual(expected, mac)) return undefined;
    const algorithm = { name: CBC, iv: sealed.subarray(0, CBC_BLOCK_BYTES) };
    const text = sealed.subarray(CBC_BLOCK_BYTES);
    return decrypt(this.#subtle, algorithm, this.#keys.cipher, text);
  }
}

/** The arguments are copied: the codec uses one nonce and one AAD buffer for all packets. */
function gcm(nonce: Buffer, aad: Buffer): webcrypto.AesGcmParams {
  return {
    name: GCM,
    iv: new Uint8Array(nonce),
    additionalData: new Uint8Array(aad),
    tagLength: TAG_BITS,
  };
}

/** Undefined when WebCrypto refuses: the tag is wrong, or the padding. */
async function decrypt(
  subtle: Subtle,
  algorithm: webcrypto.AesGcmParams | webcrypto.AesCbcParams,
  imported: ImportedKey,
  sealed: Uint8Array,
): Promise<Buffer | undefined> {
  const key = await imported;
  try {
    return Buffer.from(await subtle.decrypt(algorithm, key, sealed));
  } catch {
    return undefined;
  }
}
