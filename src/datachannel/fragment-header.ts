/*
 * What stands before every payload where `fragment` is on (fragment.h), a 32-bit number:
 *
 *     bits     field
 *     0 – 1    type
 *     2 – 9    sequence: which packet the part is of, modulo 256
 *     10 – 14  part: its number, from 0
 *     15 – 28  last part only: how long the parts before it are, in units of 4 bytes
 */

/** Length of the header. */
export const FRAGMENT_HEADER_BYTES = 4;

/** What follows a fragment header. */
export const FragmentType = {
  WHOLE: 0,
  PART: 1,
  LAST_PART: 2,
  /** Nobody sends it. */
  TEST: 3,
} as const;
export type FragmentType = (typeof FragmentType)[keyof typeof FragmentType];

/** Most parts of one packet. */
export const MAX_PARTS = 32;

/** Sequences go round after so many packets. */
export const SEQUENCES = 256;

/** Parts before the last are a multiple of so many bytes long. */
export const PART_UNIT_BYTES = 4;

const SEQUENCE_SHIFT = 2;
const PART_SHIFT = 10;
const SIZE_SHIFT = 15;
const SIZE_UNIT_SHIFT = 2;
const SIZE_MASK = 0x3fff;

/** @param sizeBytes 0, or in a last part the length of those before it */
export function fragmentHeader(
  type: FragmentType,
  sequence: number,
  part: number,
  sizeBytes: number,
): number {
  const size = (sizeBytes >>> SIZE_UNIT_SHIFT) << SIZE_SHIFT;
  return size | (part << PART_SHIFT) | (sequence << SEQUENCE_SHIFT) | type;
}

export function fragmentTypeOf(header: number): FragmentType {
  return (header & 3) as FragmentType;
}

export function sequenceOf(header: number): number {
  return (header >>> SEQUENCE_SHIFT) & (SEQUENCES - 1);
}

export function partOf(header: number): number {
  return (header >>> PART_SHIFT) & (MAX_PARTS - 1);
}

/** How long the parts before a last one are. Unit: bytes. */
export function partSizeOf(header: number): number {
  return ((header >>> SIZE_SHIFT) & SIZE_MASK) << SIZE_UNIT_SHIFT;
}
