import type { Drop } from '../core/machine.ts';
import type { ControlKey } from './control-key.ts';
import type { ControlWrap } from './control-wrap.ts';
import { FIRST_PACKET_ID, type SessionWrapOptions } from './session-wrap.ts';

/**
 * A key in use by a server that keeps nothing about its clients yet: what it sends always has
 * replay id 1 (so the session that may follow starts at 2), and replays pass.
 */
export class StatelessWrap implements ControlWrap {
  readonly name: string;
  readonly overheadBytes: number;
  readonly #key: ControlKey;
  readonly #unixSeconds: () => number;

  constructor({ key, unixSeconds }: Pick<SessionWrapOptions, 'key' | 'unixSeconds'>) {
    this.name = key.name;
    this.overheadBytes = key.overheadBytes;
    this.#key = key;
    this.#unixSeconds = unixSeconds;
  }

  wrap(plain: Buffer): Buffer {
    return this.#key.seal(plain, FIRST_PACKET_ID, this.#unixSeconds());
  }

  unwrap(packet: Buffer): Buffer | Drop {
    return this.#key.open(packet);
  }
}
