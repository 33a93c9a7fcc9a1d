import { describe, expect, test } from 'vitest';
import { Pair } from './pair.ts';

/** Handshakes at one level, each with a seed of its own: 1 … SEEDS. */
export const SEEDS = 1_000;

/** A loss costs half a second, so times come in steps: they may differ little, ranks somewhat more. */
const TIME_TOLERANCE = 0.02;
const RANK_TOLERANCE = 0.03;

/** Virtual milliseconds from the client's first packet to a tunnel at both ends. */
export interface HandshakeTimes {
  readonly p50: number;
  readonly p90: number;
}

/**
 * Connects over a line that loses so much each way, once a seed: every one must get a tunnel within
 * `hand-window`. Seeds make the times repeatable but for a few, as the length of a signature shifts
 * where TLS is cut; a change of the quantiles is a change of the protocol.
 */
export function testHandshakes(lossPercent: number, expected: HandshakeTimes): void {
  describe(`handshakes at ${lossPercent} % loss each way`, () => {
    test(`connect in every one of ${SEEDS} seeds`, async () => {
      const line = { delayMs: 10, jitterMs: 5, lossPercent };
      const times: number[] = [];
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const pair = await Pair.connected({ seed, toServer: line, toClient: line });
        times.push(pair.clock.now());
        await pair.stop();
      }
      times.sort((a, b) => a - b);
      const [p50, p90, longest] = [quantile(times, 0.5), quantile(times, 0.9), quantile(times, 1)];
      process.stdout.write(
        `handshake at ${column(lossPercent, 2)} % loss: ${column(times.length, 5)} connected, p50 ${column(p50, 6)} ms, p90 ${column(p90, 6)} ms, longest ${column(longest, 6)} ms\n`,
      );
      expectQuantile(times, 0.5, expected.p50);
      expectQuantile(times, 0.9, expected.p90);
    });
  });
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN);
}

function expectQuantile(times: readonly number[], share: number, expected: number): void {
  const below = (limit: number) => times.filter((time) => time < limit).length / times.length;
  expect(below(expected * (1 + TIME_TOLERANCE))).toBeGreaterThanOrEqual(share - RANK_TOLERANCE);
  expect(below(expected * (1 - TIME_TOLERANCE))).toBeLessThanOrEqual(share + RANK_TOLERANCE);
}

function column(value: number, width: number): string {
  return value.toLocaleString('en').padStart(width);
}
