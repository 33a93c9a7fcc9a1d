import type { Pair, PairOptions } from './pair.ts';

/** Who starts a renegotiation, and how. */
export const STARTERS: Readonly<Record<string, (pair: Pair) => void>> = {
  client: ({ client }) => client.renegotiate(),
  server: ({ server }) => server.session?.renegotiate(),
  both: ({ client, server }) => {
    client.renegotiate();
    server.session?.renegotiate();
  },
};

/** The same bad line both ways. */
export function badLine(lossPercent: number): PairOptions {
  const line = {
    delayMs: 20,
    jitterMs: 10,
    lossPercent,
    reorderPercent: 10,
    duplicatePercent: 10,
  };
  return { toServer: line, toClient: line, seed: lossPercent + 1 };
}
