import { describe, expect, test } from 'vitest';
import type { Millis } from '../../src/core/machine.ts';
import { BulkFlow, losePackets } from './bulk-flow.ts';
import { CUBIC_BETA, cubicRecoveryMs, cubicWindow, renoWindow } from './response-function.ts';

/** How far from the model the measured value may be. */
const TOLERANCE = 0.2;

function expectNear(measured: number, model: number): void {
  expect(measured).toBeGreaterThan(model * (1 - TOLERANCE));
  expect(measured).toBeLessThan(model * (1 + TOLERANCE));
}

describe('the average window under a loss in every n packets', () => {
  test.each([
    { congestion: 'reno', roundTripMs: 40, period: 200 },
    { congestion: 'reno', roundTripMs: 40, period: 2000 },
    { congestion: 'reno', roundTripMs: 100, period: 1000 },
    { congestion: 'cubic', roundTripMs: 10, period: 200 },
    { congestion: 'cubic', roundTripMs: 40, period: 1000 },
    { congestion: 'cubic', roundTripMs: 100, period: 1000 },
    { congestion: 'cubic', roundTripMs: 100, period: 5000 },
    { congestion: 'cubic', roundTripMs: 200, period: 5000 },
  ] as const)('$congestion, $roundTripMs ms, 1 in $period', (row) => {
    const { congestion, roundTripMs, period } = row;
    const p = 1 / period;
    const model = congestion === 'reno' ? renoWindow(p) : cubicWindow(p, roundTripMs);
    // The first loss comes where the model's window ends slow start; losses come one at a time.
    const lose = losePackets([Math.round(2 * model)], period);
    const flow = new BulkFlow({
      link: { delayMs: roundTripMs / 2, lose },
      client: { congestion },
    });
    const cycleMs = (period / model) * roundTripMs;
    flow.run(10 * cycleMs);
    const rate = flow.run(20 * cycleMs);
    expect(flow.info.timeouts).toBe(0);
    expectNear((rate * roundTripMs) / flow.info.mss, model);
  });
});

describe('CUBIC after one loss', () => {
  test.each([
    { roundTripMs: 40, lost: 400 },
    { roundTripMs: 100, lost: 600 },
    { roundTripMs: 200, lost: 1500 },
  ])('is back at its window after K, $roundTripMs ms, packet $lost', ({ roundTripMs, lost }) => {
    const flow = new BulkFlow({
      link: { delayMs: roundTripMs / 2, lose: losePackets([lost]) },
      client: { congestion: 'cubic' },
    });
    const samples = flow.watch(30_000);
    const drop = samples.findIndex(({ cwnd }, index) => cwnd < (samples[index - 1]?.cwnd ?? 0));
    const lossAt = samples[drop]?.at ?? 0;
    const growing = samples.filter(({ at }) => at > lossAt + 2 * roundTripMs);
    const [{ cwnd: lowest } = { cwnd: 0 }] = growing;
    const around = growing.filter(({ cwnd }) => cwnd < 2 * lowest);
    const { at: plateauAt, cwnd: maxWindow } = slowest(around, 20 * roundTripMs);
    expect(maxWindow).toBeGreaterThan(100);
    expectNear(lowest, CUBIC_BETA * maxWindow);
    expectNear(plateauAt - lossAt, cubicRecoveryMs(maxWindow) + roundTripMs);
    expect(flow.info).toMatchObject({ retransmits: 1, timeouts: 0 });
  });
});

interface Sample {
  readonly at: Millis;
  readonly cwnd: number;
}

/** Where the window grows most slowly, seen over `spanMs`: at its last maximum (RFC 9438 §4.2). */
function slowest(samples: readonly Sample[], spanMs: Millis): Sample {
  let end = 0;
  let least = Number.POSITIVE_INFINITY;
  let found: Sample = { at: 0, cwnd: 0 };
  for (const { at, cwnd } of samples) {
    while (end < samples.length && (samples[end]?.at ?? 0) < at + spanMs) end += 1;
    const after = samples[end];
    if (after === undefined) break;
    if (after.cwnd - cwnd >= least) continue;
    least = after.cwnd - cwnd;
    found = { at: at + spanMs / 2, cwnd: (cwnd + after.cwnd) / 2 };
  }
  return found;
}
