import type { Millis } from '../core/machine.ts';
import { MAX_KEY_ID } from '../model/ids.ts';
import type { DataKey } from './data-key.ts';

const NEVER: Millis = Number.POSITIVE_INFINITY;

export interface KeySlotsOptions {
  readonly handWindowMs: Millis;
  readonly tranWindowMs: Millis;
  /** 0 is off. */
  readonly renegSecMs: Millis;
}

/**
 * The keys in use: the newest and the one before it (the lame duck), found by key id.
 *
 *     install k1          install k2                k1 expires
 *     ├── seals: k1 ──────┼─ k1 until k2 is mature ─┬─ k2 ────────────▶
 *     └── opens: k1 ──────┴─ k1 and k2 ─────────────┴─ k2 ────────────▶
 *
 * The switch waits because the peer may not have derived the new key yet.
 */
export class KeySlots {
  readonly #maturityMs: Millis;
  readonly #tranWindowMs: Millis;
  readonly #byId: (DataKey | undefined)[] = new Array<undefined>(MAX_KEY_ID + 1).fill(undefined);
  #newest: DataKey | undefined;
  #lameDuck: DataKey | undefined;

  constructor({ handWindowMs, tranWindowMs, renegSecMs }: KeySlotsOptions) {
    this.#maturityMs = renegSecMs === 0 ? handWindowMs : Math.min(handWindowMs, renegSecMs / 2);
    this.#tranWindowMs = tranWindowMs;
  }

  get newest(): DataKey | undefined {
    return this.#newest;
  }

  /** How many keys are held: 0 to 2. */
  get size(): number {
    return (this.#newest === undefined ? 0 : 1) + (this.#lameDuck === undefined ? 0 : 1);
  }

  /** Makes `key` the newest; the one before it ages, the one before that is forgotten. */
  install(key: DataKey): void {
    if (this.#lameDuck !== undefined) this.#byId[this.#lameDuck.keyId] = undefined;
    this.#lameDuck = this.#newest?.keyId === key.keyId ? undefined : this.#newest;
    if (this.#lameDuck !== undefined) {
      this.#lameDuck.expiresAt = key.startedAt + this.#tranWindowMs;
    }
    this.#newest = key;
    this.#byId[key.keyId] = key;
  }

  /** The key that opens packets with this key id. */
  byId(keyId: number, now: Millis): DataKey | undefined {
    const key = this.#byId[keyId];
    return key === undefined || key.expiresAt <= now ? undefined : key;
  }

  /** The key that seals: the newest if mature, else the older one if that is, else the newest. */
  forSealing(now: Millis): DataKey | undefined {
    const newest = this.#newest;
    const older = this.#lameDuck;
    if (newest === undefined || older === undefined || this.#mature(newest, now)) return newest;
    const olderServes = this.#mature(older, now) && older.expiresAt > now && !older.codec.exhausted;
    return olderServes ? older : newest;
  }

  nextTimeout(): Millis {
    return this.#lameDuck?.expiresAt ?? NEVER;
  }

  onTimeout(now: Millis): void {
    const lameDuck = this.#lameDuck;
    if (lameDuck === undefined || lameDuck.expiresAt > now) return;
    this.#byId[lameDuck.keyId] = undefined;
    this.#lameDuck = undefined;
  }

  /** Forgets all keys. */
  clear(): void {
    this.#byId.fill(undefined);
    this.#newest = undefined;
    this.#lameDuck = undefined;
  }

  #mature(key: DataKey, now: Millis): boolean {
    return now - key.startedAt >= this.#maturityMs;
  }
}
