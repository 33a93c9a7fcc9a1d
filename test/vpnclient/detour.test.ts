import { describe, expect, test } from 'vitest';
import { Detour } from '../../src/vpnclient/detour.ts';
import { pause } from '../../src/vpnclient/pause.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

describe('Detour', () => {
  test('a wish ends the leg, and is taken before the next one', () => {
    const detour = new Detour();
    const { signal } = detour;
    detour.ask('reconnect');
    expect([signal.aborted, detour.wish]).toEqual([true, 'reconnect']);
    expect(detour.begin()).toBe('reconnect');
    expect([detour.signal.aborted, detour.wish, detour.begin()]).toEqual([
      false,
      undefined,
      undefined,
    ]);
  });

  test('after stop() every leg is over before it begins, and wishes are not heard', () => {
    const detour = new Detour();
    const reason = new Error('closed');
    detour.ask('suspend');
    detour.stop(reason);
    expect(detour.begin()).toBeUndefined();
    expect(detour.signal.reason).toBe(reason);
    detour.ask('reconnect');
    expect(detour.wish).toBeUndefined();
  });

  test('rests until it is woken', async () => {
    const detour = new Detour();
    detour.begin();
    const rest = detour.rest();
    detour.wake();
    await rest;
    expect(detour.signal.aborted).toBe(false);
  });

  test('a rest ends with the leg, too', async () => {
    const detour = new Detour();
    const rest = detour.rest();
    const reason = new Error('closed');
    detour.stop(reason);
    await expect(rest).rejects.toBe(reason);
    await expect(detour.rest()).rejects.toBe(reason);
  });

  test('woken before the rest began, it does not begin', () => {
    const detour = new Detour();
    detour.ask('suspend');
    detour.wake();
    expect(detour.begin()).toBe('reconnect');
  });
});

describe('pause', () => {
  test('is as long as it says', async () => {
    const clock = new VirtualClock();
    let over = false;
    void pause(clock, 500, new AbortController().signal).then(() => {
      over = true;
    });
    await Promise.resolve();
    const before = clock.now();
    while (!over && clock.now() - before < 10_000) {
      clock.step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(clock.now() - before).toBe(500);
  });

  test('ends with its signal, and sets no timer for 0', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    await pause(clock, 0, stop.signal);
    const waiting = pause(clock, 500, stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(pause(clock, 0, stop.signal)).rejects.toBe(reason);
    expect(clock.busy).toBe(false);
  });
});
