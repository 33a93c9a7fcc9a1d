import { u8 } from '../core/bytes.ts';
import { OvpnError, type OvpnTimeoutError } from '../core/errors.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { LinkActivity } from '../model/link-activity.ts';
import { isData, keyIdOf, opcodeOf } from '../model/opcode.ts';
import type { Profile } from '../model/profile.ts';
import type { CompressionFraming } from '../model/push-options.ts';
import type { CipherProvider, Filling, Opened } from './cipher-provider.ts';
import { type Framing, framingOf } from './compression-framing.ts';
import type { CodecOptions } from './create-codec.ts';
import { createDataKey, type DataKey } from './data-key.ts';
import { EXIT, InBandMessage, inBandMessageOf, PING } from './in-band-message.ts';
import { trimInnerPacket } from './inner-packet.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import { KEY_LIMITS, type KeyLimits } from './key-limits.ts';
import { KeySlots } from './key-slots.ts';
import { nodeProvider } from './node-provider.ts';
import { RekeyPolicy } from './rekey-policy.ts';

/** What the profile says about data keys: a whole `Profile` will do. */
export type DataChannelOptions = Pick<
  Profile,
  | 'auth'
  | 'handWindowMs'
  | 'tranWindowMs'
  | 'renegSecMs'
  | 'renegBytes'
  | 'renegPackets'
  | 'replayWindow'
>;

/** Replaceable parts; the defaults are OpenVPN's limits, `node:crypto` and its random bytes. */
export interface DataChannelParts {
  readonly provider?: CipherProvider;
  readonly limits?: KeyLimits;
  readonly random?: RandomSource;
}

/** A received packet on its way through a cipher that takes its time, and the key it is for. */
export interface OpeningPacket {
  readonly packet: Buffer;
  readonly key: DataKey;
  readonly opened: Opened;
}

/** What happened beside packets. */
export type DataChannelEvent =
  /** A later key than the first is in place. */
  | { readonly kind: 'rekeyed'; readonly keyId: number }
  /** The peer said goodbye (OCC EXIT). Told once. */
  | { readonly kind: 'peer-exit' }
  | { readonly kind: 'ping-timeout'; readonly error: OvpnTimeoutError }
  /** Nothing can be sent any more. Told once. */
  | { readonly kind: 'failed'; readonly error: OvpnError };

/**
 * The data plane of one session: outer data packets to IP packets and back.
 *
 *     open:  opcode, key id ─▶ size ─▶ cipher ─▶ replay ─▶ framing ─▶ ping, OCC ─▶ IP lengths
 *     seal:  IP lengths ─▶ framing ─▶ cipher, header
 *
 * Nothing changes before a packet has proved authentic and new.
 */
export class DataChannel {
  readonly #activity: LinkActivity;
  readonly #keepalive: Keepalive;
  readonly #slots: KeySlots;
  readonly #rekeyPolicy: RekeyPolicy;
  readonly #limits: KeyLimits;
  readonly #codecOptions: CodecOptions;
  readonly #events: DataChannelEvent[] = [];
  /** Whether ciphers take their time: then packets are opened in two halves, and filled later. */
  readonly defers: boolean;
  /** How far the packet is that `seal` or `takeMessage` gave last. */
  filling: Filling;
  #framing: Framing | undefined;
  #exitOwed = false;
  #peerExited = false;
  #failed = false;

