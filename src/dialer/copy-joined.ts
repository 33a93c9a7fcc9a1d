/** Largest joined copy, but for a single chunk that is longer. Unit: bytes. */
export const COPIED_BYTES: number = 64 * 1024;

/**
 * Copies what a program wrote: it may use its buffers again as soon as it is called back, long
 * before the peer has acknowledged. Many small chunks become one, for which one copy costs less.
 */
export function copyJoined(chunks: readonly Buffer[]): readonly Buffer[] {
  const copies: Buffer[] = [];
  let first = 0;
  let bytes = 0;
  for (const [at, { length }] of chunks.entries()) {
    if (at > first && bytes + length > COPIED_BYTES) {
      copies.push(Buffer.concat(chunks.slice(first, at), bytes));
      first = at;
      bytes = 0;
    }
    bytes += length;
  }
  copies.push(Buffer.concat(chunks.slice(first), bytes));
  return copies;
}
