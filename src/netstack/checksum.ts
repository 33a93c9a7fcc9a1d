/**
 * The Internet checksum (RFC 1071). Sums are of 16-bit words in network order, not folded, so that
 * parts (pseudo header, header, payload) can be added in any order. They stay below 2³²: one part
 * gives 16 bits.
 */
const LITTLE_WORD = 0xffff;

/**
 * Sum of `length` bytes of `bytes` from `at`; an odd last byte counts as if a zero followed.
 * The words are read as the machine's little-endian 32-bit numbers, which is twice as fast as any
 * other way, and the folded sum is swapped once (RFC 1071 §2 B).
 */
export function sumBytes(bytes: Uint8Array, at: number, length: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length);
  const unrolled = length & ~15;
  const words = length & ~3;
  let low = 0;
  let high = 0;
  let index = 0;
  for (; index < unrolled; index += 16) {
    const a = view.getInt32(index, true);
    const b = view.getInt32(index + 4, true);
    const c = view.getInt32(index + 8, true);
    const d = view.getInt32(index + 12, true);
    low += (a & LITTLE_WORD) + (b & LITTLE_WORD) + (c & LITTLE_WORD) + (d & LITTLE_WORD);
    high += (a >>> 16) + (b >>> 16) + (c >>> 16) + (d >>> 16);
  }
  for (; index < words; index += 4) {
    const word = view.getInt32(index, true);
    low += word & LITTLE_WORD;
    high += word >>> 16;
  }
  for (; index + 1 < length; index += 2) low += view.getUint16(index, true);
  if (index < length) low += view.getUint8(index);
  const folded = fold(low + high);
  return ((folded & 0xff) << 8) | (folded >>> 8);
}

/** `sum` as 16 bits, carries added in; 0xffff when the summed bytes hold a right checksum. */
export function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/** The value of a checksum field over bytes that sum to `sum` while the field is zero. */
export function checksumOf(sum: number): number {
  return ~fold(sum) & 0xffff;
}

/** Whether bytes that sum to `sum`, their checksum field included, are intact. */
export function sumIsIntact(sum: number): boolean {
  return fold(sum) === 0xffff;
}

/** `checksum` after one 16-bit word under it changed from `before` to `after` (RFC 1624 §3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  return checksumOf((~checksum & 0xffff) + (~before & 0xffff) + after);
}

/**
 * Sum of the pseudo header of TCP, UDP and ICMPv6, without the length (RFC 9293 §3.1, RFC 8200
 * §8.1): add the length of the segment to it.
 *
 * @param addresses source and destination address, 4 or 16 bytes each
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
): number {
  return (
    sumBytes(source, 0, source.length) + sumBytes(destination, 0, destination.length) + protocol
  );
}
