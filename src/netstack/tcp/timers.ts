import type { Millis } from '../../core/machine.ts';

/** Deadlines of a connection. */
export const Timer = {
  /** the oldest segment in flight is held for lost */
  RETRANSMIT: 0,
  /** the peer's window is asked for again */
  PERSIST: 1,
  /** an acknowledgement has waited long enough for company */
  DELAYED_ACK: 2,
  /** the peer has been silent for long */
  KEEPALIVE: 3,
  /** nothing was acknowledged for too long */
  USER: 4,
  /** TIME-WAIT, or FIN-WAIT-2 of a closed socket, is over */
  WAIT: 5,
  /** the tail of the flight is probed for loss (RFC 8985 §7) */
  LOSS_PROBE: 6,
  /** what is out of order by more than the reordering window is lost (RFC 8985 §6) */
  REORDER: 7,
  /** the rate of the window lets more go */
  PACE: 8,
} as const;
export type Timer = (typeof Timer)[keyof typeof Timer];

const COUNT = 9;
const NEVER: Millis = Number.POSITIVE_INFINITY;

/** The table of deadlines. */
export class Timers {
  readonly #deadlines = new Float64Array(COUNT).fill(NEVER);

  set(timer: Timer, at: Millis): void {
    this.#deadlines[timer] = at;
  }

  clear(timer: Timer): void {
    this.#deadlines[timer] = NEVER;
  }

  clearAll(): void {
    this.#deadlines.fill(NEVER);
  }

  /** `Infinity` where it is not set. */
  at(timer: Timer): Millis {
    return this.#deadlines[timer] ?? NEVER;
  }

  isSet(timer: Timer): boolean {
    return this.#deadlines[timer] !== NEVER;
  }

  /** The earliest deadline. */
  next(): Millis {
    let earliest = NEVER;
    for (let timer = 0; timer < COUNT; timer += 1) {
      const at = this.#deadlines[timer] ?? NEVER;
      if (at < earliest) earliest = at;
    }
    return earliest;
  }

  /** Whether the deadline has passed; it is cleared then. */
  take(timer: Timer, now: Millis): boolean {
    if ((this.#deadlines[timer] ?? NEVER) > now) return false;
    this.#deadlines[timer] = NEVER;
    return true;
  }
}
