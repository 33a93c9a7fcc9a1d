import type { Millis } from '../../core/machine.ts';
import { serialLess } from '../../core/serial.ts';
import type { Delivery } from './delivery.ts';
import type { Flight } from './flight.ts';
import { MinRtt } from './min-rtt.ts';

/** SACKed segments that mean loss at once, while nothing was ever reordered (RFC 5681 §3.2). */
export const DUPLICATE_THRESHOLD = 3;
/** Recoveries after which a reordering window that D-SACKs widened is narrow again. */
const PERSISTENCE = 16;
/** The reordering window grows by this part of the shortest round trip. */
const WINDOW_PARTS = 4;
const NEVER: Millis = Number.POSITIVE_INFINITY;

/**
 * Finds loss by time (RFC 8985 §6): a segment is lost when one that was sent later has arrived,
 * and it has not within the reordering window.
 *
 *     sent   A ─ B ─ C ─ D          arrived: C
 *            └───┴── lost after C's round trip and the window;  D may still come
 */
export class Rack {
  readonly minRtt: MinRtt = new MinRtt();
  /** Of what has arrived, the segment that was sent last; its round trip. */
  #sentAt: Millis = -1;
  #end = 0;
  #roundTrip: Millis = 0;
  /** The highest sequence number that has arrived. */
  #furthest: number;
  #reordered = false;
  #multiplier = 1;
  #recoveriesLeft = 0;
  /** A D-SACK widened the window since: the next to do so comes for what is sent later. */
  #widened = false;
  #widenedUntil = 0;

  /** @param sequence the initial sequence number */
  constructor(sequence: number) {
    this.#furthest = sequence;
  }

  /** Whether segments have overtaken each other. */
  get reordered(): boolean {
    return this.#reordered;
  }

  /** Steps 1 to 3 of §6.2. */
  onDelivery(delivery: Delivery, sndUna: number, now: Millis): void {
    if (this.#widened && !serialLess(sndUna, this.#widenedUntil)) this.#widened = false;
    const { newestSentAt, newestEnd } = delivery;
    const overtaken = delivery.anyOnce && serialLess(delivery.lowestOnceEnd, this.#furthest);
    if (overtaken) this.#reordered = true;
    if (delivery.any && serialLess(this.#furthest, delivery.highestEnd)) {
      this.#furthest = delivery.highestEnd;
    }
    if (newestSentAt < 0) return;
    this.minRtt.sample(now - newestSentAt, now);
    const sameTime = newestSentAt === this.#sentAt && serialLess(this.#end, newestEnd);
    if (newestSentAt < this.#sentAt || (newestSentAt === this.#sentAt && !sameTime)) return;
    this.#sentAt = newestSentAt;
    this.#end = newestEnd;
    this.#roundTrip = now - newestSentAt;
  }

  /** The peer got twice what we sent twice: it was only late (§6.2 step 4). */
  onDuplicate(sndNxt: number): void {
    this.#reordered = true;
    this.#recoveriesLeft = PERSISTENCE;
    if (this.#widened) return;
    this.#widened = true;
    this.#widenedUntil = sndNxt;
    this.#multiplier += 1;
  }

  /**
   * A recovery was undone: what was held for lost had been overtaken, and what seemed to have
   * arrived after it was sent again may have been the original.
   */
  onSpurious(): void {
    this.#reordered = true;
    this.#sentAt = -1;
  }

  /** What the peer reported is forgotten: whoever arrives again has overtaken nobody. */
  onTimeout(sndUna: number): void {
    this.#furthest = sndUna;
  }

  onRecovered(): void {
    this.#recoveriesLeft = Math.max(this.#recoveriesLeft - 1, 0);
    if (this.#recoveriesLeft === 0) this.#multiplier = 1;
  }

  /** How long a segment may be overtaken. */
  windowMs(flight: Flight, recovering: boolean, smoothedMs: Millis): Millis {
    const certain = recovering || flight.sackedSegments >= DUPLICATE_THRESHOLD;
    if (!this.#reordered && certain) return 0;
    return Math.min((this.#multiplier * this.minRtt.valueMs) / WINDOW_PARTS, smoothedMs);
  }

  /** How long ago a segment must have been sent to be lost. */
  allowanceMs(windowMs: Millis): Millis {
    return this.#roundTrip + windowMs;
  }

  /** Step 5: marks what is lost; returns when to look again. */
  markLost(flight: Flight, windowMs: Millis, now: Millis): Millis {
    if (this.#sentAt < 0) return NEVER;
    return flight.markOvertaken(this.#sentAt, this.#end, this.#roundTrip + windowMs, now);
  }
}
