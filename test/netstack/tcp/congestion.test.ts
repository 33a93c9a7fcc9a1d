import { describe, expect, test } from 'vitest';
import {
  initialWindow,
  thresholdAfterIdle,
  windowAfterRecovery,
} from '../../../src/netstack/tcp/congestion.ts';
import { newReno } from '../../../src/netstack/tcp/congestion-choice.ts';

const MSS = 1000;

describe('initialWindow', () => {
  test.each([
    { mss: 536, bytes: 5360 },
    { mss: 1348, bytes: 13_480 },
    { mss: 1460, bytes: 14_600 },
    { mss: 2000, bytes: 14_600 },
    { mss: 9000, bytes: 18_000 },
  ])('at $mss it is $bytes (RFC 6928)', ({ mss, bytes }) => {
    expect(initialWindow(mss)).toBe(bytes);
    expect(newReno(mss).cwnd).toBe(bytes);
  });
});

describe('windowAfterRecovery', () => {
  test.each([
    {
      name: 'ssthresh, when that makes no burst',
      ssthresh: 12_000,
      inFlight: 9_000,
      bytes: 12_000,
    },
    { name: 'an initial window more at most', ssthresh: 90_000, inFlight: 3_000, bytes: 13_000 },
    { name: 'less than is in flight', ssthresh: 10_000, inFlight: 50_000, bytes: 10_000 },
  ])('$name', ({ ssthresh, inFlight, bytes }) => {
    expect(windowAfterRecovery(ssthresh, inFlight, MSS)).toBe(bytes);
  });
});

describe('thresholdAfterIdle', () => {
  test('keeps three quarters of the window', () => {
    expect(thresholdAfterIdle(10_000, 100_000)).toBe(75_000);
  });

  test('never lowers ssthresh', () => {
    expect(thresholdAfterIdle(90_000, 100_000)).toBe(90_000);
  });
});
