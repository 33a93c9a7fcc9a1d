import { describe, expect, test } from 'vitest';
import { ConnectDeadline, connectAborted } from '../../src/vpnclient/connect-deadline.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

function deadline(timeoutMs: number) {
  const clock = new VirtualClock();
  const caller = new AbortController();
  return {
    clock,
    caller,
    deadline: new ConnectDeadline({ signal: caller.signal, clock, timeoutMs }),
  };
}

describe('ConnectDeadline', () => {
  test('has no error while nothing has happened', () => {
    const { clock, deadline: never } = deadline(Number.POSITIVE_INFINITY);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(never.error).toBeUndefined();
    expect(never.signal.aborted).toBe(false);
    never.clear();
  });

  test('runs out: where it stood', () => {
    const { clock, deadline: short } = deadline(1500);
    clock.advance(1499);
    expect(short.signal.aborted).toBe(false);
    clock.advance(1);
    expect(short.signal.aborted).toBe(true);
    expect(short.error).toMatchObject({
      code: 'OVPN_DIAL_TIMEOUT',
      message: 'expected a tunnel within 1.5 s, got as far as connecting',
      initiator: 'user',
      phase: 'connecting',
      timeoutMs: 1500,
    });
  });

  test('does not run out after clear', () => {
    const { clock, deadline: cleared } = deadline(1500);
    cleared.clear();
    clock.advance(10_000);
    expect(cleared.error).toBeUndefined();
  });

  test('the caller’s abort: OVPN_ABORTED with the reason, also when time runs out later', () => {
    const { clock, caller, deadline: both } = deadline(1500);
    const reason = new Error('no longer wanted');
    caller.abort(reason);
    clock.advance(2000);
    expect(both.signal.reason).toBe(reason);
    expect(both.error).toMatchObject({ code: 'OVPN_ABORTED', cause: reason });
  });

  test('time that ran out counts before a later abort', () => {
    const { clock, caller, deadline: both } = deadline(1500);
    clock.advance(1500);
    caller.abort(new Error('too late'));
    expect(both.error).toMatchObject({ code: 'OVPN_DIAL_TIMEOUT' });
  });
});

describe('while a user is asked', () => {
  test('no time runs, and the rest of it runs after that', () => {
    const { clock, deadline: held } = deadline(1500);
    clock.advance(1000);
    held.hold();
    held.hold();
    clock.advance(60_000);
    expect(held.error).toBeUndefined();
    held.resume();
    held.resume();
    clock.advance(499);
    expect(held.error).toBeUndefined();
    clock.advance(1);
    expect(held.error).toMatchObject({ code: 'OVPN_DIAL_TIMEOUT', timeoutMs: 1500 });
  });

  test('the caller’s abort still counts', () => {
    const { caller, deadline: held } = deadline(1500);
    held.hold();
    caller.abort(new Error('enough'));
    expect(held.error).toMatchObject({ code: 'OVPN_ABORTED' });
  });

  test('nothing runs after clear', () => {
    const { clock, deadline: held } = deadline(1500);
    held.hold();
    held.clear();
    held.resume();
    clock.advance(10_000);
    expect(held.error).toBeUndefined();
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('connectAborted', () => {
  test('is the caller’s doing, and not to be tried again by itself', () => {
    expect(connectAborted('a reason')).toMatchObject({
      code: 'OVPN_ABORTED',
      initiator: 'user',
      retryable: false,
      cause: 'a reason',
    });
  });
});
