import { describe, expect, test } from 'vitest';
import { Keepalive } from '../../src/datachannel/keepalive.ts';
import { LinkActivity } from '../../src/model/link-activity.ts';

const OFF = { pingMs: 0, pingRestartMs: 0, pingExitMs: 0 };
const NEVER = Number.POSITIVE_INFINITY;

describe('Keepalive', () => {
  test('does nothing until it is configured', () => {
    const keepalive = new Keepalive(new LinkActivity(0));
    keepalive.onTimeout(1e9);
    expect(keepalive.nextTimeout()).toBe(NEVER);
    expect(keepalive.takePing()).toBe(false);
    expect(keepalive.takeTimeout()).toBeUndefined();
  });

  test('owes a ping when nothing was sent, once an interval', () => {
    const activity = new LinkActivity(1000);
    const keepalive = new Keepalive(activity);
    keepalive.configure({ ...OFF, pingMs: 10_000 });
    expect(keepalive.nextTimeout()).toBe(11_000);
    keepalive.onTimeout(10_999);
    expect(keepalive.takePing()).toBe(false);
    keepalive.onTimeout(11_000);
    expect(keepalive.takePing()).toBe(true);
    expect(keepalive.takePing()).toBe(false);
    activity.sentAt = 11_000;
    expect(keepalive.nextTimeout()).toBe(21_000);
  });

  test('owes none while something is sent', () => {
    const activity = new LinkActivity(0);
    const keepalive = new Keepalive(activity);
    keepalive.configure({ ...OFF, pingMs: 10_000 });
    activity.sentAt = 7000;
    keepalive.onTimeout(10_000);
    expect(keepalive.takePing()).toBe(false);
    expect(keepalive.nextTimeout()).toBe(17_000);
    keepalive.onTimeout(17_000);
    expect(keepalive.takePing()).toBe(true);
  });

  test('a ping that could not be sent does not keep the timer busy', () => {
    const keepalive = new Keepalive(new LinkActivity(0));
    keepalive.configure({ ...OFF, pingMs: 1000 });
    keepalive.onTimeout(5000);
    expect(keepalive.nextTimeout()).toBe(6000);
  });

  test.each([
    { phase: 'ping-restart', options: { pingRestartMs: 60_000 }, retryable: true },
    { phase: 'ping-exit', options: { pingExitMs: 60_000 }, retryable: false },
  ])('$phase gives up on a silent peer, once', ({ phase, options, retryable }) => {
    const activity = new LinkActivity(0);
    const keepalive = new Keepalive(activity);
    keepalive.configure({ ...OFF, pingMs: 10_000, ...options });
    activity.receivedAt = 30_000;
    keepalive.onTimeout(60_000);
    expect(keepalive.takeTimeout()).toBeUndefined();
    keepalive.onTimeout(89_999);
    expect(keepalive.takeTimeout()).toBeUndefined();
    keepalive.onTimeout(90_000);
    expect(keepalive.takeTimeout()).toMatchObject({
      code: 'OVPN_PING_TIMEOUT',
      phase,
      timeoutMs: 60_000,
      retryable,
    });
    keepalive.onTimeout(200_000);
    expect(keepalive.takeTimeout()).toBeUndefined();
    expect(keepalive.takePing()).toBe(false);
    expect(keepalive.nextTimeout()).toBe(NEVER);
  });

  test('the earlier of ping-restart and ping-exit counts', () => {
    const keepalive = new Keepalive(new LinkActivity(0));
    keepalive.configure({ pingMs: 0, pingRestartMs: 20_000, pingExitMs: 15_000 });
    expect(keepalive.nextTimeout()).toBe(15_000);
    keepalive.onTimeout(15_000);
    expect(keepalive.takeTimeout()?.phase).toBe('ping-exit');
  });

  test('a later configuration replaces the earlier one', () => {
    const keepalive = new Keepalive(new LinkActivity(0));
    keepalive.configure({ pingMs: 1000, pingRestartMs: 2000, pingExitMs: 3000 });
    keepalive.configure({ ...OFF, pingRestartMs: 120_000 });
    expect(keepalive.nextTimeout()).toBe(120_000);
    keepalive.onTimeout(3000);
    expect(keepalive.takePing()).toBe(false);
    expect(keepalive.takeTimeout()).toBeUndefined();
  });
});
