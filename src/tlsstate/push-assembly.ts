import { OvpnProtocolError } from '../core/errors.ts';
import type { Millis } from '../core/machine.ts';

/** Most that one set of pushed options may hold, over all its parts. Unit: bytes. */
export const MAX_PUSH_BYTES = 65_536;
export const MAX_PUSH_OPTIONS = 1024;
export const MAX_PUSH_PARTS = 64;
/** From the first part to the last. Unit: milliseconds. */
export const MAX_PUSH_MS = 30_000;

/**
 * Joins the parts of a PUSH_REPLY or a PUSH_UPDATE: each but the last ends with `push-continuation 2`, the last one
 * of several with `push-continuation 1`, a single one with neither. What it keeps is bounded.
 */
export class PushAssembly {
  readonly #name: 'PUSH_REPLY' | 'PUSH_UPDATE';
  #options: string[] = [];
  #bytes = 0;
  #parts = 0;
  #deadline: Millis = Number.POSITIVE_INFINITY;

  constructor(name: 'PUSH_REPLY' | 'PUSH_UPDATE' = 'PUSH_REPLY') {
    this.#name = name;
  }

  /** By when the last part must be there; `Infinity` while no set is open. */
  get deadline(): Millis {
    return this.#deadline;
  }

  /** The whole set once it is complete, undefined while parts are missing, or what is wrong. */
  add(options: readonly string[], now: Millis): readonly string[] | undefined | OvpnProtocolError {
    this.#parts += 1;
    if (this.#parts === 1) this.#deadline = now + MAX_PUSH_MS;
    let more = false;
    for (const option of options) {
      const continuation = CONTINUATION.exec(option);
      if (continuation !== null) {
        more = continuation[1] === MORE_FOLLOWS;
      } else {
        this.#options.push(option);
        this.#bytes += Buffer.byteLength(option);
      }
    }
    const excess = this.#excess(now);
    if (excess !== undefined) return excess;
    if (more) return undefined;
    const complete = this.#options;
    this.reset();
    return complete;
  }

  /** Forgets an open set. */
  reset(): void {
    this.#options = [];
    this.#bytes = 0;
    this.#parts = 0;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #excess(now: Millis): OvpnProtocolError | undefined {
    if (this.#bytes > MAX_PUSH_BYTES) return this.#over(`at most ${MAX_PUSH_BYTES} bytes`);
    if (this.#options.length > MAX_PUSH_OPTIONS)
      return this.#over(`at most ${MAX_PUSH_OPTIONS} options`);
    if (this.#parts > MAX_PUSH_PARTS) return this.#over(`at most ${MAX_PUSH_PARTS} parts`);
    if (now > this.#deadline) return this.#over(`all parts within ${MAX_PUSH_MS} ms`);
    return undefined;
  }

  #over(limit: string): OvpnProtocolError {
    return new OvpnProtocolError(`${this.#name}: expected ${limit}`, {
      code: 'OVPN_PUSH_INVALID',
      layer: 'tlsstate',
      reference: 'push.c push-continuation',
    });
  }
}

const CONTINUATION = /^push-continuation (\d+)$/;
const MORE_FOLLOWS = '2';
