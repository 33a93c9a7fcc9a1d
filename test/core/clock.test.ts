import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backgroundClock, MAX_TIMER_DELAY_MS, systemClock } from '../../src/core/clock.ts';
import { Pump } from '../../src/core/pump.ts';

describe('systemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    { name: 'a deadline ahead', delay: 1500, early: 1499 },
    { name: 'a fraction of a millisecond', delay: 0.25, early: 0 },
  ])('fires once, not before its time: $name', ({ delay, early }) => {
    let fired = 0;
    systemClock.setTimer(systemClock.now() + delay, () => {
      fired += 1;
    });
    vi.advanceTimersByTime(early);
    expect(fired).toBe(0);
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(10_000);
    expect(fired).toBe(1);
  });

  test('a deadline that has passed fires as soon as possible', () => {
    let fired = false;
    systemClock.setTimer(systemClock.now() - 50, () => {
      fired = true;
    });
    vi.advanceTimersByTime(1);
    expect(fired).toBe(true);
  });

  test('a cancelled timer or immediate does not fire, and may be cancelled twice', () => {
    const cancels = [
      systemClock.setTimer(systemClock.now() + 10, () => expect.unreachable()),
      systemClock.setImmediate(() => expect.unreachable()),
    ];
    for (const cancel of [...cancels, ...cancels]) cancel();
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])(
    'never gives Node a delay it would turn into 1 ms: %d ms',
    (delay) => {
      const cancel = systemClock.setTimer(systemClock.now() + delay, () => expect.unreachable());
      vi.advanceTimersByTime(MAX_TIMER_DELAY_MS - 1);
      cancel();
    },
  );

  test('a pump reaches a deadline further away than one timer, in steps and once', () => {
    const at = systemClock.now() + 2 * MAX_TIMER_DELAY_MS + 5000;
    let due = at;
    let turns = 0;
    const fired: number[] = [];
    const pump = new Pump(systemClock, (error) => expect.unreachable(String(error)));
    pump.add({
      name: 'far',
      nextTimeout: () => due,
      onTimeout: (now) => {
        fired.push(now);
        due = Number.POSITIVE_INFINITY;
      },
      endOfBurst: () => {
        turns += 1;
      },
    });
    vi.advanceTimersByTime(2 * MAX_TIMER_DELAY_MS + 4000);
    expect([fired.length, turns]).toEqual([0, 3]);
    vi.advanceTimersByTime(2000);
    expect(fired).toHaveLength(1);
    expect(fired[0]).toBeGreaterThanOrEqual(at);
    pump.stop();
  });

  test('tells whole seconds since 1970', () => {
    vi.setSystemTime(1_800_000_000_999);
    expect(systemClock.unixSeconds()).toBe(1_800_000_000);
  });
});

describe('backgroundClock', () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

  test('its timers fire, but keep no process alive', async () => {
    const before = timers();
    const cancel = backgroundClock.setTimer(backgroundClock.now() + 60_000, () => {});
    expect(timers()).toBe(before);
    cancel();
    await new Promise<void>((resolve) => {
      backgroundClock.setTimer(backgroundClock.now() + 1, resolve);
      systemClock.setTimer(systemClock.now() + 1000, () => {});
    });
    expect(timers()).toBe(before + 1);
  });

  test('is the system’s in all else', () => {
    expect(backgroundClock.unixSeconds()).toBe(systemClock.unixSeconds());
    expect(Math.abs(backgroundClock.now() - systemClock.now())).toBeLessThan(1000);
  });
});
