import type { RandomSource } from '../core/random.ts';

/** First of the ports that are given to those who ask for any (RFC 6056; the range of Linux). */
export const FIRST_EPHEMERAL_PORT = 32_768;
/** Last of them. */
export const LAST_EPHEMERAL_PORT = 60_999;

/**
 * A free ephemeral port: the search begins at `offset` plus a random number, so that neither the
 * first port nor the order can be guessed (RFC 6056 §3.3). undefined when none is free.
 */
export function pickPort(
  random: RandomSource,
  offset: number,
  isFree: (port: number) => boolean,
): number | undefined {
  const start = (offset + random.uint32()) % PORT_COUNT;
  for (let tried = 0; tried < PORT_COUNT; tried += 1) {
    const port = FIRST_EPHEMERAL_PORT + ((start + tried) % PORT_COUNT);
    if (isFree(port)) return port;
  }
  return undefined;
}

const PORT_COUNT = LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT + 1;
