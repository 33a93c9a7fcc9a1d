import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { u32 } from '../core/bytes.ts';
import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { IpAddress } from './ip-address.ts';

/**
 * Numbers that belong to a tuple and that nobody else can guess: a keyed hash under a secret
 * that is drawn once and never leaves the process.
 */
export class TupleSecret {
  readonly #key: KeyObject;

  constructor(random: RandomSource) {
    this.#key = createSecretKey(random.bytes(SECRET_BYTES));
  }

  /** RFC 6528: a 4 µs clock plus a hash of the tuple. */
  initialSequence(
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
    now: Millis,
  ): number {
    const ticks = Math.floor(now * TICKS_PER_MS) % 0x1_0000_0000;
    return (this.#hash('isn', local, localPort, remote, remotePort) + ticks) >>> 0;
  }

  /** RFC 6056 §3.3.3: where the search for a local port begins. */
  portOffset(local: IpAddress, remote: IpAddress, remotePort: number): number {
    return this.#hash('port', local, 0, remote, remotePort);
  }

  #hash(
    label: string,
    local: IpAddress,
    localPort: number,
    remote: IpAddress,
    remotePort: number,
  ): number {
    const digest = createHmac('sha256', this.#key)
      .update(label)
      .update(local.bytes)
      .update(remote.bytes)
      .update(Uint16Array.of(localPort, remotePort))
      .digest();
    return u32(digest, 0);
  }
}

const SECRET_BYTES = 32;
const TICKS_PER_MS = 250;
