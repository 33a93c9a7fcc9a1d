import { setU8, setU32, u8, u32 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import { Opcode, opcodeOf } from '../model/opcode.ts';
import { NONCE_BYTES, type Opener, type Sealer, TAG_BYTES } from './cipher-provider.ts';
import { type DataCodec, KeyUsage } from './data-codec.ts';
import type { PacketIdSource } from './packet-id-source.ts';
import type { ReplayWindow } from './replay-window.ts';

/*
 *            header   packet id   tag   ciphertext           AAD                   nonce (12)
 *     V1     1        4           16    n                    packet id             packet id | IV
 *     V2     4        4           16    n                    header | packet id    packet id | IV
 */
const V1_HEADER_BYTES = 1;
const V2_HEADER_BYTES = 4;
const PACKET_ID_BYTES = 4;
const BLOCK_SHIFT = 4;
const BLOCK_BYTES = 1 << BLOCK_SHIFT;

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
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #packetIds: PacketIdSource;
  readonly #replayWindow: ReplayWindow;
  readonly #header: number;
  readonly #headerBytes: number;
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
    if (options.peerId === undefined) {
      this.#header = (Opcode.P_DATA_V1 << 3) | options.keyId;
      this.#headerBytes = V1_HEADER_BYTES;
      this.#sealAad = Buffer.alloc(PACKET_ID_BYTES);
    } else {
      this.#header = (((Opcode.P_DATA_V2 << 3) | options.keyId) << 24) | options.peerId;
      this.#headerBytes = V2_HEADER_BYTES;
      this.#sealAad = Buffer.alloc(V2_HEADER_BYTES + PACKET_ID_BYTES);
      setU32(this.#sealAad, 0, this.#header);
    }
  }

  get lastPacketId(): number {
    return this.#packetIds.last;
  }

  get exhausted(): boolean {
    return this.#packetIds.exhausted;
  }

  open(packet: Buffer, now: Millis): Buffer | Drop {
    const isV2 = opcodeOf(u8(packet, 0)) === Opcode.P_DATA_V2;
    const headerBytes = isV2 ? V2_HEADER_BYTES : V1_HEADER_BYTES;
    const tagAt = headerBytes + PACKET_ID_BYTES;
    const textAt = tagAt + TAG_BYTES;
    if (packet.length <= textAt) return Drop.MALFORMED;

    const packetId = u32(packet, headerBytes);
    setU32(this.#openNonce, 0, packetId);
    const plaintext = this.#opener.open(
      this.#openNonce,
      isV2 ? this.#aadV2(packet, packetId) : this.#aadV1(packetId),
      packet.subarray(tagAt, textAt),
      packet.subarray(textAt),
    );
    if (plaintext === undefined) {
      this.usage.failedOpens += 1;
      return Drop.BAD_AUTH;
    }
    if (!this.#replayWindow.accept(packetId, now)) return Drop.REPLAY;
    this.usage.openedPackets += 1;
    this.usage.openedBytes += packet.length;
    this.usage.openedBlocks += blocksOf(plaintext.length);
    return plaintext;
  }

  seal(payload: Buffer): Buffer | undefined {
    const packetId = this.#packetIds.next();
    if (packetId === 0) return undefined;

    const headerBytes = this.#headerBytes;
    const tagAt = headerBytes + PACKET_ID_BYTES;
    const textAt = tagAt + TAG_BYTES;
    const packet = Buffer.allocUnsafe(textAt + payload.length);
    if (headerBytes === V2_HEADER_BYTES) setU32(packet, 0, this.#header);
    else setU8(packet, 0, this.#header);
    setU32(packet, headerBytes, packetId);
    setU32(this.#sealNonce, 0, packetId);
    setU32(this.#sealAad, this.#sealAad.length - PACKET_ID_BYTES, packetId);
    this.#sealer.seal(this.#sealNonce, this.#sealAad, payload, packet, tagAt, textAt);

    this.usage.sealedPackets += 1;
    this.usage.sealedBytes += packet.length;
    this.usage.sealedBlocks += blocksOf(payload.length);
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

function blocksOf(length: number): number {
  return (length + BLOCK_BYTES - 1) >>> BLOCK_SHIFT;
}
