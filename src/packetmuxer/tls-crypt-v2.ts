import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { setU16 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import {
  isWrappedKey,
  MAX_WRAPPED_KEY_BYTES,
  MIN_WRAPPED_KEY_BYTES,
  wrappedKeyLength,
} from '../model/wrapped-key.ts';
import { cipherSlot, hmacSlot, STATIC_KEY_BYTES } from './static-key.ts';

/**
 * A client's key Kc, wrapped for the server's eyes (tls_crypt.c): the client keeps the result, WKc,
 * and shows it when it opens a session, so the server need not know its clients.
 *
 *     offset  size  field
 *     0       32    tag = HMAC-SHA256(Ka, length | Kc | metadata)
 *     32      256   AES-256-CTR(Ke, tag[0 … 15], Kc | metadata): Kc
 *     288     …     metadata
 *     last    2     length of all of this
 */
const TAG_BYTES = 32;
const COUNTER_BYTES = 16;
const LENGTH_BYTES = 2;
const CIPHER = 'aes-256-ctr';
const DIGEST = 'sha256';
const ALGORITHM_KEY_BYTES = 32;

/** Length of a tls-crypt-v2 server key: one cipher and one HMAC slot, as half a static key. */
export const SERVER_KEY_BYTES = 128;

/** Longest metadata that a WKc has room for. Unit: bytes. */
export const MAX_METADATA_BYTES: number = MAX_WRAPPED_KEY_BYTES - MIN_WRAPPED_KEY_BYTES;

/** The packet as tls-crypt has it, and the WKc behind it. Both are parts of the given buffer. */
export interface SplitPacket {
  readonly packet: Buffer;
  readonly wrappedKey: Buffer;
}

/** Parts a packet that brings its WKc. Nothing of it is authentic yet. */
export function splitWrappedKey(packet: Buffer): SplitPacket | Drop {
  const length = wrappedKeyLength(packet);
  if (length === undefined) return Drop.MALFORMED;
  const at = packet.length - length;
  return { packet: packet.subarray(0, at), wrappedKey: packet.subarray(at) };
}

/** What only a server can read in a WKc. */
export interface ClientKey {
  /** Kc, 256 bytes in a buffer of their own, which the receiver wipes. */
  readonly key: Buffer;
  /** As the key was made: a type byte (0: the maker's own, 1: u64 seconds since 1970), a value. */
  readonly metadata: Buffer;
}

/** The key under which a server's clients have theirs. */
export class TlsCryptV2ServerKey {
  readonly #cipher: KeyObject;
  readonly #hmac: KeyObject;

  /** @param serverKey 128 bytes, of which no reference is kept */
  constructor(serverKey: Buffer) {
    if (serverKey.length !== SERVER_KEY_BYTES) {
      throw new Error(
        `expected a server key of ${SERVER_KEY_BYTES} bytes, got ${serverKey.length}`,
      );
    }
    this.#cipher = algorithmKey(serverKey, cipherSlot(0));
    this.#hmac = algorithmKey(serverKey, hmacSlot(0));
  }

  /** The client's key, once it has proved to be wrapped by this one. Never throws. */
  unwrap(wrappedKey: Buffer): ClientKey | Drop {
    if (!isWrappedKey(wrappedKey)) return Drop.MALFORMED;
    const lengthAt = wrappedKey.length - LENGTH_BYTES;
    const tag = wrappedKey.subarray(0, TAG_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#cipher, tag.subarray(0, COUNTER_BYTES));
    const content = decipher.update(wrappedKey.subarray(TAG_BYTES, lengthAt));
    const authentic = timingSafeEqual(this.#tagOf(wrappedKey.subarray(lengthAt), content), tag);
    const clientKey = authentic
      ? {
          key: Buffer.from(content.subarray(0, STATIC_KEY_BYTES)),
          metadata: Buffer.from(content.subarray(STATIC_KEY_BYTES)),
        }
      : Drop.BAD_AUTH;
    content.fill(0);
    return clientKey;
  }

  /**
   * The WKc of a client's key.
   *
   * @param clientKey 256 bytes
   * @param metadata at most {@link MAX_METADATA_BYTES}; its first byte is its type
   */
  wrap(clientKey: Buffer, metadata: Buffer): Buffer {
    if (clientKey.length !== STATIC_KEY_BYTES) {
      throw new Error(
        `expected a client key of ${STATIC_KEY_BYTES} bytes, got ${clientKey.length}`,
      );
    }
    if (metadata.length > MAX_METADATA_BYTES) {
      throw new Error(`expected at most ${MAX_METADATA_BYTES} bytes of metadata`);
    }
    const content = Buffer.concat([clientKey, metadata]);
    const length = Buffer.alloc(LENGTH_BYTES);
    setU16(length, 0, MIN_WRAPPED_KEY_BYTES + metadata.length);
    const tag = this.#tagOf(length, content);
    const cipher = createCipheriv(CIPHER, this.#cipher, tag.subarray(0, COUNTER_BYTES));
    const wrappedKey = Buffer.concat([tag, cipher.update(content), length]);
    content.fill(0);
    return wrappedKey;
  }

  #tagOf(length: Buffer, content: Buffer): Buffer {
    return createHmac(DIGEST, this.#hmac).update(length).update(content).digest();
  }
}

function algorithmKey(serverKey: Buffer, at: number): KeyObject {
  return createSecretKey(serverKey.subarray(at, at + ALGORITHM_KEY_BYTES));
}
