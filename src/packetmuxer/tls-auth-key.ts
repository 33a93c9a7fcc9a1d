import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { setU32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import { DIGESTS } from '../model/digests.ts';
import type { ControlKey } from './control-key.ts';
import { CLEAR_HEADER_BYTES } from './control-packet-codec.ts';
import { checkStaticKey, hmacSlot } from './static-key.ts';

/**
 * A control packet under tls-auth (ssl_pkt.c, crypto.c), L being the length of the digest:
 *
 *     offset  size  field
 *     0       1     opcode << 3 | key_id
 *     1       8     session id
 *     9       L     HMAC over bytes 9+L … 16+L, bytes 0 … 8, bytes 17+L …
 *     9+L     4     replay packet id
 *     13+L    4     net_time
 *     17+L    …     the plain packet from its byte 9 on
 */
const HMAC_AT = CLEAR_HEADER_BYTES;
const REPLAY_ID_BYTES = 8;

export interface TlsAuthKeyOptions {
  /** 256 bytes, of which no reference is kept. */
  readonly key: Buffer;
  /**
   * `key-direction` of this end: 0 sends with the first half and receives with the second, 1 the
   * reverse; undefined: the first half both ways.
   */
  readonly direction: 0 | 1 | undefined;
  /** A key of `DIGESTS`. */
  readonly digest: string;
}

/** A static key in use by one end: signs and checks tls-auth packets. Remembers no packet. */
export class TlsAuthKey implements ControlKey {
  readonly name = 'tls-auth';
  readonly overheadBytes: number;
  readonly replayIdAt: number;
  readonly #digest: string;
  readonly #send: KeyObject;
  readonly #receive: KeyObject;

  constructor({ key, direction, digest: digestName }: TlsAuthKeyOptions) {
    checkStaticKey(key);
    const digest = DIGESTS.get(digestName);
    if (digest === undefined) throw new Error(`expected the name of a digest, got ${digestName}`);
    this.replayIdAt = HMAC_AT + digest.bytes;
    this.overheadBytes = digest.bytes + REPLAY_ID_BYTES;
    this.#digest = digest.nodeName;
    this.#send = hmacKey(key, direction === 1 ? 1 : 0, digest.bytes);
    this.#receive = hmacKey(key, direction === 0 ? 1 : 0, digest.bytes);
  }

  seal(plain: Buffer, packetId: number, netTime: number): Buffer {
    const packet = Buffer.allocUnsafe(plain.length + this.overheadBytes);
    packet.set(plain.subarray(0, CLEAR_HEADER_BYTES));
    setU32(packet, this.replayIdAt, packetId);
    setU32(packet, this.replayIdAt + 4, netTime);
    packet.set(plain.subarray(CLEAR_HEADER_BYTES), this.replayIdAt + REPLAY_ID_BYTES);
    packet.set(this.#hmacOf(packet, this.#send), HMAC_AT);
    return packet;
  }

  open(packet: Buffer): Buffer | Drop {
    const contentAt = this.replayIdAt + REPLAY_ID_BYTES;
    if (packet.length < contentAt) return Drop.MALFORMED;
    const hmac = packet.subarray(HMAC_AT, this.replayIdAt);
    if (!timingSafeEqual(this.#hmacOf(packet, this.#receive), hmac)) return Drop.BAD_AUTH;
    const plain = Buffer.allocUnsafe(packet.length - this.overheadBytes);
    plain.set(packet.subarray(0, CLEAR_HEADER_BYTES));
    plain.set(packet.subarray(contentAt), CLEAR_HEADER_BYTES);
    return plain;
  }

  #hmacOf(packet: Buffer, key: KeyObject): Buffer {
    const contentAt = this.replayIdAt + REPLAY_ID_BYTES;
    return createHmac(this.#digest, key)
      .update(packet.subarray(this.replayIdAt, contentAt))
      .update(packet.subarray(0, CLEAR_HEADER_BYTES))
      .update(packet.subarray(contentAt))
      .digest();
  }
}

function hmacKey(key: Buffer, half: 0 | 1, bytes: number): KeyObject {
  const at = hmacSlot(half);
  return createSecretKey(key.subarray(at, at + bytes));
}
