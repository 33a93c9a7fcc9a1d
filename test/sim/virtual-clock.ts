import type { Cancel, Clock } from '../../src/core/clock.ts';
import type { Millis } from '../../src/core/machine.ts';

interface Entry {
  readonly at: Millis;
  /** Of two timers of one moment, the one that was set first fires first. */
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * A clock that stands still until it is told to move. Immediates run first, then the earliest
 * timer, whose time becomes now.
 */
export class VirtualClock implements Clock {
  #now: Millis = 0;
  /** A binary heap, earliest first. */
  readonly #timers: Entry[] = [];
  #orders = 0;
  #immediates: Entry[] = [];

  now(): Millis {
    return this.#now;
  }

  unixSeconds(): number {
    return 1_800_000_000 + Math.floor(this.#now / 1000);
  }

  setTimer(at: Millis, callback: () => void): Cancel {
    const entry = this.#entry(Math.max(at, this.#now), callback);
    this.#push(entry);
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
    while (this.#timers[0]?.cancelled) this.#pop();
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
      const entry = this.#pop();
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
    this.#orders += 1;
    return { at, order: this.#orders, callback, cancelled: false };
  }

  #push(entry: Entry): void {
    const heap = this.#timers;
    let index = heap.length;
    while (index > 0) {
      const above = (index - 1) >>> 1;
      const parent = heap[above];
      if (parent === undefined || !isBefore(entry, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#timers;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        below += 1;
        child = right;
      }
      if (child === undefined || !isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
