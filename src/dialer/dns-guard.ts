import { u8, u16 } from '../core/bytes.ts';

/** Most compression pointers in one name. An honest name has at most one a label. */
export const MAX_POINTER_HOPS = 32;

/** Most labels and pointers that are followed in one message. */
export const MAX_NAME_STEPS = 4096;

const HEADER_BYTES = 12;
const QUESTION_TAIL_BYTES = 4;
const RECORD_TAIL_BYTES = 10;
const LABEL_LIMIT = 0x3f;
const POINTER_BITS = 0xc0;
const OFFSET_MASK = 0x3fff;

const TYPE_SOA = 6;
const SOA_NUMBERS_BYTES = 20;

/** Lengths of A and AAAA data: the decoder takes them for granted. */
const FIXED_BYTES = new Map([
  [1, 4],
  [28, 16],
]);

/** Where the name starts in the data of NS, CNAME, SOA, PTR, MX, SRV and DNAME; it ends the data. */
const NAME_AT = new Map([
  [2, 0],
  [5, 0],
  [TYPE_SOA, 0],
  [12, 0],
  [15, 2],
  [33, 6],
  [39, 0],
]);

/**
 * NULL, HINFO, RP, NAPTR, DS, SSHFP, RRSIG, NSEC, DNSKEY, NSEC3, TLSA: the decoder reads them by
 * rules of their own, and they answer nothing that is asked here.
 */
const REFUSED_TYPES = new Set([10, 13, 17, 35, 43, 44, 46, 47, 48, 50, 52]);

const TYPE_CAA = 257;
/** Flags and the length of the tag, which has a letter at least. */
const CAA_HEAD_BYTES = 2;

/**
 * Whether a DNS message is cheap to decode: every name ends inside the message, its pointers lead
 * strictly backwards and are few, all names together are short, and lengths are what the decoder
 * takes them for. The decoder itself follows any number of pointers, so 64 KiB could hold it for a
 * second.
 * Source: RFC 1035 §4.1.4; RFC 9267 §2.
 */
export function isCheapToDecode(message: Buffer): boolean {
  if (message.length < HEADER_BYTES) return false;
  const walk = new NameWalk(message);
  let at = HEADER_BYTES;
  for (let left = u16(message, 4); left > 0; left -= 1) {
    at = walk.skip(at) + QUESTION_TAIL_BYTES;
    if (at > message.length) return false;
  }
  for (let left = u16(message, 6) + u16(message, 8) + u16(message, 10); left > 0; left -= 1) {
    const tail = walk.skip(at);
    at = tail + RECORD_TAIL_BYTES;
    if (at > message.length) return false;
    const type = u16(message, tail);
    const end = at + u16(message, tail + 8);
    if (end > message.length || REFUSED_TYPES.has(type)) return false;
    if (end - at !== (FIXED_BYTES.get(type) ?? end - at)) return false;
    if (type === TYPE_CAA && !holdsTag(message, at, end)) return false;
    const nameAt = NAME_AT.get(type);
    if (nameAt !== undefined) {
      let after = walk.skip(at + nameAt);
      if (type === TYPE_SOA) after = walk.skip(after) + SOA_NUMBERS_BYTES;
      if (after !== end) return false;
    }
    at = end;
  }
  return true;
}

/** Whether the tag of a CAA record is inside of it. */
function holdsTag(message: Buffer, at: number, end: number): boolean {
  if (end - at <= CAA_HEAD_BYTES) return false;
  const tagBytes = u8(message, at + 1);
  return tagBytes > 0 && at + CAA_HEAD_BYTES + tagBytes <= end;
}

/** Walks the names of one message and counts the steps. */
class NameWalk {
  readonly #message: Buffer;
  #steps = 0;

  constructor(message: Buffer) {
    this.#message = message;
  }

  /** Where the name at `at` ends; `Infinity` when it breaks a rule. */
  skip(at: number): number {
    let cursor = at;
    let lowest = at;
    let end = -1;
    let hops = 0;
    for (;;) {
      if (cursor >= this.#message.length || this.#steps >= MAX_NAME_STEPS) return BROKEN;
      this.#steps += 1;
      const length = u8(this.#message, cursor);
      if (length === 0) return end < 0 ? cursor + 1 : end;
      if (length <= LABEL_LIMIT) {
        cursor += 1 + length;
        continue;
      }
      if (length < POINTER_BITS || cursor + 2 > this.#message.length) return BROKEN;
      if (end < 0) end = cursor + 2;
      cursor = u16(this.#message, cursor) & OFFSET_MASK;
      hops += 1;
      if (cursor >= lowest || hops > MAX_POINTER_HOPS) return BROKEN;
      lowest = cursor;
    }
  }
}

const BROKEN = Number.POSITIVE_INFINITY;
