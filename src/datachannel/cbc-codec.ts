import { setU32, u8, u32 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import {
  CBC_BLOCK_BYTES,
  type CbcOpener,
  type CbcSealer,
  type Filling,
  type Opened,
} from './cipher-provider.ts';
import { atOnce, type DataCodec, KeyUsage } from './data-codec.ts';
import { DataHeader, headerBytesOf } from './data-header.ts';
import type { PacketIdSource } from './packet-id-source.ts';
import type { ReplayWindow } from './replay-window.ts';

/*
 *            header   HMAC     IV   ciphertext                            HMAC over
 *     V1     1        digest   16   packet id (4) | payload | padding     IV | ciphertext
 *     V2     4        digest   16   the same                              the same
 *
 * Encrypt-then-MAC (crypto.c `openvpn_encrypt_v1`). Nothing covers the header.
 */
const IV_BYTES: number = CBC_BLOCK_BYTES;
const PACKET_ID_BYTES = 4;
const BLOCK_MASK: number = CBC_BLOCK_BYTES - 1;

/** By how much a packet is longer than its payload at most, without header and HMAC. */
export const CBC_MAX_OVERHEAD_BYTES: number = IV_BYTES + PACKET_ID_BYTES + CBC_BLOCK_BYTES;

export interface CbcCodecOptions {
  /** 0 … 7 */
  readonly keyId: number;
  /** Send DATA_V2 with this id; undefined: DATA_V1. Both are received. */
  readonly peerId: number | undefined;
  readonly sealer: CbcSealer;
  readonly opener: CbcOpener;
  /** Length of the HMAC. */
  readonly macBytes: number;
  /** For the IVs: unpredictable. */
  readonly random: RandomSource;
  readonly replayWindow: ReplayWindow;
  readonly packetIds: PacketIdSource;
}

/** DATA_V1 and DATA_V2 with AES-CBC and an HMAC. */
export class CbcCodec implements DataCodec {
  readonly usage: KeyUsage = new KeyUsage();
  filling: Filling;
  readonly #header: DataHeader;
  readonly #sealer: CbcSealer;
  readonly #opener: CbcOpener;
  readonly #macBytes: number;
  readonly #random: RandomSource;
  readonly #packetIds: PacketIdSource;
  readonly #replayWindow: ReplayWindow;

  constructor(options: CbcCodecOptions) {
    this.#header = new DataHeader(options.keyId, options.peerId);
    this.#sealer = options.sealer;
    this.#opener = options.opener;
    this.#macBytes = options.macBytes;
    this.#random = options.random;
    this.#packetIds = options.packetIds;
    this.#replayWindow = options.replayWindow;
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
    const macAt = headerBytesOf(u8(packet, 0));
    const ivAt = macAt + this.#macBytes;
    const textBytes = packet.length - ivAt - IV_BYTES;
    if (textBytes < CBC_BLOCK_BYTES || (textBytes & BLOCK_MASK) !== 0) return Drop.MALFORMED;

    return this.#opener.open(packet.subarray(macAt, ivAt), packet.subarray(ivAt));
  }

  accept(packet: Buffer, plaintext: Buffer | undefined, now: Millis): Buffer | Drop {
    if (plaintext === undefined || plaintext.length < PACKET_ID_BYTES) {
      this.usage.failedOpens += 1;
      return Drop.BAD_AUTH;
    }
    if (!this.#replayWindow.accept(u32(plaintext, 0), now)) return Drop.REPLAY;
    this.usage.countOpened(plaintext.length, packet.length);
    return plaintext.subarray(PACKET_ID_BYTES);
  }

  seal(payload: Buffer): Buffer | undefined {
    const packetId = this.#packetIds.next();
    if (packetId === 0) return undefined;

    const macAt = this.#header.bytes;
    const ivAt = macAt + this.#macBytes;
    const textAt = ivAt + IV_BYTES;
    const textBytes = PACKET_ID_BYTES + payload.length;
    const paddedBytes = (textBytes & ~BLOCK_MASK) + CBC_BLOCK_BYTES;
    const packet = Buffer.allocUnsafe(textAt + paddedBytes);
    this.#header.write(packet);
    for (let at = ivAt; at < textAt; at += 4) setU32(packet, at, this.#random.uint32());
    setU32(packet, textAt, packetId);
    packet.set(payload, textAt + PACKET_ID_BYTES);
    this.filling = this.#sealer.seal(packet, macAt, ivAt, textAt + textBytes);
    this.usage.countSealed(textBytes, packet.length);
    return packet;
  }
}
