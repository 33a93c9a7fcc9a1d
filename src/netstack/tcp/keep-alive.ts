import type { Millis } from '../../core/machine.ts';
import type { KeepAliveOptions } from './tcp-options.ts';

const DEFAULT_IDLE_MS: Millis = 7_200_000;
const DEFAULT_INTERVAL_MS: Millis = 75_000;
const DEFAULT_COUNT = 9;

/** Asks a silent peer whether it still lives (RFC 9293 §3.8.4). Off at first. */
export class KeepAlive {
  enabled = false;
  lastHeardAt: Millis = 0;
  #idleMs = DEFAULT_IDLE_MS;
  #intervalMs = DEFAULT_INTERVAL_MS;
  #count = DEFAULT_COUNT;
  #unanswered = 0;

  configure(options: KeepAliveOptions): void {
    this.enabled = options.enabled;
    this.#idleMs = options.idleMs ?? this.#idleMs;
    this.#intervalMs = options.intervalMs ?? this.#intervalMs;
    this.#count = options.count ?? this.#count;
    this.#unanswered = 0;
  }

  /** A segment came. */
  heard(now: Millis): void {
    this.lastHeardAt = now;
    this.#unanswered = 0;
  }

  /** When the next probe is due. */
  get deadline(): Millis {
    return this.lastHeardAt + this.#idleMs + this.#unanswered * this.#intervalMs;
  }

  /** When to look again, at `now` or later. */
  next(now: Millis): Millis {
    return this.deadline > now ? this.deadline : now + this.#intervalMs;
  }

  /** A probe is due; false when too many were not answered. */
  probe(): boolean {
    this.#unanswered += 1;
    return this.#unanswered <= this.#count;
  }
}
