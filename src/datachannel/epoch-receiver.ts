import type { Millis } from '../core/machine.ts';
import type { Opener } from './cipher-provider.ts';
import { blocksOf } from './data-codec.ts';
import { type EpochKey, type EpochKeys, FIRST_EPOCH, LAST_EPOCH } from './epoch-keys.ts';
import { ReplayWindow } from './replay-window.ts';

/** How far beyond the present epoch keys are held ready. */
export const FUTURE_EPOCHS = 4;

/** One epoch of received packets. */
export class ReceiveEpoch {
  readonly key: EpochKey<Opener>;
  /** Packets whose tag was not the key's. */
  failedOpens = 0;
  /** Packets and 16-byte blocks. */
  usage = 0;
  #replayWindow: ReplayWindow | undefined;

  constructor(key: EpochKey<Opener>) {
    this.key = key;
  }

  /** Takes an authentic packet's counter as seen, or refuses it. */
  accept(counter: number, now: Millis, window: ReplayWindowSize): boolean {
    this.#replayWindow ??= new ReplayWindow(window);
    return this.#replayWindow.accept(counter, now);
  }

  count(textBytes: number): void {
    this.usage += 1 + blocksOf(textBytes);
  }
}

interface ReplayWindowSize {
  readonly packets: number;
  readonly ms: Millis;
}

/**
 * The receiving side of an epoch key.
 *
 *     epoch    … │ retiring │ skipped … │ current │ +1  +2  +3  +4 │ …
 *     packet   no  opens      no          opens     opens, and moves  no
 */
export class EpochReceiver {
  readonly #keys: EpochKeys<Opener>;
  #retiring: ReceiveEpoch | undefined;
  #current: ReceiveEpoch;
  /** The epochs behind the current one, in order and without a gap. */
  #future: ReceiveEpoch[] = [];

  constructor(keys: EpochKeys<Opener>) {
    this.#keys = keys;
    this.#current = new ReceiveEpoch(keys.keyOf(FIRST_EPOCH));
    this.#fill();
  }

  get current(): ReceiveEpoch {
    return this.#current;
  }

  /** The epoch that opens packets of this number. Changes nothing. */
  find(epoch: number): ReceiveEpoch | undefined {
    const ahead = epoch - this.#current.key.epoch;
    if (ahead === 0) return this.#current;
    if (ahead > 0) return this.#future[ahead - 1];
    return this.#retiring?.key.epoch === epoch ? this.#retiring : undefined;
  }

  /** Makes one that `find` gave, and under which a packet proved authentic, the current one. */
  moveTo(next: ReceiveEpoch): void {
    const ahead = next.key.epoch - this.#current.key.epoch;
    if (ahead <= 0) return;
    this.#retiring = this.#current;
    this.#current = next;
    this.#future = this.#future.slice(ahead);
    this.#fill();
  }

  #fill(): void {
    const current = this.#current.key.epoch;
    const last = Math.min(current + FUTURE_EPOCHS, LAST_EPOCH);
    for (let epoch = current + this.#future.length + 1; epoch <= last; epoch += 1) {
      this.#future.push(new ReceiveEpoch(this.#keys.keyOf(epoch)));
    }
  }
}
