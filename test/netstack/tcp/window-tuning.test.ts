import { describe, expect, test } from 'vitest';
import { WindowTuning } from '../../../src/netstack/tcp/window-tuning.ts';

describe('WindowTuning', () => {
  test('grows to twice what is read in a round trip, no further than its limit', () => {
    const tuning = new WindowTuning(1000, 5000);
    tuning.onEcho(1, 40);
    tuning.update(0, 100, true);
    tuning.onRead(500);
    tuning.update(0, 120, true);
    expect(tuning.limit).toBe(1000);
    tuning.onRead(1000);
    tuning.update(0, 139, true);
    expect(tuning.limit).toBe(3000);
    tuning.onRead(1_000_000);
    tuning.update(0, 180, true);
    expect(tuning.limit).toBe(5000);
  });

  test('does not shrink, and does not grow for a slow reader', () => {
    const tuning = new WindowTuning(1000, 5000);
    for (let now = 100; now < 1000; now += 40) {
      tuning.onRead(500);
      tuning.update(40, now, true);
    }
    expect(tuning.limit).toBe(1000);
  });

  test('takes an echo once, and none from the future', () => {
    const tuning = new WindowTuning(1000, 5000);
    tuning.onEcho(1, 40);
    tuning.onEcho(1, 4000);
    tuning.onEcho(2, -5);
    tuning.update(0, 100, true);
    tuning.onRead(1000);
    tuning.update(0, 140, true);
    expect(tuning.limit).toBe(2000);
  });

  test('does not grow while memory is short', () => {
    const tuning = new WindowTuning(1000, 5000);
    tuning.onEcho(1, 40);
    tuning.update(0, 100, true);
    tuning.onRead(1500);
    tuning.update(0, 140, false);
    expect(tuning.limit).toBe(1000);
    tuning.onRead(1500);
    tuning.update(0, 180, true);
    expect(tuning.limit).toBe(3000);
  });

  test('runs ahead of a rate that doubles from round to round', () => {
    const tuning = new WindowTuning(1000, 100_000);
    tuning.onEcho(1, 100);
    tuning.update(0, 0, true);
    const limits = [1000, 2000, 4000, 8000].map((bytes, round) => {
      tuning.onRead(bytes);
      tuning.update(0, 100 * (round + 1), true);
      return tuning.limit;
    });
    expect(limits).toEqual([2000, 8000, 16_000, 32_000]);
  });

  test('a reader that empties the buffer now and then is a slow one', () => {
    const tuning = new WindowTuning(1000, 100_000);
    tuning.onEcho(1, 10);
    tuning.update(0, 0, true);
    for (let now = 1000; now < 20_000; now += 1000) {
      tuning.onRead(1000);
      tuning.update(0, now, true);
    }
    expect(tuning.limit).toBe(1000);
  });

  test('believes a shorter round trip at once, a longer one little by little', () => {
    const tuning = new WindowTuning(1000, 5000);
    for (const [echo, age] of [80, 40, 120].entries()) tuning.onEcho(echo, age);
    expect(tuning.roundTrip).toBe(50);
  });

  test('without timestamps a round trip lasts until the window that was told is used up', () => {
    const tuning = new WindowTuning(1000, 5000);
    const edge = 0xffff_fff0;
    tuning.onProgress(edge - 1000, edge, 100);
    tuning.onProgress(edge - 500, edge + 500, 120);
    expect(tuning.roundTrip).toBe(0);
    tuning.onProgress(4, 1004, 140);
    expect(tuning.roundTrip).toBe(40);
    tuning.onProgress(1004, 2004, 170);
    expect(tuning.roundTrip).toBe(30);
  });

  test.each([
    { name: 'the shorter of window and sender', fallback: 15, limit: 1200 },
    { name: 'the window where the sender knows nothing', fallback: 0, limit: 2240 },
  ])('without timestamps it believes $name', ({ fallback, limit }) => {
    const tuning = new WindowTuning(1000, 100_000);
    tuning.update(fallback, 0, true);
    tuning.onProgress(0, 100, 0);
    tuning.onProgress(100, 200, 30);
    for (let now = 0; now < 90; now += 1) {
      tuning.onRead(40);
      tuning.update(fallback, now, true);
    }
    expect(tuning.limit).toBe(limit);
  });
});
