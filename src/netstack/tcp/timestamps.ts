import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialDiff, serialLess } from '../../core/serial.ts';

/** A timestamp older than this says nothing any more (RFC 7323 §5.5): 24 days. */
const OUTDATED_AFTER_MS: Millis = 24 * 24 * 60 * 60 * 1000;

/** RFC 7323 timestamps of one connection: our clock of 1 ms, and the peer's last one. */
export class Timestamps {
  readonly #offset: number;
  /** Whether both sides use them. */
  agreed = false;
  /** The peer's timestamp that we echo. */
  recent = 0;
  #recentAt: Millis = 0;

  /** @param offset random number that hides how long we run */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** What we write at `now`. */
  value(now: Millis): number {
    return serialAdd(this.#offset, Math.floor(now));
  }

  /** How long ago we wrote what the peer echoes; negative for what we never wrote. */
  roundTrip(echo: number, now: Millis): Millis {
    return serialDiff(this.value(now), echo);
  }

  /** PAWS: whether a segment with `value` belongs to an earlier turn of the sequence numbers. */
  isOld(value: number, now: Millis): boolean {
    return serialLess(value, this.recent) && now - this.#recentAt < OUTDATED_AFTER_MS;
  }

  /** `value` came in the segment that our next acknowledgement answers. */
  keep(value: number, now: Millis): void {
    this.recent = value;
    this.#recentAt = now;
  }
}
