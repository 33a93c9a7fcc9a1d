import { Drop, type DropCounter } from '../core/machine.ts';

/** Longest text that is taken, without its NUL. Unit: bytes. */
export const MAX_TEXT_BYTES = 65_536;

/** Pieces that wait at a time: then they are put together, or tiny ones would cost far more than they hold. */
const MAX_PIECES = 64;

/**
 * Cuts TLS plaintext into NUL-ended texts: several in a record, or one over several records. A
 * text with a control byte in it (CVE-2024-5594) is dropped whole and counted, never repaired. Bytes
 * above ASCII pass, as OpenVPN lets them; those that are not UTF-8 become U+FFFD.
 */
export class ControlTextReader {
  readonly #drops: DropCounter;
  #parts: Buffer[] = [];
  #waitingBytes = 0;

  constructor(drops: DropCounter) {
    this.#drops = drops;
  }

  /** The texts that `plaintext` completes; undefined when one is too long, with its NUL or without. */
  push(plaintext: Buffer): string[] | undefined {
    const texts: string[] = [];
    let from = 0;
    for (let nul = plaintext.indexOf(0); nul !== -1; nul = plaintext.indexOf(0, from)) {
      if (this.#waitingBytes + nul - from > MAX_TEXT_BYTES) return undefined;
      const text = this.#complete(plaintext.subarray(from, nul));
      if (text !== undefined) texts.push(text);
      from = nul + 1;
    }
    if (from < plaintext.length) {
      this.#parts.push(Buffer.from(plaintext.subarray(from)));
      this.#waitingBytes += plaintext.length - from;
      if (this.#parts.length === MAX_PIECES) this.#parts = [Buffer.concat(this.#parts)];
    }
    return this.#waitingBytes > MAX_TEXT_BYTES ? undefined : texts;
  }

  #complete(last: Buffer): string | undefined {
    const bytes = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#waitingBytes = 0;
    const text = cleanText(bytes);
    if (text === undefined) this.#drops.count(Drop.MALFORMED);
    return text;
  }
}

function cleanText(bytes: Buffer): string | undefined {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === CR || bytes[end - 1] === LF)) end -= 1;
  const trimmed = bytes.subarray(0, end);
  for (const byte of trimmed) if (byte < SPACE || byte === DELETE) return undefined;
  return UTF8.decode(trimmed);
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const DELETE = 0x7f;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
