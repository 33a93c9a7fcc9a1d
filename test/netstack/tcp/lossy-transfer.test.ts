import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { flipBit, TcpPair, type TcpPairOptions } from './tcp-pair.ts';

const SEQUENCES = [0xffff_fff0, 0x7fff_fff0, 0];
const SEEDS_PER_SEQUENCE = 110;

/** A link of its own kind for every seed: 0–30 % loss, and everything else that can go wrong. */
function badLink(seed: number): NonNullable<TcpPairOptions['link']> {
  const random = new SeededRandom(seed);
  return {
    delayMs: random.fraction() * 60,
    jitterMs: random.fraction() * 20,
    lossPercent: random.fraction() * 30,
    reorderPercent: random.fraction() * 10,
    duplicatePercent: random.fraction() * 5,
    corruptPercent: random.fraction() * 3,
    corrupt: flipBit,
  };
}

function transfer(seed: number, initialSequence: number): TcpPair {
  const random = new SeededRandom(~seed);
  const pair = new TcpPair({
    seed,
    link: badLink(seed),
    client: { initialSequence, timestamps: random.chance(75), mss: 500 + (random.uint32() % 860) },
    server: {
      initialSequence: ~initialSequence,
      windowScaling: random.chance(75),
      noDelay: random.chance(50),
      receiveBufferBytes: 4096 + (random.uint32() % 60_000),
    },
  });
  pair.connect();
  const chunkBytes = 1 + (random.uint32() % 6000);
  pair.client.send(random.bytes(random.uint32() % 60_000), { chunkBytes, finish: true });
  pair.runUntil(() => pair.client.log.length > 0);
  pair.server.send(random.bytes(random.uint32() % 60_000), { chunkBytes, finish: true });
  return pair;
}

describe('a transfer both ways over bad lines', () => {
  describe.each(SEQUENCES.map((sequence) => ({ sequence })))('from $sequence', ({ sequence }) => {
    const seeds = Array.from({ length: SEEDS_PER_SEQUENCE }, (_, seed) => seed + 1);
    test.each(seeds)('gives what was sent, seed %i', (seed) => {
      const pair = transfer(seed, sequence);
      expect(pair.runUntil(() => pair.bothClosed, 3_000_000)).toBe(true);
      const { client, server } = pair;
      expect([client.failure, server.failure]).toEqual([undefined, undefined]);
      expect(server.receivedHash).toBe(client.sentHash);
      expect(client.receivedHash).toBe(server.sentHash);
      pair.runUntil(() => false);
      expect([client.closedTimes, server.closedTimes]).toEqual([1, 1]);
      expect(client.connection.done && server.connection.done).toBe(true);
      expect(client.connection.ended && server.connection.ended).toBe(true);
      expect(client.connection.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    });
  });
});
