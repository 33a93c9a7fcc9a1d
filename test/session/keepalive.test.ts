import { describe, expect, test } from 'vitest';
import { DEFAULT_PING_RESTART_MS, keepaliveOf } from '../../src/session/keepalive.ts';

const PUSHED_NOTHING = { pingMs: undefined, pingRestartMs: undefined, pingExitMs: undefined };
const PROFILE = { pingMs: 5_000, pingRestartMs: 30_000, pingExitMs: 40_000 };
const EMPTY_PROFILE = { pingMs: 0, pingRestartMs: undefined, pingExitMs: 0 };

describe('keepaliveOf', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the push counts',           push: { pingMs: 1_000, pingRestartMs: 2_000, pingExitMs: 3_000 }, profile: PROFILE, protocol: 'udp', expected: { pingMs: 1_000, pingRestartMs: 2_000, pingExitMs: 3_000 } },
    { name: 'else the profile',          push: PUSHED_NOTHING,                                             profile: PROFILE, protocol: 'udp', expected: PROFILE },
    { name: 'a pushed 0 switches off',   push: { pingMs: 0, pingRestartMs: 0, pingExitMs: 0 },             profile: PROFILE, protocol: 'udp', expected: { pingMs: 0, pingRestartMs: 0, pingExitMs: 0 } },
    { name: 'else the default over UDP', push: PUSHED_NOTHING, profile: EMPTY_PROFILE, protocol: 'udp', expected: { pingMs: 0, pingRestartMs: DEFAULT_PING_RESTART_MS, pingExitMs: 0 } },
    { name: 'else nothing over TCP',     push: PUSHED_NOTHING, profile: EMPTY_PROFILE, protocol: 'tcp', expected: { pingMs: 0, pingRestartMs: 0, pingExitMs: 0 } },
  ] as const)('$name', ({ push, profile, protocol, expected }) => {
    expect(keepaliveOf(push, profile, protocol)).toEqual(expected);
  });
});
