/** Longest run of digits that is read as a number. */
export const MAX_DIGITS = 10;

/** A day, the longest timer that a server may set. Unit: seconds. */
export const DAY_SECONDS = 86_400;

/** A year, the longest time that a profile may set. Unit: seconds. */
export const YEAR_SECONDS = 31_536_000;

/** The largest number of bytes or packets that a profile may set. */
export const MAX_COUNT = 9_999_999_999;

/**
 * A whole number from `min` to `max`: ASCII digits only, no sign, exponent, prefix or blank, at
 * most {@link MAX_DIGITS} of them. undefined for anything else.
 */
export function decimal(text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined || text.length === 0 || text.length > MAX_DIGITS) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}
