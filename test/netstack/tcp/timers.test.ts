import { describe, expect, test } from 'vitest';
import { Timer, Timers } from '../../../src/netstack/tcp/timers.ts';

describe('Timers', () => {
  test('knows its earliest deadline, and takes what is due once', () => {
    const timers = new Timers();
    expect(timers.next()).toBe(Number.POSITIVE_INFINITY);
    timers.set(Timer.KEEPALIVE, 50);
    timers.set(Timer.RETRANSMIT, 20);
    expect(timers.next()).toBe(20);
    expect(timers.take(Timer.RETRANSMIT, 19)).toBe(false);
    expect(timers.take(Timer.RETRANSMIT, 20)).toBe(true);
    expect(timers.take(Timer.RETRANSMIT, 20)).toBe(false);
    expect(timers.isSet(Timer.KEEPALIVE)).toBe(true);
    timers.clear(Timer.KEEPALIVE);
    expect(timers.next()).toBe(Number.POSITIVE_INFINITY);
  });
});
