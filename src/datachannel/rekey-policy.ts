import type { Millis } from '../core/machine.ts';
import type { DataKey } from './data-key.ts';
import { KEY_LIMITS, type KeyLimits } from './key-limits.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

export interface RekeyPolicyOptions {
  /** After a key became active. 0 is off. */
  readonly renegSecMs: Millis;
  /** Outer bytes, both ways. 0 is off. */
  readonly renegBytes: number;
  /** Packets, both ways. 0 is off. */
  readonly renegPackets: number;
}

/**
 * Says once for every key that it should be replaced, and why. Watches the newest key only: an
 * older one has its successor already.
 */
export class RekeyPolicy {
  readonly #options: RekeyPolicyOptions;
  readonly #limits: KeyLimits;
  #watched: DataKey | undefined;
  #dueAt: Millis = NEVER;
  #reason: string | undefined;

  constructor(options: RekeyPolicyOptions, limits: KeyLimits = KEY_LIMITS) {
    this.#options = options;
    this.#limits = limits;
  }

  /** `key` is the newest from now on. */
  watch(key: DataKey, now: Millis): void {
    this.#watched = key;
    this.#reason = undefined;
    this.#dueAt = this.#options.renegSecMs === 0 ? NEVER : now + this.#options.renegSecMs;
  }

  /** Looks at what the key has been used for; once a batch is enough. */
  observe(): void {
    if (this.#watched === undefined) return;
    const reason = this.#usedUp(this.#watched);
    if (reason !== undefined) this.#fire(reason);
  }

  nextTimeout(): Millis {
    return this.#dueAt;
  }

  onTimeout(now: Millis): void {
    if (this.#dueAt <= now) this.#fire('reneg-sec');
  }

  /** Why the newest key should be replaced; each reason is given once. */
  takeReason(): string | undefined {
    const reason = this.#reason;
    this.#reason = undefined;
    return reason;
  }

  #fire(reason: string): void {
    this.#reason = reason;
    this.#watched = undefined;
    this.#dueAt = NEVER;
  }

  #usedUp({ codec, cipherName }: DataKey): string | undefined {
    const { renegBytes, renegPackets } = this.#options;
    const { usage } = codec;
    if (codec.lastPacketId >= this.#limits.packetId) return 'packet-id';
    if (codec.epoch >= this.#limits.epoch) return 'epoch';
    if (renegBytes > 0 && usage.sealedBytes + usage.openedBytes >= renegBytes) return 'reneg-bytes';
    if (renegPackets > 0 && usage.sealedPackets + usage.openedPackets >= renegPackets) {
      return 'reneg-pkts';
    }
    if (usage.failedOpens >= this.#limits.failedOpens) return 'failed-decrypts';
    // With epochs the key itself is replaced at that limit.
    if (codec.epoch > 0 || !cipherName.endsWith('-GCM')) return undefined;
    const sealed = usage.sealedPackets + usage.sealedBlocks;
    const opened = usage.openedPackets + usage.openedBlocks;
    return Math.max(sealed, opened) >= this.#limits.gcmUsage ? 'aead-usage' : undefined;
  }
}
