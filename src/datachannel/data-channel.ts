import { u8 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { DataChannelKey } from '../model/data-channel-key.ts';
import type { LinkActivity } from '../model/link-activity.ts';
import { isData, keyIdOf, opcodeOf } from '../model/opcode.ts';
import type { Profile } from '../model/profile.ts';
import type { CipherProvider, Filling, Opened } from './cipher-provider.ts';
import type { CodecOptions } from './create-codec.ts';
import { type DataChannelEvent, exhausted } from './data-channel-event.ts';
import { createDataKey, type DataKey } from './data-key.ts';
import { EXIT, InBandMessage, inBandMessageOf, PING } from './in-band-message.ts';
import { trimInnerPacket } from './inner-packet.ts';
import { Keepalive, type KeepaliveOptions } from './keepalive.ts';
import { KEY_LIMITS, type KeyLimits } from './key-limits.ts';
import { KeySlots } from './key-slots.ts';
import { nodeProvider } from './node-provider.ts';
import { Occ } from './occ.ts';
import type { OuterSizes } from './outer-sizes.ts';
import { type PayloadCodec, type PayloadFormat, payloadCodec } from './payload-codec.ts';
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
> &
  Partial<Pick<Profile, 'allowDecompression' | 'mtuTest'>> & {
    /** What a peer that asks for it by OCC is told. Default: nothing. */
    readonly optionsString?: string;
  };

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

/**
 * The data plane of one session: outer data packets to IP packets and back.
 *
 *     open:  opcode, key id ─▶ size ─▶ cipher ─▶ replay ─▶ parts, framing ─▶ ping, OCC ─▶ IP lengths
 *     seal:  IP lengths ─▶ framing, parts ─▶ cipher, header
 *
 * Nothing changes before a packet has proved authentic and new.
 */
export class DataChannel {
  readonly #options: DataChannelOptions;
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
  readonly #sizes: OuterSizes = { received: 0, sent: 0 };
  #payloads: PayloadCodec | undefined;
  #occ: Occ | undefined;
  #exitOwed = false;
  #peerExited = false;
  #failed = false;

  constructor(options: DataChannelOptions, activity: LinkActivity, parts: DataChannelParts = {}) {
    this.#options = options;
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

  /** Sends and takes payloads like this from now on: once the push is known, before the first packet. */
  useFormat(format: PayloadFormat): void {
    const { allowDecompression = false, mtuTest = false, optionsString = '' } = this.#options;
    this.#payloads = payloadCodec(format, allowDecompression);
    this.#occ = new Occ({ ...format, optionsString, sizes: this.#sizes, tests: mtuTest });
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
    return typeof framed === 'number' ? framed : this.#unpack(framed, packet.length, now);
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
    return typeof framed === 'number' ? framed : this.#unpack(framed, packet.length, now);
  }

  /** Whether there is a key to seal with. While not, leave packets in the channel. */
  canSeal(now: Millis): boolean {
    return !this.#failed && this.#slots.forSealing(now) !== undefined;
  }

  /** Whether parts of the last packet are left: they are the next messages. */
  get hasParts(): boolean {
    return this.#payloads?.pending ?? false;
  }

  /**
   * The outer packet around an IP packet or its first part, whole once `filling` says so;
   * `Drop.UNKNOWN_KEY` while `canSeal` is false. Not while it `hasParts`.
   */
  seal(ipPacket: Buffer, now: Millis): Buffer | Drop {
    const trimmed = trimInnerPacket(ipPacket);
    return typeof trimmed === 'number' ? trimmed : this.#sealPayload(trimmed, now);
  }

  /** Says goodbye with the next `takeMessage`. */
  sendExit(): void {
    this.#exitOwed = true;
  }

  /** The next packet of our own, sealed like others: a part that is left, an exit, a ping, OCC. */
  takeMessage(now: Millis): Buffer | undefined {
    if (!this.canSeal(now)) return undefined;
    if (this.#payloads?.pending) return packetOf(this.#sealFramed(this.#payloads.nextPart(), now));
    const payload = this.#takeOwed();
    if (payload === undefined) return undefined;
    return packetOf(this.#sealPayload(payload, now));
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
    return this.#events.shift() ?? this.#occ?.takeEvent();
  }

  nextTimeout(): Millis {
    return Math.min(
      this.#keepalive.nextTimeout(),
      this.#slots.nextTimeout(),
      this.#rekeyPolicy.nextTimeout(),
      this.#occ?.nextTimeout() ?? Number.POSITIVE_INFINITY,
    );
  }

  onTimeout(now: Millis): void {
    this.#slots.onTimeout(now);
    this.#rekeyPolicy.onTimeout(now);
    this.#keepalive.onTimeout(now);
    const error = this.#keepalive.takeTimeout();
    if (error !== undefined) this.#events.push({ kind: 'ping-timeout', error });
    this.#occ?.onTimeout(now);
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
    return this.#keepalive.takePing() ? PING : this.#occ?.take();
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

  /** The IP packet in what proved authentic and new, and was `outerBytes` long. */
  #unpack(framed: Buffer, outerBytes: number, now: Millis): Buffer | Drop {
    this.#activity.receivedAt = now;
    if (outerBytes > this.#sizes.received) this.#sizes.received = outerBytes;
    const payload = this.#payloads === undefined ? framed : this.#payloads.unpack(framed, now);
    if (typeof payload === 'number') return payload;
    const message = inBandMessageOf(payload);
    if (message === InBandMessage.NONE) return trimInnerPacket(payload);
    if (message === InBandMessage.EXIT) this.#peerExit();
    if (message !== InBandMessage.OTHER_OCC || this.#occ === undefined) return Drop.NONE;
    return this.#occ.receive(payload, outerBytes, now);
  }

  #sealPayload(payload: Buffer, now: Millis): Buffer | Drop {
    const packed = this.#payloads === undefined ? payload : this.#payloads.pack(payload);
    return typeof packed === 'number' ? packed : this.#sealFramed(packed, now);
  }

  #sealFramed(framed: Buffer, now: Millis): Buffer | Drop {
    const key = this.#slots.forSealing(now);
    if (key === undefined || this.#failed) return Drop.UNKNOWN_KEY;
    const packet = key.codec.seal(framed);
    if (packet === undefined) {
      this.#failed = true;
      this.#events.push(exhausted(key.keyId));
      return Drop.UNKNOWN_KEY;
    }
    this.filling = key.codec.filling;
    if (this.filling !== undefined && !this.defers) throw new Error('expected a whole packet');
    this.#activity.sentAt = now;
    if (packet.length > this.#sizes.sent) this.#sizes.sent = packet.length;
    return packet;
  }

  #peerExit(): void {
    if (this.#peerExited) return;
    this.#peerExited = true;
    this.#events.push({ kind: 'peer-exit' });
  }
}

function packetOf(sealed: Buffer | Drop): Buffer | undefined {
  return typeof sealed === 'number' ? undefined : sealed;
}
