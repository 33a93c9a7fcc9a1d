import type { Cancel, Clock } from '../../src/core/clock.ts';
import type { Millis } from '../../src/core/machine.ts';

interface Entry {
  readonly at: Millis;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * A clock that stands still until it is told to move. Immediates run first, then the earliest
 * timer, whose time becomes now.
 */
export class VirtualClock implements Clock {
  #now: Millis = 0;
  readonly #timers: Entry[] = [];
  #immediates: Entry[] = [];

  now(): Millis {
    return this.#now;
  }

  unixSeconds(): number {
    return 1_800_000_000 + Math.floor(this.#now / 1000);
  }

  setTimer(at: Millis, callback: () => void): Cancel {
    const entry = this.#entry(Math.max(at, this.#now), callback);
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1]?.at ?? 0) > entry.at) index -= 1;
    this.#timers.splice(index, 0, entry);
    return () => {
      entry.cancelled = true;
    };
  }

  setImmediate(callback: () => void): Cancel {
    const entry = this.#entry(this.#now, callback);
    this.#immediates.push(entry);
    return () => {
      entry.cancelled = true;
    };
  }

  /** Whether something waits for the present moment. */
  get busy(): boolean {
    return this.#immediates.some((entry) => !entry.cancelled);
  }

  /** Time of the earliest timer; `Infinity` for none. */
  get nextAt(): Millis {
    while (this.#timers[0]?.cancelled) this.#timers.shift();
    return this.#timers[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Runs immediates, and those they set, until none is left. */
  settle(): void {
    while (this.#immediates.length > 0) {
      const due = this.#immediates;
      this.#immediates = [];
      for (const entry of due) if (!entry.cancelled) entry.callback();
    }
  }

  /** Moves to the earliest timer and fires all that are due then; false when there is none. */
  step(): boolean {
    this.settle();
    const at = this.nextAt;
    if (at === Number.POSITIVE_INFINITY) return false;
    this.#now = at;
    while (this.nextAt <= at) {
      const entry = this.#timers.shift();
      if (entry !== undefined && !entry.cancelled) entry.callback();
    }
    this.settle();
    return true;
  }

  /** Runs everything that happens in the next `duration` and ends exactly there. */
  advance(duration: Millis): void {
    const end = this.#now + duration;
    this.settle();
    while (this.nextAt <= end) this.step();
    this.#now = end;
  }

  #entry(at: Millis, callback: () => void): Entry {
    return { at, callback, cancelled: false };
  }
}
