import { setU32, u8, u32 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import {
  type Filling,
  NONCE_BYTES,
  type Opened,
  type Opener,
  type Sealer,
  TAG_BYTES,
} from './cipher-provider.ts';
import { atOnce, type DataCodec, KeyUsage } from './data-codec.ts';
import { DataHeader, headerBytesOf, V1_HEADER_BYTES, V2_HEADER_BYTES } from './data-header.ts';
import type { PacketIdSource } from './packet-id-source.ts';
import type { ReplayWindow } from './replay-window.ts';

/*
 *            header   packet id   tag   ciphertext           AAD                   nonce (12)
 *     V1     1        4           16    n                    packet id             packet id | IV
 *     V2     4        4           16    n                    header | packet id    packet id | IV
 */
const PACKET_ID_BYTES = 4;

/** Length of the sender-specific part of the nonce. */
export const IMPLICIT_IV_BYTES: number = NONCE_BYTES - PACKET_ID_BYTES;

/** By how much a DATA_V2 packet is longer than its payload. */
export const AEAD_V2_OVERHEAD_BYTES: number = V2_HEADER_BYTES + PACKET_ID_BYTES + TAG_BYTES;

/** By how much a DATA_V1 packet is longer than its payload. */
export const AEAD_V1_OVERHEAD_BYTES: number = V1_HEADER_BYTES + PACKET_ID_BYTES + TAG_BYTES;

export interface AeadCodecOptions {
  /** 0 … 7 */
  readonly keyId: number;
  /** Send DATA_V2 with this id; undefined: DATA_V1. Both are received. */
  readonly peerId: number | undefined;
  readonly sealer: Sealer;
  readonly opener: Opener;
  /** {@link IMPLICIT_IV_BYTES} long; copied. */
  readonly sealIv: Buffer;
  readonly openIv: Buffer;
  readonly replayWindow: ReplayWindow;
  readonly packetIds: PacketIdSource;
}

/** DATA_V1 and DATA_V2 with AES-GCM or ChaCha20-Poly1305. */
export class AeadCodec implements DataCodec {
  readonly usage: KeyUsage = new KeyUsage();
  filling: Filling;
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #packetIds: PacketIdSource;
  readonly #replayWindow: ReplayWindow;
  readonly #header: DataHeader;
  // Ciphers copy nonce and AAD before they return, so one buffer of each serves all packets.
  readonly #sealNonce: Buffer;
  readonly #openNonce: Buffer;
  readonly #sealAad: Buffer;
  readonly #openAadV1 = Buffer.alloc(PACKET_ID_BYTES);
  readonly #openAadV2 = Buffer.alloc(V2_HEADER_BYTES + PACKET_ID_BYTES);

  constructor(options: AeadCodecOptions) {
    this.#sealer = options.sealer;
    this.#opener = options.opener;
    this.#packetIds = options.packetIds;
    this.#replayWindow = options.replayWindow;
    this.#sealNonce = nonceWith(options.sealIv);
    this.#openNonce = nonceWith(options.openIv);
    this.#header = new DataHeader(options.keyId, options.peerId);
    const isV1 = this.#header.bytes === V1_HEADER_BYTES;
    this.#sealAad = Buffer.alloc(PACKET_ID_BYTES + (isV1 ? 0 : V2_HEADER_BYTES));
    if (!isV1) this.#header.write(this.#sealAad);
  }

  get lastPacketId(): number {
    return this.#packetIds.last;
  }

  /** Packets have none. */
  get epoch(): number {
    return 0;
  }

  get exhausted(): boolean {
    return this.#packetIds.exhausted;
  }

  open(packet: Buffer, now: Millis): Buffer | Drop {
    const opened = this.decipher(packet);
    return typeof opened === 'number' ? opened : this.accept(packet, atOnce(opened), now);
  }

  decipher(packet: Buffer): Opened | Drop {
    const headerBytes = headerBytesOf(u8(packet, 0));
    const tagAt = headerBytes + PACKET_ID_BYTES;
    const textAt = tagAt + TAG_BYTES;
    if (packet.length <= textAt) return Drop.MALFORMED;

    const packetId = u32(packet, headerBytes);
    setU32(this.#openNonce, 0, packetId);
    return this.#opener.open(
      this.#openNonce,
      headerBytes === V1_HEADER_BYTES ? this.#aadV1(packetId) : this.#aadV2(packet, packetId),
      packet.subarray(tagAt, textAt),
      packet.subarray(textAt),
    );
  }

  accept(packet: Buffer, plaintext: Buffer | undefined, now: Millis): Buffer | Drop {
    if (plaintext === undefined) {
      this.usage.failedOpens += 1;
      return Drop.BAD_AUTH;
    }
    const packetId = u32(packet, headerBytesOf(u8(packet, 0)));
    if (!this.#replayWindow.accept(packetId, now)) return Drop.REPLAY;
    this.usage.countOpened(plaintext.length, packet.length);
    return plaintext;
  }

  seal(payload: Buffer): Buffer | undefined {
    const packetId = this.#packetIds.next();
    if (packetId === 0) return undefined;

    const headerBytes = this.#header.bytes;
    const tagAt = headerBytes + PACKET_ID_BYTES;
    const textAt = tagAt + TAG_BYTES;
    const packet = Buffer.allocUnsafe(textAt + payload.length);
    this.#header.write(packet);
    setU32(packet, headerBytes, packetId);
    setU32(this.#sealNonce, 0, packetId);
    setU32(this.#sealAad, this.#sealAad.length - PACKET_ID_BYTES, packetId);
    this.filling = this.#sealer.seal(
      this.#sealNonce,
      this.#sealAad,
      payload,
      packet,
      tagAt,
      textAt,
    );
    this.usage.countSealed(payload.length, packet.length);
    return packet;
  }

  #aadV1(packetId: number): Buffer {
    setU32(this.#openAadV1, 0, packetId);
    return this.#openAadV1;
  }

  #aadV2(packet: Buffer, packetId: number): Buffer {
    setU32(this.#openAadV2, 0, u32(packet, 0));
    setU32(this.#openAadV2, V2_HEADER_BYTES, packetId);
    return this.#openAadV2;
  }
}

function nonceWith(implicitIv: Buffer): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.set(implicitIv, PACKET_ID_BYTES);
  return nonce;
}
