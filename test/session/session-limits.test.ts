import { describe, expect, test } from 'vitest';
import { limitsOf, SessionLimits } from '../../src/session/session-limits.ts';

class Watched {
  bytes = 0;
  readonly errors: { code: string; phase: string; retryable: boolean }[] = [];
  readonly limits = new SessionLimits(
    () => this.bytes,
    ({ code, phase, retryable }) => this.errors.push({ code, phase, retryable }),
  );

  /** So many bytes pass at `now`. */
  pass(bytes: number, now: number): void {
    this.bytes += bytes;
    this.limits.endOfBurst(now);
  }

  /** Fires all deadlines up to `until`, as the pump does; gives when it ended. */
  run(until: number): number | undefined {
    for (;;) {
      const at = this.limits.nextTimeout();
      if (at > until) return undefined;
      this.limits.onTimeout(at);
      if (this.errors.length > 0) return at;
    }
  }
}

describe('inactive', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; bytes: number; passed: [bytes: number, at: number][]; endsAt: number | undefined }>([
    { name: 'nothing passes',                      bytes: 0,   passed: [],                              endsAt: 1_000 },
    { name: 'any byte counts',                     bytes: 0,   passed: [[1, 600]],                      endsAt: 1_600 },
    { name: 'too few bytes do not',                bytes: 100, passed: [[99, 600]],                     endsAt: 1_000 },
    { name: 'enough of them do, from the last on', bytes: 100, passed: [[60, 300], [60, 900]],          endsAt: 1_900 },
    { name: 'they begin anew then',                bytes: 100, passed: [[100, 500], [99, 1_400]],       endsAt: 1_500 },
    { name: 'traffic keeps it',                    bytes: 10,  passed: [[10, 900], [10, 1_800], [10, 2_700]], endsAt: undefined },
  ])('$name', ({ bytes, passed, endsAt }) => {
    const watched = new Watched();
    watched.limits.configure({ inactive: { ms: 1_000, bytes }, sessionTimeoutMs: 0 }, 0);
    let ended: number | undefined;
    for (const [count, at] of passed) {
      ended ??= watched.run(at);
      watched.pass(count, at);
    }
    ended ??= watched.run(3_000);
    expect(ended).toBe(endsAt);
    if (endsAt === undefined) return;
    expect(watched.errors).toEqual([{ code: 'OVPN_INACTIVE', phase: 'inactive', retryable: false }]);
    expect(watched.limits.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('what came in the very run of the deadline counts', () => {
    const watched = new Watched();
    watched.limits.configure({ inactive: { ms: 1_000, bytes: 0 }, sessionTimeoutMs: 0 }, 0);
    watched.bytes = 1;
    watched.limits.onTimeout(1_000);
    expect(watched.errors).toEqual([]);
    expect(watched.limits.nextTimeout()).toBe(2_000);
  });
});

describe('session-timeout', () => {
  test('ends the session whatever passes', () => {
    const watched = new Watched();
    watched.limits.configure({ inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 5_000 }, 100);
    watched.pass(1_000, 4_000);
    expect(watched.run(10_000)).toBe(5_100);
    expect(watched.errors).toEqual([
      { code: 'OVPN_SESSION_TIMEOUT', phase: 'session-timeout', retryable: false },
    ]);
  });

  test('a later change counts from the beginning', () => {
    const watched = new Watched();
    watched.limits.configure({ inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 5_000 }, 100);
    watched.limits.configure({ inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 9_000 }, 4_000);
    expect(watched.run(10_000)).toBe(9_100);
  });

  test('both off: no deadline', () => {
    const watched = new Watched();
    watched.limits.configure({ inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 0 }, 0);
    watched.pass(10, 10);
    expect(watched.limits.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('limitsOf', () => {
  const profile = { inactive: { ms: 1_000, bytes: 5 }, sessionTimeoutMs: 7_000 };

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the profile',                 push: { inactiveMs: undefined, inactiveBytes: undefined, sessionTimeoutMs: undefined }, profile,     expected: profile },
    { name: 'the push before the profile', push: { inactiveMs: 2_000, inactiveBytes: 9, sessionTimeoutMs: 3_000 },         profile,     expected: { inactive: { ms: 2_000, bytes: 9 }, sessionTimeoutMs: 3_000 } },
    { name: 'a push may switch off',       push: { inactiveMs: 0, inactiveBytes: undefined, sessionTimeoutMs: 0 },                 profile,     expected: { inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 0 } },
    { name: 'nothing said',                push: { inactiveMs: undefined, inactiveBytes: undefined, sessionTimeoutMs: undefined }, profile: {}, expected: { inactive: { ms: 0, bytes: 0 }, sessionTimeoutMs: 0 } },
  ])('$name', ({ push, profile, expected }) => {
    expect(limitsOf(push, profile)).toEqual(expected);
  });
});
