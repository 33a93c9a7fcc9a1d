import { describe, expect, test } from 'vitest';
import { BusyPair } from './busy-pair.ts';
import { heapBytes } from './heap-bytes.ts';
import { SeededRandom } from './seeded-random.ts';
import { SIM_WRAPS, type SimWrap } from './sim-identity.ts';

/** MILLION_STEPS_SEED=7 tries something new; node:tls has a randomness of its own. */
const { MILLION_STEPS_SEED = '1' } = process.env;
const SEED = Number(MILLION_STEPS_SEED);

/** Of the virtual clock, together with TLS; each is a packet or a timer. */
const STEPS = Math.ceil(50_000 / SIM_WRAPS.length);
const MAX_STEPS_BETWEEN = 1_000;
const PACKET_EVERY_MS = 20;
const QUIET_MS = 60_000;
const FOREVER_MS = 1e9;
const MAX_GROWTH_BYTES = 2 * 1024 * 1024;

/** Without a wrap a changed bit of a control packet is as good as sent. */
function badLine(wrap: SimWrap) {
  const corruptPercent = wrap === 'none' ? 0 : 5;
  return {
    delayMs: 20,
    jitterMs: 30,
    lossPercent: 8,
    reorderPercent: 10,
    duplicatePercent: 10,
    corruptPercent,
  };
}

describe(`the whole stack with TLS, MILLION_STEPS_SEED=${SEED}`, () => {
  test.each(SIM_WRAPS)('%s', async (wrap) => {
    const line = badLine(wrap);
    const options = { wrap, seed: SEED, toServer: line, toClient: line };
    const busy = await BusyPair.connected(options, PACKET_EVERY_MS);
    const { pair, up, down } = busy;
    const random = new SeededRandom(SEED);
    let steps = 0;
    let heapEarly = Number.POSITIVE_INFINITY;
    while (steps < STEPS && pair.clientEnding === null) {
      if (random.chance(60)) pair.client.renegotiate();
      else pair.server.session?.renegotiate();
      const goal = steps + Math.ceil(random.fraction() * MAX_STEPS_BETWEEN);
      if (steps < STEPS / 5 && goal >= STEPS / 5) heapEarly = await heapBytes();
      await pair.until(() => {
        steps += 1;
        return steps >= goal || pair.clientEnding !== null;
      }, FOREVER_MS);
    }
    expect(pair.clientEnding, pair.account).toBeNull();
    expect((await heapBytes()) - heapEarly).toBeLessThan(MAX_GROWTH_BYTES);

    await pair.advance(QUIET_MS);
    await busy.end();
    const { keyIds } = pair.server;
    expect(pair.clientKeyIds).toEqual(keyIds);
    expect(keyIds.length).toBeGreaterThan(5);
    expect([pair.clientEnding, ...pair.server.endings]).toEqual([undefined, undefined]);
    for (const { faults, received, sent } of [up, down]) {
      expect(faults).toEqual([]);
      expect(received / sent).toBeGreaterThan(0.5);
    }
  });
});
