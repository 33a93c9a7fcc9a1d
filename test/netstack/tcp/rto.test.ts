import { describe, expect, test } from 'vitest';
import { MAX_RTO_MS, Rto } from '../../../src/netstack/tcp/rto.ts';

describe('Rto', () => {
  test('is a second before the first sample', () => {
    expect(new Rto().valueMs).toBe(1000);
  });

  test.each([
    { samples: [400], smoothed: 400, variation: 200, timeout: 1200 },
    { samples: [400, 400], smoothed: 400, variation: 150, timeout: 1000 },
    { samples: [400, 1200], smoothed: 500, variation: 350, timeout: 1900 },
    { samples: [10], smoothed: 10, variation: 5, timeout: 210 },
    { samples: [50_000], smoothed: 50_000, variation: 25_000, timeout: MAX_RTO_MS },
  ])('after samples of $samples ms is $timeout (RFC 6298 §2)', (row) => {
    const rto = new Rto();
    for (const sample of row.samples) rto.sample(sample);
    expect(rto.smoothedMs).toBeCloseTo(row.smoothed);
    expect(rto.variationMs).toBeCloseTo(row.variation);
    expect(rto.valueMs).toBeCloseTo(row.timeout);
  });

  test('a round trip of nothing is a sample', () => {
    const rto = new Rto();
    rto.sample(0);
    rto.sample(80);
    expect(rto.smoothedMs).toBeCloseTo(10);
  });

  test('doubles up to a minute, and a sample ends that', () => {
    const rto = new Rto();
    rto.sample(100);
    const values: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      rto.backOff();
      values.push(rto.valueMs);
    }
    expect(values.slice(0, 3)).toEqual([600, 1200, 2400]);
    expect(values.slice(-3)).toEqual([60_000, 60_000, 60_000]);
    rto.sample(100);
    expect(rto.valueMs).toBe(300);
  });

  test('is three seconds after a lost SYN, but not where there was a sample', () => {
    const without = new Rto();
    without.backOff();
    without.afterSynLoss();
    expect(without.valueMs).toBe(3000);
    const withSample = new Rto();
    withSample.sample(100);
    withSample.afterSynLoss();
    expect(withSample.valueMs).toBe(300);
  });
});
