import { describe, expect, test } from 'vitest';
import { Pair } from './pair.ts';

const SEEDS = 100;

describe('the opening under tls-crypt-v2', () => {
  test(`is repaired by resent resets and resent wrapped keys, in ${SEEDS} seeds`, async () => {
    const line = { delayMs: 10, jitterMs: 5, lossPercent: 20 };
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const pair = await Pair.connected({
        seed,
        wrap: 'tls-crypt-v2',
        toServer: line,
        toClient: line,
      });
      expect(pair.clock.now()).toBeLessThan(60_000);
      await pair.stop();
    }
  });
});
