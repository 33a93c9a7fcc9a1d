import { u32 } from '../core/bytes.ts';
import { Drop, type Millis } from '../core/machine.ts';
import {
  FRAGMENT_HEADER_BYTES,
  FragmentType,
  fragmentTypeOf,
  MAX_PARTS,
  PART_UNIT_BYTES,
  partOf,
  partSizeOf,
  SEQUENCES,
  sequenceOf,
} from './fragment-header.ts';

/** Packets that may be incomplete at once (fragment.h N_FRAG_BUF). */
export const MAX_PARTIAL_PACKETS = 25;

/** How long a packet may stay as it is, incomplete (fragment.h FRAG_TTL_SEC). */
export const PARTIAL_PACKET_TTL_MS: Millis = 10_000;

/** Largest packet that is put together, whatever the tunnel carries. Unit: bytes. */
export const MAX_REASSEMBLED_BYTES = 65_536;

/**
 * Puts parts together again, in whatever order they come. Packets are told apart by their
 * sequence: those of the newest {@link MAX_PARTIAL_PACKETS} sequences are kept, and a jump beyond
 * them forgets all that is incomplete.
 */
export class FragmentReassembly {
  readonly #maxBytes: number;
  readonly #partials: readonly PartialPacket[];
  /** The sequence begun last, and where its packet is. */
  #newest = 0;
  #newestAt = 0;

  /** @param maxBytes the longest payload */
  constructor(maxBytes: number) {
    this.#maxBytes = Math.min(maxBytes, MAX_REASSEMBLED_BYTES);
    this.#partials = Array.from({ length: MAX_PARTIAL_PACKETS }, () => new PartialPacket());
  }

  /**
   * The payload that `bytes` is or completes; `Drop.NONE` while parts are missing,
   * `Drop.MALFORMED` for what no sender writes. Keeps `bytes` of parts.
   */
  accept(bytes: Buffer, now: Millis): Buffer | Drop {
    if (bytes.length <= FRAGMENT_HEADER_BYTES) return Drop.MALFORMED;
    const header = u32(bytes, 0);
    const type = fragmentTypeOf(header);
    const sequence = sequenceOf(header);
    const part = partOf(header);
    const payload = bytes.subarray(FRAGMENT_HEADER_BYTES);
    if (type === FragmentType.WHOLE) {
      return sequence === 0 && part === 0 ? payload : Drop.MALFORMED;
    }
    if (type === FragmentType.TEST) return Drop.MALFORMED;
    const isLast = type === FragmentType.LAST_PART;
    const size = isLast ? partSizeOf(header) : payload.length;
    const fits = part * size + payload.length <= this.#maxBytes;
    if (payload.length > size || size % PART_UNIT_BYTES !== 0 || !fits) return Drop.MALFORMED;
    const partial = this.#partialOf(sequence);
    if (partial.size !== size || partial.touchedAt + PARTIAL_PACKET_TTL_MS <= now) {
      partial.restart(size);
    }
    if (!partial.add(part, isLast, payload, now)) return Drop.MALFORMED;
    return partial.complete ? partial.take() : Drop.NONE;
  }

  #partialOf(sequence: number): PartialPacket {
    const ahead = ((sequence - this.#newest + SEQUENCES * 1.5) % SEQUENCES) - SEQUENCES / 2;
    if (Math.abs(ahead) >= MAX_PARTIAL_PACKETS) {
      for (const partial of this.#partials) partial.forget();
      this.#newest = sequence;
      return this.#at(this.#newestAt);
    }
    for (let step = 0; step < ahead; step += 1) {
      this.#newestAt = (this.#newestAt + 1) % MAX_PARTIAL_PACKETS;
      this.#at(this.#newestAt).forget();
    }
    if (ahead <= 0) {
      return this.#at((this.#newestAt + ahead + MAX_PARTIAL_PACKETS) % MAX_PARTIAL_PACKETS);
    }
    this.#newest = sequence;
    return this.#at(this.#newestAt);
  }

  #at(index: number): PartialPacket {
    return this.#partials[index] as PartialPacket;
  }
}

/** The parts of one packet so far. */
class PartialPacket {
  /** How long parts before the last are; 0 while there are none. */
  size = 0;
  touchedAt: Millis = 0;
  #parts: (Buffer | undefined)[] = [];
  #count = 0;
  #last = MAX_PARTS;

  get complete(): boolean {
    return this.#count === this.#last + 1;
  }

  /** False for a part behind the last one, and for a last one before others. */
  add(part: number, isLast: boolean, payload: Buffer, now: Millis): boolean {
    if (part > this.#last || (isLast && this.#parts.length > part + 1)) return false;
    if (isLast) this.#last = part;
    if (this.#parts[part] === undefined) this.#count += 1;
    this.#parts[part] = payload;
    this.touchedAt = now;
    return true;
  }

  /** The whole. Only when `complete`. */
  take(): Buffer {
    const lastBytes = (this.#parts[this.#last] as Buffer).length;
    const whole = Buffer.allocUnsafe(this.#last * this.size + lastBytes);
    for (let part = 0; part <= this.#last; part += 1) {
      whole.set(this.#parts[part] as Buffer, part * this.size);
    }
    this.forget();
    return whole;
  }

  restart(size: number): void {
    this.forget();
    this.size = size;
  }

  forget(): void {
    if (this.size === 0) return;
    this.size = 0;
    this.#parts = [];
    this.#count = 0;
    this.#last = MAX_PARTS;
  }
}
