/** Comparison of 32-bit numbers that wrap around (RFC 1982; RFC 9293 §3.4). */

/** The signed distance from `b` to `a`: positive when `a` is later. */
export function serialDiff(a: number, b: number): number {
  return (a - b) | 0;
}

export function serialLess(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function serialLessOrEqual(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0;
}

/** `a + n` on the 32-bit circle, as an unsigned number. */
export function serialAdd(a: number, n: number): number {
  return (a + n) >>> 0;
}
