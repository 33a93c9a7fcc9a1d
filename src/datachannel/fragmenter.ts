import { EMPTY, setU32 } from '../core/bytes.ts';
import { Drop } from '../core/machine.ts';
import {
  FRAGMENT_HEADER_BYTES,
  FragmentType,
  fragmentHeader,
  MAX_PARTS,
  PART_UNIT_BYTES,
  SEQUENCES,
} from './fragment-header.ts';

/** A part is never shorter than this for a limit's sake: 32 of them hold 2,048 bytes. */
export const MIN_PART_BYTES = 64;

/** Cuts payloads that are too long for one packet into parts of about the same length. */
export class Fragmenter {
  /** Whether parts of the last payload are left: `next` before another `begin`. */
  pending = false;
  readonly #maxBytes: number;
  #sequence = 0;
  #payload: Buffer = EMPTY;
  #partBytes = 0;
  #part = 0;

  /** @param maxBytes the longest that may be sealed at once, header included */
  constructor(maxBytes: number) {
    this.#maxBytes = Math.max(maxBytes - FRAGMENT_HEADER_BYTES, MIN_PART_BYTES);
  }

  /**
   * The payload behind a header, or its first part; keeps the payload while `pending`.
   * `Drop.MALFORMED` for one that would have more than {@link MAX_PARTS} parts.
   */
  begin(payload: Buffer): Buffer | Drop {
    if (payload.length <= this.#maxBytes) return behind(0, payload);
    const aligned = this.#maxBytes - (this.#maxBytes % PART_UNIT_BYTES);
    const parts = Math.ceil(payload.length / aligned);
    if (parts > MAX_PARTS) return Drop.MALFORMED;
    this.#partBytes = Math.ceil(payload.length / parts / PART_UNIT_BYTES) * PART_UNIT_BYTES;
    this.#payload = payload;
    this.#part = 0;
    this.#sequence = (this.#sequence + 1) % SEQUENCES;
    this.pending = true;
    return this.next();
  }

  /** The next part of the last payload. Only while `pending`. */
  next(): Buffer {
    const size = this.#partBytes;
    const part = this.#part;
    const from = part * size;
    const isLast = from + size >= this.#payload.length;
    const header = isLast
      ? fragmentHeader(FragmentType.LAST_PART, this.#sequence, part, size)
      : fragmentHeader(FragmentType.PART, this.#sequence, part, 0);
    const piece = behind(header, this.#payload.subarray(from, from + size));
    this.#part = part + 1;
    if (isLast) {
      this.pending = false;
      this.#payload = EMPTY;
    }
    return piece;
  }
}

function behind(header: number, bytes: Buffer): Buffer {
  const piece = Buffer.allocUnsafe(FRAGMENT_HEADER_BYTES + bytes.length);
  setU32(piece, 0, header);
  piece.set(bytes, FRAGMENT_HEADER_BYTES);
  return piece;
}
