import type { Millis } from '../core/machine.ts';
import type { DnsOutcome } from './dns-query.ts';
import type { DnsType } from './dns-record.ts';

/** Most names and types that are kept; the one used longest ago makes room. */
export const MAX_CACHED_NAMES = 1000;
/** Bounds of what a server may ask for. Unit: seconds. */
export const MIN_TTL_SECONDS = 1;
export const MAX_TTL_SECONDS = 3600;

/** Answers that may be kept: records, and that there are none. */
export type CachedOutcome = Exclude<DnsOutcome, { kind: 'failed' }>;

interface Entry {
  readonly outcome: CachedOutcome;
  readonly expiresAt: Millis;
}

/** Keeps answers for as long as their records allow. A Map is in order of insertion: oldest first. */
export class DnsCache {
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  get(name: string, type: DnsType, now: Millis): CachedOutcome | undefined {
    const key = cacheKey(name, type);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAt <= now) return undefined;
    this.#entries.set(key, entry);
    return entry.outcome;
  }

  /** Keeps `outcome`, unless nothing says for how long. */
  put(name: string, type: DnsType, outcome: CachedOutcome, now: Millis): void {
    const ttl =
      outcome.kind === 'answer'
        ? Math.min(...outcome.records.map((record) => record.ttl))
        : outcome.ttl;
    if (ttl === undefined) return;
    const kept = Math.min(Math.max(ttl, MIN_TTL_SECONDS), MAX_TTL_SECONDS);
    const key = cacheKey(name, type);
    this.#entries.delete(key);
    this.#entries.set(key, { outcome, expiresAt: now + kept * 1000 });
    if (this.#entries.size <= MAX_CACHED_NAMES) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  clear(): void {
    this.#entries.clear();
  }
}

function cacheKey(name: string, type: DnsType): string {
  return `${type} ${name}`;
}
