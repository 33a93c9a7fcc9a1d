import type { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from './seeded-random.ts';

/** What happens to items on their way. Everything is off by default. */
export interface LossyLinkOptions<T> {
  readonly delayMs?: number;
  /** Up to this much is added to the delay; order is kept. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  /** Loss in bursts, beside the other kind. */
  readonly burst?: BurstLoss;
  /** Loses exactly the items for which it is true: asked once for each, in the order of sending. */
  readonly lose?: (item: T) => boolean;
  /** Items that are held back, so that later ones overtake. */
  readonly reorderPercent?: number;
  /** They are held back by less than this. Default: another delay and jitter (at least 1 ms). */
  readonly reorderMs?: number;
  /** Items that arrive twice. */
  readonly duplicatePercent?: number;
  /** Items that `corrupt` changes. */
  readonly corruptPercent?: number;
  /** Gives a changed copy of `item`. */
  readonly corrupt?: (item: T, random: SeededRandom) => T;
  /** A bottleneck with a queue in front that drops what does not fit. */
  readonly rate?: {
    readonly bytesPerMs: number;
    readonly queueBytes: number;
    readonly sizeOf: (item: T) => number;
  };
}

/**
 * The line has a good and a bad state (Gilbert and Elliott's model) and may change between them
 * before each item. A burst is 100 / `endPercent` items long on average.
 */
export interface BurstLoss {
  /** How likely a good line becomes bad. */
  readonly beginPercent: number;
  /** How likely a bad line becomes good. */
  readonly endPercent: number;
  /** Loss while it is bad. Default: 100. */
  readonly lossPercent?: number;
}

/** One direction of a bad line, repeatable by its seed. */
export class LossyLink<T> {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #options: LossyLinkOptions<T>;
  readonly #deliver: (item: T) => void;
  #lastArrival = 0;
  #busyUntil = 0;
  #bad = false;
  sent = 0;
  lost = 0;
  /** Items that were held back. */
  reordered = 0;

  constructor(
    clock: Clock,
    seed: number,
    options: LossyLinkOptions<T>,
    deliver: (item: T) => void,
  ) {
    this.#clock = clock;
    this.#random = new SeededRandom(seed);
    this.#options = options;
    this.#deliver = deliver;
  }

  send(item: T): void {
    const { duplicatePercent = 0, corruptPercent = 0, corrupt } = this.#options;
    this.sent += 1;
    const departure = this.#departure(item);
    if (departure === undefined || this.#loses(item)) {
      this.lost += 1;
      return;
    }
    const damaged = corrupt !== undefined && this.#random.chance(corruptPercent);
    const received = damaged ? corrupt(item, this.#random) : item;
    this.#schedule(received, departure);
    if (this.#random.chance(duplicatePercent)) this.#schedule(received, departure);
  }

  /** When the item leaves the bottleneck; undefined when its queue is full. */
  #departure(item: T): number | undefined {
    const now = this.#clock.now();
    const { rate } = this.#options;
    if (rate === undefined) return now;
    const start = Math.max(now, this.#busyUntil);
    if ((start - now) * rate.bytesPerMs + rate.sizeOf(item) > rate.queueBytes) return undefined;
    this.#busyUntil = start + rate.sizeOf(item) / rate.bytesPerMs;
    return this.#busyUntil;
  }

  #loses(item: T): boolean {
    const { lossPercent = 0, burst, lose } = this.#options;
    const inBurst = burst !== undefined && this.#losesInBurst(burst);
    const chosen = lose?.(item) ?? false;
    return this.#random.chance(lossPercent) || inBurst || chosen;
  }

  #losesInBurst({ beginPercent, endPercent, lossPercent = 100 }: BurstLoss): boolean {
    const changes = this.#random.chance(this.#bad ? endPercent : beginPercent);
    if (changes) this.#bad = !this.#bad;
    return this.#bad && this.#random.chance(lossPercent);
  }

  #schedule(item: T, departure: number): void {
    const { delayMs = 0, jitterMs = 0, reorderPercent = 0 } = this.#options;
    const way = delayMs + this.#random.fraction() * jitterMs;
    let arrival = Math.max(departure + way, this.#lastArrival);
    if (this.#random.chance(reorderPercent)) {
      arrival += this.#holdMs();
      this.reordered += 1;
    } else {
      this.#lastArrival = arrival;
    }
    this.#clock.setTimer(arrival, () => this.#deliver(item));
  }

  #holdMs(): number {
    const { delayMs = 0, jitterMs = 0, reorderMs } = this.#options;
    const fraction = this.#random.fraction();
    return reorderMs === undefined
      ? Math.max(1, fraction * (delayMs + jitterMs))
      : fraction * reorderMs;
  }
}
