/** More than any download takes. */
export const ENDLESS_BYTES = 1e12;
