import { describe, expect, test } from 'vitest';
import { heapBytes } from './heap-bytes.ts';
import { NOISY_CASES } from './million-steps-cases.ts';
import { NoisyPair } from './million-steps-pair.ts';
import type { StreamTotals } from './million-steps-stream.ts';

/** MILLION_STEPS_SEED=7 repeats a failure, or tries something new. */
const { MILLION_STEPS_SEED = '1', MILLION_STEPS = '1000000' } = process.env;
const SEED = Number(MILLION_STEPS_SEED);

/** Of each case. */
const STEPS = Math.ceil(Number(MILLION_STEPS) / NOISY_CASES.length);
const MAX_GROWTH_BYTES = 2 * 1024 * 1024;
const LAST_PACKETS = 20;

/** From one case's seed to the next. */
const SEED_STRIDE = 1_000_003;

describe(`a million steps, MILLION_STEPS_SEED=${SEED}`, () => {
  test.each(NOISY_CASES)('$name', async (options) => {
    const seed = SEED + NOISY_CASES.indexOf(options) * SEED_STRIDE;
    const pair = NoisyPair.open({ ...options, seed, limit: STEPS + LAST_PACKETS });
    const { client, server, up, down, faults } = pair;
    let heapEarly = Number.POSITIVE_INFINITY;
    while (pair.steps < STEPS && faults.length === 0) {
      pair.step();
      if (pair.steps === Math.floor(STEPS / 5)) heapEarly = await heapBytes();
    }
    expect(faults).toEqual([]);
    expect((await heapBytes()) - heapEarly).toBeLessThan(MAX_GROWTH_BYTES);

    expect(pair.calm(() => pair.isQuiet)).toBe(true);
    expect(client.tls.totals).toEqual(server.tls.totals.map(asSeenByThePeer));
    expect(client.keys.activeKeyId).toBe(server.keys.activeKeyId);
    expect(client.tls.established).toBeGreaterThan(STEPS / 10_000);

    const received = [up.received, down.received];
    for (let packet = 0; packet < LAST_PACKETS; packet += 1) {
      up.send();
      down.send();
    }
    expect(pair.calm(() => pair.isQuiet)).toBe(true);
    expect([up.received, down.received]).toEqual(received.map((count) => count + LAST_PACKETS));
    expect(faults).toEqual([]);
    pair.stop();
  });
});

function asSeenByThePeer({ keyId, wrote, received }: StreamTotals): StreamTotals {
  return { keyId, wrote: received, received: wrote };
}
