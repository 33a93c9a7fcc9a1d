import { describe, expect, test } from 'vitest';
import { ProcessHold } from '../../src/vpnclient/process-hold.ts';

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('ProcessHold', () => {
  test('keeps the process alive between begin and end, once', () => {
    const before = timers();
    const hold = new ProcessHold();
    expect(timers()).toBe(before);
    hold.begin();
    hold.begin();
    expect(timers()).toBe(before + 1);
    hold.end();
    hold.end();
    expect(timers()).toBe(before);
  });

  test('unref lets it end, before begin or after; ref undoes that', () => {
    const before = timers();
    const hold = new ProcessHold();
    hold.unref();
    expect(hold.referenced).toBe(false);
    hold.begin();
    expect(timers()).toBe(before);
    hold.ref();
    expect(timers()).toBe(before + 1);
    hold.unref();
    expect(timers()).toBe(before);
    hold.end();
    hold.ref();
    expect(hold.referenced).toBe(true);
    expect(timers()).toBe(before);
  });
});
