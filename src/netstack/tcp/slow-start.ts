import { serialLess } from '../../core/serial.ts';
import type { AckRound } from './congestion.ts';
import { HyStart } from './hystart.ts';

/** Segments by which one acknowledgement may open the window, as where nothing is paced (RFC 9406 §4.3). */
export const SLOW_START_LIMIT = 8;

/** While a timeout is repaired (RFC 3465 §2.3). */
const REPAIR_LIMIT = 1;

const NOT_REPAIRING = -1;
const REPAIR_BEGINS = -2;

/**
 * By how much an acknowledgement opens the window below `ssthresh`. The first slow start is
 * HyStart++'s; later ones count bytes (RFC 3465). What was sent before a timeout may have arrived
 * before it, so that one acknowledgement tells of much that left the network long ago: until all
 * of it is acknowledged, each counts for one segment.
 */
export class SlowStart {
  readonly #hystart = new HyStart();
  /** All before this was sent when the timer fired, or one of the two constants above. */
  #repairEnd: number = NOT_REPAIRING;

  /** Whether the first slow start has found the capacity of the path without a loss. */
  get finished(): boolean {
    return this.#hystart.finished;
  }

  /** What {@link restore} takes. */
  get mark(): number {
    return this.#repairEnd;
  }

  /** Before the first loss: bytes by which the window opens. */
  first(bytes: number, round: AckRound, mss: number): number {
    return this.#hystart.growth(bytes, round, mss, SLOW_START_LIMIT * mss);
  }

  /** After it. */
  later(bytes: number, round: AckRound, mss: number): number {
    return Math.min(bytes, (this.#repairs(round) ? REPAIR_LIMIT : SLOW_START_LIMIT) * mss);
  }

  onTimeout(): void {
    this.#repairEnd = REPAIR_BEGINS;
  }

  /** The timeout was none: as it was when `mark` was read. */
  restore(mark: number): void {
    this.#repairEnd = mark;
  }

  #repairs(round: AckRound): boolean {
    if (this.#repairEnd === NOT_REPAIRING) return false;
    if (this.#repairEnd === REPAIR_BEGINS) this.#repairEnd = round.sndNxt;
    if (serialLess(this.#repairEnd, round.sndUna)) this.#repairEnd = NOT_REPAIRING;
    return this.#repairEnd !== NOT_REPAIRING;
  }
}
