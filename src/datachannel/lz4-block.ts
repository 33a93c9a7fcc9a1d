import { Expansion, NO_LENGTH } from './expansion.ts';

/*
 * A block is a row of sequences (LZ4 Block Format Description):
 *
 *     token             4 bits: literals l | 4 bits: match m
 *     [FF … FF, n]      only if l is 15: added to it, the first byte below FF is the last
 *     literals          l
 *     offset            16 bits, little-endian, from 1
 *     [FF … FF, n]      only if m is 15: added to it
 *
 * A match repeats m + 4 bytes. The last sequence ends with its literals.
 */
const LENGTH_MASK = 0x0f;
const MORE = 0xff;
const MIN_MATCH_BYTES = 4;

/**
 * Opens an LZ4 block into `output`.
 * @returns how long it has become; -1 when it is malformed, or does not fit
 */
export function openLz4Block(block: Buffer, output: Buffer): number {
  const expansion = new Expansion(block, output);
  for (;;) {
    const token = expansion.byte();
    if (token < 0) return -1;
    if (!expansion.literals(lengthOf(token >>> 4, expansion))) return -1;
    if (expansion.finished) return expansion.length;
    const distance = expansion.littleEndian16();
    const count = lengthOf(token & LENGTH_MASK, expansion) + MIN_MATCH_BYTES;
    if (!expansion.repeat(distance, count)) return -1;
  }
}

function lengthOf(nibble: number, expansion: Expansion): number {
  let length = nibble;
  if (nibble < LENGTH_MASK) return length;
  for (;;) {
    const more = expansion.byte();
    if (more < 0) return NO_LENGTH;
    length += more;
    if (more < MORE) return length;
  }
}
