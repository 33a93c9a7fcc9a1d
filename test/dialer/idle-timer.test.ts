import { describe, expect, test } from 'vitest';
import { IdleTimer } from '../../src/dialer/idle-timer.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

function idleTimer() {
  const clock = new VirtualClock();
  const fired: number[] = [];
  return { clock, fired, timer: new IdleTimer(clock, () => fired.push(clock.now())) };
}

describe('IdleTimer', () => {
  test('fires after the last touch, once', () => {
    const { clock, fired, timer } = idleTimer();
    timer.set(100);
    clock.advance(60);
    timer.touch();
    clock.advance(1000);
    expect(fired).toEqual([160]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('fires again after it was touched again', () => {
    const { clock, fired, timer } = idleTimer();
    timer.set(100);
    clock.advance(150);
    timer.touch();
    clock.advance(150);
    expect(fired).toEqual([100, 250]);
  });

  test('0 and stop switch it off', () => {
    const { clock, fired, timer } = idleTimer();
    timer.set(100);
    timer.set(0);
    timer.touch();
    timer.set(100);
    timer.stop();
    timer.touch();
    clock.advance(1000);
    expect(fired).toEqual([]);
  });
});
