import { describe, expect, test } from 'vitest';
import { WindowTuning } from '../../../src/netstack/tcp/window-tuning.ts';

describe('WindowTuning', () => {
  test('grows to twice what is read in a round trip, no further than its limit', () => {
    const tuning = new WindowTuning(1000, 5000);
    tuning.onEcho(1, 40);
    tuning.update(0, 100);
    tuning.onRead(1500);
    tuning.update(0, 139);
    expect(tuning.limit).toBe(1000);
    tuning.update(0, 140);
    expect(tuning.limit).toBe(3000);
    tuning.onRead(1_000_000);
    tuning.update(0, 180);
    expect(tuning.limit).toBe(5000);
  });

  test('does not shrink, and does not grow for a slow reader', () => {
    const tuning = new WindowTuning(1000, 5000);
    for (let now = 100; now < 1000; now += 40) {
      tuning.onRead(500);
      tuning.update(40, now);
    }
    expect(tuning.limit).toBe(1000);
  });

  test('takes an echo once, and none from the future', () => {
    const tuning = new WindowTuning(1000, 5000);
    tuning.onEcho(1, 40);
    tuning.onEcho(1, 4000);
    tuning.onEcho(2, -5);
    tuning.update(0, 100);
    tuning.onRead(1000);
    tuning.update(0, 140);
    expect(tuning.limit).toBe(2000);
  });
});
