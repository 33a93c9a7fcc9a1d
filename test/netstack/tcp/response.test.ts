import { describe, expect, test } from 'vitest';
import type { Congestion } from '../../../src/netstack/tcp/congestion.ts';
import { cubic, newReno } from '../../../src/netstack/tcp/congestion-choice.ts';
import { ackRound } from './ack-round.ts';

const MSS = 1000;
const EPOCHS = 24;
const SETTLED = 12;
/** No slow start: from here the window finds its level by itself. */
const SETTLING = 100;

interface Path {
  readonly roundTripMs: number;
  /** One segment in so many is lost. */
  readonly interval: number;
  readonly segmentsPerAck: number;
}

/** Average window in segments when the window is always full and losses come at even distance. */
function averageWindow(congestion: Congestion, path: Path): number {
  const { roundTripMs, interval, segmentsPerAck } = path;
  let now = 0;
  let windowTime = 0;
  let since = 0;
  congestion.onLoss(SETTLING * MSS, now);
  for (let epoch = 0; epoch < EPOCHS; epoch += 1) {
    if (epoch === SETTLED) {
      since = now;
      windowTime = 0;
    }
    for (let segments = 0; segments < interval; segments += segmentsPerAck) {
      const gap = (roundTripMs * segmentsPerAck * MSS) / congestion.cwnd;
      now += gap;
      windowTime += gap * congestion.cwnd;
      congestion.onAck(segmentsPerAck * MSS, ackRound({ now, smoothedMs: roundTripMs }));
    }
    congestion.onLoss(congestion.cwnd, now);
    now += roundTripMs;
    windowTime += roundTripMs * congestion.cwnd;
    congestion.onRecovered(congestion.cwnd, now);
  }
  return windowTime / (now - since) / MSS;
}

function off(measured: number, expected: number): number {
  return Math.abs(measured / expected - 1);
}

describe('the response function of CUBIC (RFC 9438 §5.1)', () => {
  test.each([
    { region: 'Reno-friendly', roundTripMs: 100, interval: 1_000, segmentsPerAck: 1, window: 38 },
    { region: 'cubic', roundTripMs: 100, interval: 10_000, segmentsPerAck: 2, window: 187 },
    { region: 'cubic', roundTripMs: 100, interval: 100_000, segmentsPerAck: 16, window: 1054 },
    { region: 'cubic', roundTripMs: 100, interval: 1_000_000, segmentsPerAck: 64, window: 5926 },
    { region: 'Reno-friendly', roundTripMs: 10, interval: 10_000, segmentsPerAck: 2, window: 120 },
    {
      region: 'Reno-friendly',
      roundTripMs: 10,
      interval: 100_000,
      segmentsPerAck: 16,
      window: 379,
    },
  ])('$region: $window segments at $roundTripMs ms, one in $interval lost', (path) => {
    const measured = averageWindow(cubic(MSS), path);
    expect(off(measured, path.window)).toBeLessThan(0.1);
  });

  test('an acknowledgement for sixteen segments makes no difference', () => {
    const path = { roundTripMs: 100, interval: 100_000 };
    const single = averageWindow(cubic(MSS), { ...path, segmentsPerAck: 1 });
    const burst = averageWindow(cubic(MSS), { ...path, segmentsPerAck: 16 });
    expect(off(burst, single)).toBeLessThan(0.02);
  });
});

describe('the response function of NewReno', () => {
  test.each([
    { interval: 1_000, segmentsPerAck: 1, window: 38 },
    { interval: 100_000, segmentsPerAck: 16, window: 387 },
  ])('$window segments when one in $interval is lost (√(3/2p))', (path) => {
    const measured = averageWindow(newReno(MSS), { roundTripMs: 100, ...path });
    expect(off(measured, path.window)).toBeLessThan(0.1);
  });
});
