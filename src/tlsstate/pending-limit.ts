/**
 * How long a client waits for its push, from the key exchange on, once the server has said
 * AUTH_PENDING: what it names, at most half of `reneg-sec` or `hand-window`, whichever is longer.
 *
 * @param timeoutMs what the server named, or undefined
 * @returns unit: milliseconds
 */
export function pendingLimitMs(
  timeoutMs: number | undefined,
  { renegSecMs, handWindowMs }: { readonly renegSecMs: number; readonly handWindowMs: number },
): number {
  const longest = Math.max(renegSecMs / 2, handWindowMs);
  return Math.min(timeoutMs ?? longest, longest);
}