  constructor(options: DataChannelOptions, activity: LinkActivity, parts: DataChannelParts = {}) {
    this.#activity = activity;
    this.#keepalive = new Keepalive(activity);
    this.#slots = new KeySlots(options);
    this.#limits = parts.limits ?? KEY_LIMITS;
    this.#rekeyPolicy = new RekeyPolicy(options, this.#limits);
    const provider = parts.provider ?? nodeProvider;
    this.defers = provider.defers;
    this.#codecOptions = {
      provider,
      limits: this.#limits,
      auth: options.auth,
      random: parts.random,
      replayWindow: options.replayWindow,
    };
  }

  /** Sets the keepalive times: once the push is known. */
  configure(options: KeepaliveOptions): void {
    this.#keepalive.configure(options);
  }

  /** Frames all payloads like this from now on: once the push is known, before the first packet. */
  useFraming(kind: CompressionFraming): void {
    this.#framing = framingOf(kind);
  }

  /**
   * Puts the keys of a finished negotiation in place and overwrites the material.
   * @throws OvpnProtocolError when a cipher key is all zero, or epochs were agreed on with a CBC
   *   cipher or without a peer id
   * @throws OvpnUsageError when a CBC cipher has no digest beside it
   */
  install(key: DataChannelKey, now: Millis): void {
    const dataKey = createDataKey(key, this.#codecOptions);
    const isFirst = this.#slots.newest === undefined;
    this.#slots.install(dataKey);
    this.#rekeyPolicy.watch(dataKey, now);
    if (!isFirst) this.#events.push({ kind: 'rekeyed', keyId: key.keyId });
  }

  /** The IP packet inside; `Drop.NONE` for a ping or OCC message, which ends here. */
  open(packet: Buffer, now: Millis): Buffer | Drop {
    const key = this.#keyFor(packet, now);
    if (typeof key === 'number') return key;
    const framed = key.codec.open(packet, now);
    return typeof framed === 'number' ? framed : this.#unpack(framed, now);
  }

  /** The first half of `open`, up to the cipher. Changes nothing. */
  beginOpen(packet: Buffer, now: Millis): OpeningPacket | Drop {
    const key = this.#keyFor(packet, now);
    if (typeof key === 'number') return key;
    const opened = key.codec.decipher(packet);
    return typeof opened === 'number' ? opened : { packet, key, opened };
  }

  /**
   * The second half of `open`, in the order in which the packets came. A packet is lost when its key
   * was replaced meanwhile.
   * @param plaintext what came of its `opened`
   */
  finishOpen(
    { packet, key }: OpeningPacket,
    plaintext: Buffer | undefined,
    now: Millis,
  ): Buffer | Drop {
    if (this.#keyFor(packet, now) !== key) return Drop.UNKNOWN_KEY;
    const framed = key.codec.accept(packet, plaintext, now);
    return typeof framed === 'number' ? framed : this.#unpack(framed, now);
  }

  /** Whether there is a key to seal with. While not, leave packets in the channel. */
  canSeal(now: Millis): boolean {
    return !this.#failed && this.#slots.forSealing(now) !== undefined;
  }

  /**
   * The outer packet around an IP packet, whole once `filling` says so; `Drop.UNKNOWN_KEY` while
   * `canSeal` is false.
   */
  seal(ipPacket: Buffer, now: Millis): Buffer | Drop {
    const trimmed = trimInnerPacket(ipPacket);
    return typeof trimmed === 'number' ? trimmed : this.#sealPayload(trimmed, now);
  }

  /** Says goodbye with the next `takeMessage`. */
  sendExit(): void {
    this.#exitOwed = true;
  }

  /** The next packet of our own, sealed like others: an exit or a ping that is due. */
  takeMessage(now: Millis): Buffer | undefined {
    if (!this.canSeal(now)) return undefined;
    const payload = this.#takeOwed();
    if (payload === undefined) return undefined;
    const packet = this.#sealPayload(payload, now);
    return typeof packet === 'number' ? undefined : packet;
  }

  /** Looks whether a key is used up: once after each batch of packets. */
  endOfBatch(): void {
    this.#rekeyPolicy.observe();
  }

  /** Why the newest key should be replaced; told once for every key. */
  takeRekeyReason(): string | undefined {
    return this.#rekeyPolicy.takeReason();
  }

  takeEvent(): DataChannelEvent | undefined {
    return this.#events.shift();
  }

  nextTimeout(): Millis {
    return Math.min(
      this.#keepalive.nextTimeout(),
      this.#slots.nextTimeout(),
      this.#rekeyPolicy.nextTimeout(),
    );
  }

  onTimeout(now: Millis): void {
    this.#slots.onTimeout(now);
    this.#rekeyPolicy.onTimeout(now);
    this.#keepalive.onTimeout(now);
    const error = this.#keepalive.takeTimeout();
    if (error !== undefined) this.#events.push({ kind: 'ping-timeout', error });
  }

  /** Forgets the keys. */
  close(): void {
    this.#slots.clear();
  }

  #takeOwed(): Buffer | undefined {
    if (this.#exitOwed) {
      this.#exitOwed = false;
      return EXIT;
    }
    return this.#keepalive.takePing() ? PING : undefined;
  }

  /** The key that opens `packet`, as far as its header tells. */
  #keyFor(packet: Buffer, now: Millis): DataKey | Drop {
    if (packet.length === 0) return Drop.MALFORMED;
    const byte0 = u8(packet, 0);
    if (!isData(opcodeOf(byte0))) return Drop.BAD_OPCODE;
    const key = this.#slots.byId(keyIdOf(byte0), now);
    if (key === undefined) return Drop.UNKNOWN_KEY;
    return key.codec.usage.failedOpens >= this.#limits.maxFailedOpens ? Drop.UNKNOWN_KEY : key;
  }

  /** The IP packet in what proved authentic and new. */
  #unpack(framed: Buffer, now: Millis): Buffer | Drop {
    this.#activity.receivedAt = now;
    const payload = this.#framing === undefined ? framed : this.#framing.unframe(framed);
    if (typeof payload === 'number') return payload;
    const message = inBandMessageOf(payload);
    if (message === InBandMessage.NONE) return trimInnerPacket(payload);
    if (message === InBandMessage.EXIT) this.#peerExit();
    return Drop.NONE;
  }

  #sealPayload(payload: Buffer, now: Millis): Buffer | Drop {
    const key = this.#slots.forSealing(now);
    if (key === undefined || this.#failed) return Drop.UNKNOWN_KEY;
    const framed = this.#framing === undefined ? payload : this.#framing.frame(payload);
    const packet = key.codec.seal(framed);
    if (packet === undefined) {
      this.#exhausted(key.keyId);
      return Drop.UNKNOWN_KEY;
    }
    this.filling = key.codec.filling;
    if (this.filling !== undefined && !this.defers) throw new Error('expected a whole packet');
    this.#activity.sentAt = now;
    return packet;
  }

  #peerExit(): void {
    if (this.#peerExited) return;
    this.#peerExited = true;
    this.#events.push({ kind: 'peer-exit' });
  }

  #exhausted(keyId: number): void {
    this.#failed = true;
    const error = new OvpnError(
      'OVPN_KEY_EXHAUSTED',
      `expected a new key before the packet ids of key id ${keyId} ran out, got none`,
      { layer: 'datachannel', retryable: true },
    );
    this.#events.push({ kind: 'failed', error });
  }
}
