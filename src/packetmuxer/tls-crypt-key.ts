import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { setU32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import type { Role } from '../model/ids.ts';
import type { ControlKey } from './control-key.ts';
import { CLEAR_HEADER_BYTES } from './control-packet-codec.ts';
import { checkStaticKey, cipherSlot, hmacSlot } from './static-key.ts';

/**
 * A control packet under tls-crypt (tls_crypt.c): AES-256-CTR and HMAC-SHA256, the tag being the
 * initial counter block.
 *
 *     offset  size  field
 *     0       1     opcode << 3 | key_id
 *     1       8     session id
 *     9       4     replay packet id
 *     13      4     net_time
 *     17      32    tag = HMAC(Ka, bytes 0 … 16 | P)
 *     49      …     AES-CTR(Ke, tag[0 … 15], P)      P: the plain packet from its byte 9 on
 */
const PACKET_ID_AT = CLEAR_HEADER_BYTES;
const NET_TIME_AT = PACKET_ID_AT + 4;
const TAG_AT = NET_TIME_AT + 4;
const TAG_BYTES = 32;
const CIPHERTEXT_AT = TAG_AT + TAG_BYTES;
const COUNTER_BYTES = 16;
const CIPHER = 'aes-256-ctr';
const DIGEST = 'sha256';

/** What tls-crypt adds to a packet. Unit: bytes. */
export const TLS_CRYPT_OVERHEAD_BYTES: number = CIPHERTEXT_AT - CLEAR_HEADER_BYTES;

const ALGORITHM_KEY_BYTES = 32;

/** One direction's pair of algorithm keys. */
interface KeyPair {
  readonly cipher: KeyObject;
  readonly hmac: KeyObject;
}

/** A static key in use by one role: seals and opens tls-crypt packets. Remembers no packet. */
export class TlsCryptKey implements ControlKey {
  readonly name = 'tls-crypt';
  readonly overheadBytes: number = TLS_CRYPT_OVERHEAD_BYTES;
  readonly replayIdAt: number = PACKET_ID_AT;
  readonly #send: KeyPair;
  readonly #receive: KeyPair;

  /** @param key 256 bytes, of which no reference is kept. The server sends with its first half. */
  constructor(key: Buffer, role: Role) {
    checkStaticKey(key);
    const server = keyPair(key, 0);
    const client = keyPair(key, 1);
    this.#send = role === 'server' ? server : client;
    this.#receive = role === 'server' ? client : server;
  }

  seal(plain: Buffer, packetId: number, netTime: number): Buffer {
    const packet = Buffer.allocUnsafe(plain.length + TLS_CRYPT_OVERHEAD_BYTES);
    packet.set(plain.subarray(0, CLEAR_HEADER_BYTES));
    setU32(packet, PACKET_ID_AT, packetId);
    setU32(packet, NET_TIME_AT, netTime);
    const content = plain.subarray(CLEAR_HEADER_BYTES);
    const tag = tagOf(this.#send, packet, content);
    packet.set(tag, TAG_AT);
    const cipher = createCipheriv(CIPHER, this.#send.cipher, tag.subarray(0, COUNTER_BYTES));
    packet.set(cipher.update(content), CIPHERTEXT_AT);
    return packet;
  }

  open(packet: Buffer): Buffer | Drop {
    if (packet.length < CIPHERTEXT_AT) return Drop.MALFORMED;
    const tag = packet.subarray(TAG_AT, CIPHERTEXT_AT);
    const counter = tag.subarray(0, COUNTER_BYTES);
    const decipher = createDecipheriv(CIPHER, this.#receive.cipher, counter);
    const content = decipher.update(packet.subarray(CIPHERTEXT_AT));
    if (!timingSafeEqual(tagOf(this.#receive, packet, content), tag)) return Drop.BAD_AUTH;
    const plain = Buffer.allocUnsafe(CLEAR_HEADER_BYTES + content.length);
    plain.set(packet.subarray(0, CLEAR_HEADER_BYTES));
    plain.set(content, CLEAR_HEADER_BYTES);
    return plain;
  }
}

function keyPair(key: Buffer, half: 0 | 1): KeyPair {
  return {
    cipher: algorithmKey(key, cipherSlot(half)),
    hmac: algorithmKey(key, hmacSlot(half)),
  };
}

function algorithmKey(key: Buffer, at: number): KeyObject {
  return createSecretKey(key.subarray(at, at + ALGORITHM_KEY_BYTES));
}

function tagOf({ hmac }: KeyPair, packet: Buffer, content: Buffer): Buffer {
  return createHmac(DIGEST, hmac).update(packet.subarray(0, TAG_AT)).update(content).digest();
}
