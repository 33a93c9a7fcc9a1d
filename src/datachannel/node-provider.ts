import {
  type CipherGCMTypes,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
} from 'node:crypto';
import type { DataCipher } from '../model/ciphers.ts';
import {
  type CbcKeys,
  type CipherProvider,
  type Opener,
  type Sealer,
  TAG_BYTES,
} from './cipher-provider.ts';
import { NodeCbcOpener, NodeCbcSealer } from './node-cbc.ts';

/** Without it Node takes tags of 4, 8 and 12 bytes, too. */
const OPTIONS = { authTagLength: TAG_BYTES } as const;

/**
 * The types give `setAAD` and tags to the GCM names only; all AEAD ciphers have them.
 */
type AeadName = CipherGCMTypes;

/** `node:crypto`: synchronous, the default. Keys are `KeyObject`s, never bytes. */
export const nodeProvider: CipherProvider = {
  name: 'node:crypto',
  defers: false,
  has: () => true,
  createSealer: (cipher: DataCipher, key: Buffer) => new NodeSealer(cipher, key),
  createOpener: (cipher: DataCipher, key: Buffer) => new NodeOpener(cipher, key),
  createCbcSealer: (cipher: DataCipher, keys: CbcKeys) => new NodeCbcSealer(cipher, keys),
  createCbcOpener: (cipher: DataCipher, keys: CbcKeys) => new NodeCbcOpener(cipher, keys),
};

class NodeSealer implements Sealer {
  readonly #name: AeadName;
  readonly #key: KeyObject;

  constructor(cipher: DataCipher, key: Buffer) {
    this.#name = cipher.nodeName as AeadName;
    this.#key = createSecretKey(key);
  }

  seal(
    nonce: Buffer,
    aad: Buffer,
    plaintext: Buffer,
    packet: Buffer,
    tagAt: number,
    textAt: number,
  ): undefined {
    const cipher = createCipheriv(this.#name, this.#key, nonce, OPTIONS);
    cipher.setAAD(aad);
    packet.set(cipher.update(plaintext), textAt);
    cipher.final();
    packet.set(cipher.getAuthTag(), tagAt);
  }
}

class NodeOpener implements Opener {
  readonly #name: AeadName;
  readonly #key: KeyObject;

  constructor(cipher: DataCipher, key: Buffer) {
    this.#name = cipher.nodeName as AeadName;
    this.#key = createSecretKey(key);
  }

  open(nonce: Buffer, aad: Buffer, tag: Buffer, ciphertext: Buffer): Buffer | undefined {
    const decipher = createDecipheriv(this.#name, this.#key, nonce, OPTIONS);
    decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    const plaintext = decipher.update(ciphertext);
    // Nobody reads the stack of this error, and to collect it costs more than the packet does.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      decipher.final();
    } catch {
      return undefined;
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
    return plaintext;
  }
}
