import { describe, expect, test } from 'vitest';
import { BusyPair } from './busy-pair.ts';
import { Pair, type PairOptions } from './pair.ts';
import type { LineOptions } from './sim-link.ts';

const SEEDS = 25;

/** The same line both ways. */
function over(line: LineOptions): PairOptions {
  return { toServer: line, toClient: line };
}

const LOSSY = {
  delayMs: 10,
  jitterMs: 20,
  lossPercent: 10,
  reorderPercent: 20,
  duplicatePercent: 20,
};

describe('Pair', () => {
  test.each<{ name: string; options: PairOptions }>([
    { name: 'a perfect line', options: {} },
    { name: 'no control wrap', options: { wrap: 'none', ...over({ delayMs: 10 }) } },
    { name: 'tls-auth', options: { wrap: 'tls-auth', ...over(LOSSY) } },
    { name: 'tls-crypt-v2', options: { wrap: 'tls-crypt-v2', ...over(LOSSY) } },
    {
      name: 'tls-crypt-v2, a small MTU',
      options: { wrap: 'tls-crypt-v2', ...over({ mtu: 1_200 }) },
    },
    { name: 'a long way', options: over({ delayMs: 400, jitterMs: 200 }) },
    { name: 'reordering', options: over({ delayMs: 10, jitterMs: 20, reorderPercent: 50 }) },
    { name: 'duplicates', options: over({ delayMs: 10, jitterMs: 5, duplicatePercent: 50 }) },
    { name: 'changed bits', options: over({ delayMs: 10, corruptPercent: 15 }) },
    { name: 'a modem', options: over({ rate: { bytesPerMs: 2, queueBytes: 4_000 } }) },
    { name: 'a small MTU', options: over({ delayMs: 10, mtu: 1_200 }) },
    { name: 'loss of what the client says', options: { toServer: { lossPercent: 30 } } },
    { name: 'loss of what the server says', options: { toClient: { lossPercent: 30 } } },
    {
      name: 'TLS 1.2',
      options: { server: { tlsVersionMax: '1.2' }, ...over({ lossPercent: 10 }) },
    },
  ])(`connects in every one of ${SEEDS} seeds over $name`, async ({ options }) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const pair = await Pair.connected({ seed, ...options });
      expect(pair.client.info.ipv4?.address).toBe('10.8.0.2');
      await pair.stop();
    }
  });

  test('names the seed when there is no tunnel', async () => {
    const deaf = { seed: 7, toServer: { lossPercent: 100 } };
    await expect(Pair.connected(deaf)).rejects.toThrow(/seed 7: .*S_PRE_START/);
  });

  test('gives the client up when the server is silent for hand-window', async () => {
    const pair = await Pair.open({ toClient: { lossPercent: 100 } });
    await pair.advance(59_999);
    expect(pair.clientEnding).toBeNull();
    await pair.advance(1);
    expect(pair.clientEnding).toMatchObject({ code: 'OVPN_WRAP_UNANSWERED' });
    expect(pair.server.session).toBeUndefined();
  });

  test('carries no packet of which the line has changed a bit', async () => {
    const busy = await BusyPair.connected(over({ delayMs: 10, corruptPercent: 30 }), 5);
    await busy.pair.advance(10_000);
    const { datachannel } = busy.pair.client.stats.drops;
    await busy.end();
    expect(datachannel?.['bad-auth']).toBeGreaterThan(0);
    for (const traffic of [busy.up, busy.down]) {
      expect(traffic.faults).toEqual([]);
      expect(traffic.received / traffic.sent).toBeCloseTo(0.7, 1);
    }
  });

  test('leaves no timer that would fire after both ends have stopped', async () => {
    const pair = await Pair.connected(over({ delayMs: 10 }));
    await pair.stop();
    const stoppedAt = pair.clock.now();
    while (pair.clock.step());
    // Datagrams on their way still arrive, at nobody.
    expect(pair.clock.now() - stoppedAt).toBeLessThanOrEqual(10);
  });
});
