import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { IdleTimer } from '../../src/core/idle-timer.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

function timer(): { clock: VirtualClock; idle: IdleTimer; fired: number[] } {
  const clock = new VirtualClock();
  const fired: number[] = [];
  return { clock, idle: new IdleTimer(clock, () => fired.push(clock.now())), fired };
}

describe('IdleTimer', () => {
  test('is off by default', () => {
    const { clock, idle, fired } = timer();
    idle.touch(0);
    clock.advance(100_000);
    expect(fired).toEqual([]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('fires once after silence, exactly so long after the last touch', () => {
    const { clock, idle, fired } = timer();
    idle.set(100);
    clock.advance(60);
    idle.touch(clock.now());
    clock.advance(99);
    expect(fired).toEqual([]);
    clock.advance(1000);
    expect(fired).toEqual([160]);
  });

  test('begins anew with the next touch', () => {
    const { clock, idle, fired } = timer();
    idle.set(100);
    clock.advance(500);
    idle.touch(clock.now());
    clock.advance(500);
    expect(fired).toEqual([100, 600]);
  });

  test('0 switches off, another time starts from now', () => {
    const { clock, idle, fired } = timer();
    idle.set(100);
    clock.advance(50);
    idle.set(0);
    clock.advance(1000);
    idle.set(200);
    clock.advance(1000);
    expect(fired).toEqual([1250]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('stop switches off too', () => {
    const { clock, idle, fired } = timer();
    idle.set(10);
    idle.stop();
    idle.touch(clock.now());
    clock.advance(100);
    expect(fired).toEqual([]);
  });

  test('a thousand touches set no timer', () => {
    const clock = new VirtualClock();
    let timers = 0;
    const setTimer: Clock['setTimer'] = (at, callback) => {
      timers += 1;
      return clock.setTimer(at, callback);
    };
    const counting = new IdleTimer({ ...methodsOf(clock), setTimer }, () => expect.unreachable());
    counting.set(100);
    for (let touch = 0; touch < 1000; touch += 1) counting.touch(clock.now());
    expect(timers).toBe(1);
  });
});

function methodsOf(clock: VirtualClock) {
  return {
    now: () => clock.now(),
    unixSeconds: () => clock.unixSeconds(),
    setImmediate: (callback: () => void) => clock.setImmediate(callback),
  };
}
