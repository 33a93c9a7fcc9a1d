import { Expansion, NO_LENGTH } from './expansion.ts';

/*
 * A block is a row of instructions, as the Linux kernel's description of the format has them
 * (Documentation/staging/lzo.rst, version 0). D, L and S are bits of the numbers in capitals, h is
 * one more byte, w two more with the low one first:
 *
 *     instruction     repeats                from so far back                      then literals
 *     1LLD DDSS h     5 + L                  (h << 3) + D + 1                      S
 *     01LD DDSS h     3 + L                  (h << 3) + D + 1                      S
 *     001L LLLL w     2 + L, or from 33 on   (w >> 2) + 1                          S: w & 3
 *     0001 HLLL w     2 + L, or from 9 on    16384 + (H << 14) + (w >> 2)          S: w & 3
 *     0000 DDSS h     2                      (h << 2) + D + 1, after 1–3 literals  S
 *     0000 DDSS h     3                      (h << 2) + D + 2049, after 4 or more  S
 *     0000 LLLL       nothing, if no literals came just before                     3 + L, or from 18 on
 *
 * An L of 0 says that bytes follow: 255 for each 0, and the first other one. A distance of 16384 is
 * the end. A first byte above 17 stands for so many literals more than 17.
 */
const FIRST_LITERALS = 17;
/** After so many literals, or more, a short instruction reaches further back. */
const MANY_LITERALS = 4;
const END_DISTANCE = 0x4000;
const FAR_DISTANCE = 0x801;

/**
 * Opens an LZO1X block into `output`.
 * @returns how long it has become; -1 when it is malformed, or does not fit
 */
export function openLzo1xBlock(block: Buffer, output: Buffer): number {
  const expansion = new Expansion(block, output);
  let literals = 0;
  if (expansion.peek > FIRST_LITERALS) {
    literals = expansion.byte() - FIRST_LITERALS;
    if (!expansion.literals(literals)) return -1;
  }
  for (;;) {
    const code = expansion.byte();
    if (code < 0) return -1;
    if (code < 0x10 && literals === 0) {
      literals = lengthOf(code, 15, expansion) + 3;
      if (!expansion.literals(literals)) return -1;
      continue;
    }
    let count: number;
    let distance: number;
    let trailing = code;
    if (code >= 0x40) {
      count = (code >>> 5) + 1;
      distance = (expansion.byte() << 3) + ((code >>> 2) & 7) + 1;
    } else if (code >= 0x10) {
      const isNear = code >= 0x20;
      count = (isNear ? lengthOf(code & 31, 31, expansion) : lengthOf(code & 7, 7, expansion)) + 2;
      trailing = expansion.littleEndian16();
      if (trailing < 0) return -1;
      distance = (trailing >>> 2) + (isNear ? 1 : END_DISTANCE + ((code & 8) << 11));
      if (!isNear && distance === END_DISTANCE) return expansion.finished ? expansion.length : -1;
    } else {
      const isFar = literals >= MANY_LITERALS;
      count = isFar ? 3 : 2;
      distance = (expansion.byte() << 2) + (code >>> 2) + (isFar ? FAR_DISTANCE : 1);
    }
    literals = trailing & 3;
    if (!expansion.repeat(distance, count) || !expansion.literals(literals)) return -1;
  }
}

function lengthOf(bits: number, none: number, expansion: Expansion): number {
  if (bits !== 0) return bits;
  let length = none;
  for (;;) {
    const more = expansion.byte();
    if (more < 0) return NO_LENGTH;
    if (more > 0) return length + more;
    length += 255;
  }
}
