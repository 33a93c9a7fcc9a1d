import type { Clock } from '../../src/core/clock.ts';
import { SeededRandom } from './seeded-random.ts';

/** What happens to items on their way. Everything is off by default. */
export interface LossyLinkOptions<T> {
  readonly delayMs?: number;
  /** Up to this much is added to the delay; order is kept. */
  readonly jitterMs?: number;
  readonly lossPercent?: number;
  /** Items that are held back by another delay and jitter (at least 1 ms), so that later ones overtake. */
  readonly reorderPercent?: number;
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

/** One direction of a bad line, repeatable by its seed. */
export class LossyLink<T> {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #options: LossyLinkOptions<T>;
  readonly #deliver: (item: T) => void;
  #lastArrival = 0;
  #busyUntil = 0;
  sent = 0;
  lost = 0;

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
    const { lossPercent = 0, duplicatePercent = 0, corruptPercent = 0, corrupt } = this.#options;
    this.sent += 1;
    const departure = this.#departure(item);
    if (departure === undefined || this.#random.chance(lossPercent)) {
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

  #schedule(item: T, departure: number): void {
    const { delayMs = 0, jitterMs = 0, reorderPercent = 0 } = this.#options;
    const way = delayMs + this.#random.fraction() * jitterMs;
    let arrival = Math.max(departure + way, this.#lastArrival);
    if (this.#random.chance(reorderPercent)) {
      arrival += Math.max(1, this.#random.fraction() * (delayMs + jitterMs));
    } else {
      this.#lastArrival = arrival;
    }
    this.#clock.setTimer(arrival, () => this.#deliver(item));
  }
}
