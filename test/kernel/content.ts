import { createHash } from 'node:crypto';
import { SeededRandom } from '../sim/seeded-random.ts';

const PIECE_BYTES = 1 << 20;
/** Prime: no two pieces of a content begin at the same place of the text. */
const STEP = 7919;
const TEXT = randomText(2 * PIECE_BYTES);

/** `bytes` of content in pieces: the same ones for the same size, no two pieces alike. */
export function* contentOf(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += PIECE_BYTES) {
    const from = ((sent / PIECE_BYTES) * STEP) % PIECE_BYTES;
    yield TEXT.subarray(from, from + Math.min(PIECE_BYTES, bytes - sent));
  }
}

/** SHA-256 of {@link contentOf}. */
export function contentHash(bytes: number): string {
  const hash = createHash('sha256');
  for (const piece of contentOf(bytes)) hash.update(piece);
  return hash.digest('hex');
}

function randomText(bytes: number): Buffer {
  const random = new SeededRandom(1);
  const text = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) text.writeUInt32LE(random.uint32(), at);
  return text;
}
