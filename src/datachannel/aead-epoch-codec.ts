import { setU16, setU32, u8, u16, u32 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import { type Filling, NONCE_BYTES, type Opened, TAG_BYTES } from './cipher-provider.ts';
import { atOnce, type DataCodec, KeyUsage } from './data-codec.ts';
import { DataHeader, headerBytesOf, V2_HEADER_BYTES } from './data-header.ts';
import type { EpochReceiver, ReceiveEpoch } from './epoch-receiver.ts';
import type { EpochLimits, EpochSender } from './epoch-sender.ts';

/*
 *     0        4       6         12           12 + n
 *     ├ header ┼ epoch ┼ counter ┼ ciphertext ┼── tag ──┤
 *       V2       16 bit  48 bit    n            16
 *
 *     AAD: bytes 0 … 11.   Nonce: IV of the epoch xor (bytes 4 … 11, four zero bytes).
 */
const EPOCH_AT: number = V2_HEADER_BYTES;
const COUNTER_AT: number = EPOCH_AT + 2;
const TEXT_AT: number = COUNTER_AT + 6;
/** Bytes 4 … 7 and 8 … 11 of the packet, which nonces are made of. */
const UPPER_AT: number = EPOCH_AT;
const LOWER_AT: number = EPOCH_AT + 4;
const UINT32_RANGE = 0x1_0000_0000;

/** By how much a packet is longer than its payload. */
export const EPOCH_OVERHEAD_BYTES: number = TEXT_AT + TAG_BYTES;

export interface AeadEpochCodecOptions {
  /** 0 … 7 */
  readonly keyId: number;
  /** 0 … 0xfffffe. There is no DATA_V1 of this format. */
  readonly peerId: number;
  readonly sender: EpochSender;
  readonly receiver: EpochReceiver;
  readonly limits: EpochLimits & {
    /** Forged packets of one epoch from which the peer is asked for the next one. */
    readonly failedOpens: number;
  };
  readonly replayWindow: { readonly packets: number; readonly ms: Millis };
}

/**
 * DATA_V2 with epochs and an AEAD cipher (OpenVPN 2.7, crypto_epoch.c). When an epoch is used up
 * the sender goes on with the next; the other end follows as soon as it sees it.
 */
export class AeadEpochCodec implements DataCodec {
  readonly usage: KeyUsage = new KeyUsage();
  filling: Filling;
  readonly #sender: EpochSender;
  readonly #receiver: EpochReceiver;
  readonly #limits: AeadEpochCodecOptions['limits'];
  readonly #replayWindow: AeadEpochCodecOptions['replayWindow'];
  readonly #header: DataHeader;
  // Ciphers copy nonce and AAD before they return, so one buffer of each serves all packets.
  readonly #nonce = Buffer.alloc(NONCE_BYTES);
  readonly #aad = Buffer.alloc(TEXT_AT);

  constructor(options: AeadEpochCodecOptions) {
    this.#header = new DataHeader(options.keyId, options.peerId);
    this.#sender = options.sender;
    this.#receiver = options.receiver;
    this.#limits = options.limits;
    this.#replayWindow = options.replayWindow;
  }

  /** Counters start again with every epoch: none of them is a packet id of the key. */
  get lastPacketId(): number {
    return 0;
  }

  get epoch(): number {
    return this.#sender.epoch;
  }

  get exhausted(): boolean {
    return this.#sender.exhausted;
  }

  open(packet: Buffer, now: Millis): Buffer | Drop {
    const opened = this.decipher(packet);
    return typeof opened === 'number' ? opened : this.accept(packet, atOnce(opened), now);
  }

  decipher(packet: Buffer): Opened | Drop {
    const tagAt = packet.length - TAG_BYTES;
    if (tagAt <= TEXT_AT || headerBytesOf(u8(packet, 0)) !== V2_HEADER_BYTES) return Drop.MALFORMED;
    const epoch = this.#receiver.find(u16(packet, EPOCH_AT));
    if (epoch === undefined) return Drop.UNKNOWN_KEY;

    const { key } = epoch;
    this.#prepare(packet, key.iv);
    const tag = packet.subarray(tagAt);
    const text = packet.subarray(TEXT_AT, tagAt);
    return key.cipher.open(this.#nonce, this.#aad, tag, text);
  }

  accept(packet: Buffer, plaintext: Buffer | undefined, now: Millis): Buffer | Drop {
    // While a cipher took its time an earlier packet may have moved on: then this epoch is over.
    const epoch = this.#receiver.find(u16(packet, EPOCH_AT));
    if (epoch === undefined) return Drop.UNKNOWN_KEY;
    if (plaintext === undefined) {
      this.usage.failedOpens += 1;
      epoch.failedOpens += 1;
      return Drop.BAD_AUTH;
    }
    const counter = u16(packet, COUNTER_AT) * UINT32_RANGE + u32(packet, LOWER_AT);
    if (!epoch.accept(counter, now, this.#replayWindow)) return Drop.REPLAY;
    epoch.count(plaintext.length);
    this.usage.countOpened(plaintext.length, packet.length);
    this.#receiver.moveTo(epoch);
    this.#sender.moveTo(epoch.key.epoch);
    return plaintext;
  }

  seal(payload: Buffer): Buffer | undefined {
    if (this.#isDue()) this.#sender.moveTo(this.#sender.epoch + 1);
    const counter = this.#sender.count(payload.length);
    if (counter === 0) return undefined;

    const { epoch, cipher, iv } = this.#sender.key;
    const tagAt = TEXT_AT + payload.length;
    const packet = Buffer.allocUnsafe(tagAt + TAG_BYTES);
    this.#header.write(packet);
    setU16(packet, EPOCH_AT, epoch);
    setU16(packet, COUNTER_AT, Math.floor(counter / UINT32_RANGE));
    setU32(packet, LOWER_AT, counter);
    this.#prepare(packet, iv);
    this.filling = cipher.seal(this.#nonce, this.#aad, payload, packet, tagAt, TEXT_AT);
    this.usage.countSealed(payload.length, packet.length);
    return packet;
  }

  /**
   * Whether our side should go on with the next epoch. For the sake of the peer's key it does so
   * only until it is ahead of the peer, who has to follow.
   */
  #isDue(): boolean {
    if (this.#sender.isDue) return true;
    const received: ReceiveEpoch = this.#receiver.current;
    const isWorn =
      received.usage >= this.#limits.usage || received.failedOpens >= this.#limits.failedOpens;
    return isWorn && received.key.epoch === this.#sender.epoch;
  }

  /** Makes nonce and AAD of a packet's first bytes. */
  #prepare(packet: Buffer, iv: Buffer): void {
    const upper = u32(packet, UPPER_AT);
    const lower = u32(packet, LOWER_AT);
    this.#nonce.set(iv);
    setU32(this.#nonce, 0, u32(iv, 0) ^ upper);
    setU32(this.#nonce, 4, u32(iv, 4) ^ lower);
    setU32(this.#aad, 0, u32(packet, 0));
    setU32(this.#aad, UPPER_AT, upper);
    setU32(this.#aad, LOWER_AT, lower);
  }
}
