import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import { setU32 } from '../core/bytes.ts';
import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import { SESSION_ID_BYTES, type SessionId, sessionIdOf } from '../model/ids.ts';

const SECRET_BYTES = 32;

/** How many time slots before the present one still count. */
const OLD_SLOTS = 2;

/**
 * Session ids that a server can recognise without having kept them: a keyed hash over the client's
 * address, its session id and the time slot. The secret lives as long as the listener.
 */
export class ResetCookie {
  readonly #secret: KeyObject;
  readonly #slotMs: number;

  /** @param slotMs how long a slot lasts; a cookie counts for two to three of them */
  constructor(random: RandomSource, slotMs: number) {
    this.#secret = createSecretKey(random.bytes(SECRET_BYTES));
    this.#slotMs = slotMs;
  }

  /** The cookie for a client that asks now. */
  issue(remote: string, clientSessionId: SessionId, now: Millis): SessionId {
    return this.#cookie(remote, clientSessionId, this.#slot(now));
  }

  /** Whether `cookie` was issued to this client, in this slot or one of the two before. */
  verify(cookie: SessionId, remote: string, clientSessionId: SessionId, now: Millis): boolean {
    const slot = this.#slot(now);
    let known = false;
    for (let age = 0; age <= OLD_SLOTS; age += 1) {
      const expected = this.#cookie(remote, clientSessionId, slot - age);
      known = timingSafeEqual(expected, cookie) || known;
    }
    return known;
  }

  #slot(now: Millis): number {
    return Math.floor(now / this.#slotMs);
  }

  #cookie(remote: string, clientSessionId: SessionId, slot: number): SessionId {
    const slotBytes = Buffer.alloc(4);
    setU32(slotBytes, 0, slot);
    const hash = createHmac('sha256', this.#secret)
      .update(slotBytes)
      .update(clientSessionId)
      .update(remote)
      .digest();
    return sessionIdOf(hash.subarray(0, SESSION_ID_BYTES));
  }
}
