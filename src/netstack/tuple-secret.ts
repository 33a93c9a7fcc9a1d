import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { setU16, setU32, u32 } from '../core/bytes.ts';
import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { FlowKey } from './flow-key.ts';

/**
 * Numbers that belong to a tuple and that nobody else can guess: a keyed hash under a secret
 * that is drawn once and never leaves the process.
 */
export class TupleSecret {
  readonly #key: KeyObject;
  readonly #text = Buffer.alloc(TEXT_BYTES);

  constructor(random: RandomSource) {
    this.#key = createSecretKey(random.bytes(SECRET_BYTES));
  }

  /** RFC 6528: a 4 µs clock plus a hash of the tuple. */
  initialSequence(tuple: FlowKey, now: Millis): number {
    const ticks = Math.floor(now * TICKS_PER_MS) % 0x1_0000_0000;
    return (this.#hash(Purpose.SEQUENCE, tuple, tuple.localPort) + ticks) >>> 0;
  }

  /**
   * RFC 7323 §5.4: where the timestamps of a tuple begin. They hide how long we run, and still rise
   * from one connection of the tuple to the next, by which a peer knows a new one (RFC 6191).
   */
  timestampOffset(tuple: FlowKey): number {
    return this.#hash(Purpose.TIMESTAMP, tuple, tuple.localPort);
  }

  /** RFC 6056 §3.3.3: where the search for a local port begins; `localPort` does not matter. */
  portOffset(tuple: FlowKey): number {
    return this.#hash(Purpose.PORT, tuple, 0);
  }

  #hash(purpose: Purpose, tuple: FlowKey, localPort: number): number {
    const text = this.#text;
    text[0] = purpose;
    setU32(text, 1, tuple.local0);
    setU32(text, 5, tuple.local1);
    setU32(text, 9, tuple.local2);
    setU32(text, 13, tuple.local3);
    setU32(text, 17, tuple.remote0);
    setU32(text, 21, tuple.remote1);
    setU32(text, 25, tuple.remote2);
    setU32(text, 29, tuple.remote3);
    setU16(text, 33, localPort);
    setU16(text, 35, tuple.remotePort);
    return u32(createHmac('sha256', this.#key).update(text).digest(), 0);
  }
}

/** So that one number tells nothing of another. */
const Purpose = { SEQUENCE: 0, TIMESTAMP: 1, PORT: 2 } as const;
type Purpose = (typeof Purpose)[keyof typeof Purpose];

const TEXT_BYTES = 37;
const SECRET_BYTES = 32;
const TICKS_PER_MS = 250;
