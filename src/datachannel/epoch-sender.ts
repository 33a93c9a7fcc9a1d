import type { Sealer } from './cipher-provider.ts';
import { blocksOf } from './data-codec.ts';
import { type EpochKey, type EpochKeys, FIRST_EPOCH, LAST_EPOCH } from './epoch-keys.ts';

/** Where one epoch ends. */
export interface EpochLimits {
  /** Packets and 16-byte blocks of one direction; `Infinity` where the cipher has no such limit. */
  readonly usage: number;
  /** The last counter, at most 2⁴⁸ − 1. */
  readonly lastCounter: number;
}

/** The sending side of an epoch key: which key is used, and what for. A counter never returns. */
export class EpochSender {
  readonly #keys: EpochKeys<Sealer>;
  readonly #limits: EpochLimits;
  #key: EpochKey<Sealer>;
  #counter = 0;
  #usage = 0;

  constructor(keys: EpochKeys<Sealer>, limits: EpochLimits) {
    this.#keys = keys;
    this.#limits = limits;
    this.#key = keys.keyOf(FIRST_EPOCH);
  }

  /** What the next packet is sealed with. */
  get key(): EpochKey<Sealer> {
    return this.#key;
  }

  get epoch(): number {
    return this.#key.epoch;
  }

  /** Whether the last counter of the last epoch is used up. */
  get exhausted(): boolean {
    return this.#counter >= this.#limits.lastCounter && this.#key.epoch >= LAST_EPOCH;
  }

  /** The packets and blocks that this epoch may still be used for are up. */
  get isDue(): boolean {
    return this.#usage >= this.#limits.usage || this.#counter >= this.#limits.lastCounter;
  }

  /** A fresh counter of the present epoch, for a packet of so many bytes; 0: none is left. */
  count(textBytes: number): number {
    if (this.#counter >= this.#limits.lastCounter) return 0;
    this.#counter += 1;
    this.#usage += 1 + blocksOf(textBytes);
    return this.#counter;
  }

  /** Goes on with a later epoch, at most the last; an earlier one changes nothing. */
  moveTo(epoch: number): void {
    if (epoch <= this.#key.epoch || epoch > LAST_EPOCH) return;
    this.#key = this.#keys.keyOf(epoch);
    this.#counter = 0;
    this.#usage = 0;
  }
}
