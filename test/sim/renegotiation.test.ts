import { describe, expect, test } from 'vitest';
import { nextKeyId } from '../../src/model/ids.ts';
import { badLine, STARTERS } from './bad-line.ts';
import { BusyPair } from './busy-pair.ts';
import { heapBytes } from './heap-bytes.ts';
import { SeededRandom } from './seeded-random.ts';

const RENEGOTIATIONS = 100;
const PACKET_EVERY_MS = 20;

/** Key ids of so many renegotiations: 1 … 7, 1 … 7. */
const KEY_IDS = Array.from({ length: RENEGOTIATIONS }, (_, index) => (index % 7) + 1);

function expectSoundTraffic({ pair, up, down }: BusyPair): void {
  expect(up.faults).toEqual([]);
  expect(down.faults).toEqual([]);
  expect(pair.clientEnding).toBeUndefined();
  expect(pair.server.endings).toEqual([undefined]);
}

describe('renegotiations under traffic', () => {
  const cases = [0, 5, 10, 20].flatMap((loss) =>
    Object.entries(STARTERS).map(([name, start]) => ({
      name: `${name} at ${loss} % loss`,
      loss,
      start,
    })),
  );

  test.each(cases)(`${RENEGOTIATIONS} by $name`, async ({ loss, start }) => {
    const busy = await BusyPair.connected(badLine(loss), PACKET_EVERY_MS);
    const { pair, up, down } = busy;
    for (let count = 1; count <= RENEGOTIATIONS; count += 1) {
      start(pair);
      await busy.renegotiated(count);
    }
    expect(pair.clientEnding).toBeNull();
    await busy.end();
    expect(pair.clientKeyIds).toEqual(KEY_IDS);
    expect(pair.server.keyIds).toEqual(KEY_IDS);
    expectSoundTraffic(busy);
    // No key is old enough to be kept for sending, so many a packet comes before its key.
    expect(up.received / up.sent).toBeGreaterThan(0.5);
    expect(down.received / down.sent).toBeGreaterThan(0.5);
  });

  test('asked for at any moment, in any state, by either end', async () => {
    const busy = await BusyPair.connected(badLine(10), PACKET_EVERY_MS);
    const { pair } = busy;
    const random = new SeededRandom(5);
    while (pair.server.keyIds.length < RENEGOTIATIONS) {
      STARTERS[random.chance(50) ? 'client' : 'server']?.(pair);
      await pair.advance(random.fraction() * 400);
      expect(pair.clientEnding, pair.account).toBeNull();
    }
    await busy.end();
    for (const keyIds of [pair.clientKeyIds, pair.server.keyIds]) {
      expect(keyIds[0]).toBe(1);
      expect(keyIds.slice(1)).toEqual(keyIds.slice(0, -1).map(nextKeyId));
    }
    expectSoundTraffic(busy);
  });

  test.each([
    ['client', { profile: { renegSecMs: 100_000 } }],
    ['server', { server: { renegSecMs: 100_000 } }],
  ])("by the %s's reneg-sec lose no packet on a line that loses none", async (_name, options) => {
    const line = { delayMs: 20, jitterMs: 10 };
    const busy = await BusyPair.connected({ ...options, toServer: line, toClient: line }, 100);
    await busy.pair.advance(100_000 * 15 + 50_000);
    await busy.end();
    expect(busy.pair.clientKeyIds).toEqual(KEY_IDS.slice(0, 15));
    expect(busy.pair.server.keyIds).toEqual(KEY_IDS.slice(0, 15));
    expectSoundTraffic(busy);
    expect(busy.up.received).toBe(busy.up.sent);
    expect(busy.down.received).toBe(busy.down.sent);
  });

  test('keep nothing of the keys that are gone', async () => {
    const busy = await BusyPair.connected(badLine(0), 1_000);
    const heaps: number[] = [];
    for (let count = 1; count <= 3 * RENEGOTIATIONS; count += 1) {
      busy.pair.client.renegotiate();
      await busy.renegotiated(count);
      if (count % RENEGOTIATIONS === 0) heaps.push(await heapBytes());
    }
    await busy.end();
    const [, second = 0, third = 0] = heaps;
    // A TLS session left behind for each of the last hundred keys would be megabytes.
    expect(third - second).toBeLessThan(500_000);
  });
});
