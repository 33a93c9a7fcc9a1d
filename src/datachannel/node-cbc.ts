import {
  type Cipher,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type Decipher,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { setU32, u8, u32 } from '../core/bytes.ts';
import type { DataCipher } from '../model/ciphers.ts';
import {
  CBC_BLOCK_BYTES,
  type CbcKeys,
  type CbcOpener,
  type CbcSealer,
} from './cipher-provider.ts';

/*
 * Making a cipher object costs as much as enciphering a packet with it, so one serves all packets.
 * CBC allows that: the only thing the object carries on is the last block of ciphertext, which it
 * mixes into the next block of text.
 *
 *     sealing   the first block of text is mixed with (that block xor IV): what is enciphered is
 *               text xor IV, as after a fresh start with this IV
 *     opening   the IV is put in as ciphertext: the block that comes out for it means nothing, and
 *               the IV is what the first block of text is mixed with
 */
const ZERO_BLOCK = Buffer.alloc(CBC_BLOCK_BYTES);

/** CBC and HMAC of `node:crypto`, for sending. */
export class NodeCbcSealer implements CbcSealer {
  readonly #cipher: Cipher;
  readonly #mac: NodeMac;
  /** The last block of ciphertext that the cipher gave. */
  readonly #last: Buffer = Buffer.alloc(CBC_BLOCK_BYTES);

  constructor(cipher: DataCipher, { key, digest, macKey }: CbcKeys) {
    this.#cipher = createCipheriv(cipher.nodeName, createSecretKey(key), ZERO_BLOCK);
    this.#cipher.setAutoPadding(false);
    this.#mac = new NodeMac(digest.nodeName, macKey);
  }

  seal(packet: Buffer, macAt: number, ivAt: number, textEnd: number): undefined {
    const textAt = ivAt + CBC_BLOCK_BYTES;
    packet.fill(packet.length - textEnd, textEnd);
    for (let at = 0; at < CBC_BLOCK_BYTES; at += 4) {
      const mask = u32(packet, ivAt + at) ^ u32(this.#last, at);
      setU32(packet, textAt + at, u32(packet, textAt + at) ^ mask);
    }
    packet.set(this.#cipher.update(packet.subarray(textAt)), textAt);
    packet.copy(this.#last, 0, packet.length - CBC_BLOCK_BYTES);
    packet.set(this.#mac.of(packet.subarray(ivAt)), macAt);
  }
}

/** CBC and HMAC of `node:crypto`, for receiving. */
export class NodeCbcOpener implements CbcOpener {
  readonly #decipher: Decipher;
  readonly #mac: NodeMac;

  constructor(cipher: DataCipher, { key, digest, macKey }: CbcKeys) {
    this.#decipher = createDecipheriv(cipher.nodeName, createSecretKey(key), ZERO_BLOCK);
    this.#decipher.setAutoPadding(false);
    this.#mac = new NodeMac(digest.nodeName, macKey);
  }

  open(mac: Buffer, sealed: Buffer): Buffer | undefined {
    if (!timingSafeEqual(this.#mac.of(sealed), mac)) return undefined;
    const text = this.#decipher.update(sealed);
    const padding = paddingOf(text);
    return padding === 0 ? undefined : text.subarray(CBC_BLOCK_BYTES, text.length - padding);
  }
}

class NodeMac {
  readonly #digest: string;
  readonly #key: KeyObject;

  constructor(digest: string, key: Buffer) {
    this.#digest = digest;
    this.#key = createSecretKey(key);
  }

  of(bytes: Buffer): Buffer {
    return createHmac(this.#digest, this.#key).update(bytes).digest();
  }
}

/** How many bytes of padding end `text`: 1 to 16, or 0 when it is not PKCS #7. */
function paddingOf(text: Buffer): number {
  const padding = u8(text, text.length - 1);
  if (padding > CBC_BLOCK_BYTES) return 0;
  for (let back = 2; back <= padding; back += 1) {
    if (u8(text, text.length - back) !== padding) return 0;
  }
  return padding;
}
