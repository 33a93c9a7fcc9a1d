import { describe, expect, test } from 'vitest';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { OvpnConfigError, OvpnProtocolError } from '../../src/core/errors.ts';
import type { Profile } from '../../src/model/profile.ts';
import { NO_PUSH_OPTIONS, type PushOptions } from '../../src/model/push-options.ts';
import { read } from './sample-profile.ts';

/** What a careless parser takes for a number, and what a careless timer cannot hold. */
const VALUES: readonly string[] = [
  '-1',
  '0',
  '1',
  '+1',
  '01',
  '2147484',
  '4294967296',
  '1000000000',
  '1e9',
  '1e3',
  '0x10',
  '0b1',
  '1_0',
  '1.5',
  '1s',
  ' 1',
  'NaN',
  'Infinity',
  '٣',
  '１',
  '00000000001',
  '99999999999',
  '',
];

/** Directives with one number, and which of the values they take. */
const DIRECTIVES: readonly {
  readonly directive: string;
  readonly taken: readonly string[];
  readonly field: keyof Profile;
}[] = [
  { directive: 'ping', taken: ['0', '1', '01'], field: 'pingMs' },
  { directive: 'ping-restart', taken: ['0', '1', '01'], field: 'pingRestartMs' },
  { directive: 'ping-exit', taken: ['0', '1', '01'], field: 'pingExitMs' },
  { directive: 'hand-window', taken: ['1', '01'], field: 'handWindowMs' },
  { directive: 'tran-window', taken: ['1', '01', '2147484'], field: 'tranWindowMs' },
  { directive: 'tls-timeout', taken: ['1', '01'], field: 'tlsTimeoutMs' },
  { directive: 'reneg-sec', taken: ['0', '1', '01', '2147484'], field: 'renegSecMs' },
  {
    directive: 'reneg-bytes',
    taken: ['0', '1', '01', '2147484', '4294967296', '1000000000'],
    field: 'renegBytes',
  },
  {
    directive: 'reneg-pkts',
    taken: ['0', '1', '01', '2147484', '4294967296', '1000000000'],
    field: 'renegPackets',
  },
  { directive: 'server-poll-timeout', taken: ['1', '01'], field: 'serverPollTimeoutMs' },
  { directive: 'connect-timeout', taken: ['1', '01'], field: 'serverPollTimeoutMs' },
  { directive: 'explicit-exit-notify', taken: ['0', '1', '01'], field: 'explicitExitNotify' },
  { directive: 'tun-mtu', taken: [], field: 'tunMtu' },
  { directive: 'mssfix', taken: ['0', '1', '01'], field: 'mssfix' },
  { directive: 'replay-window', taken: ['0', '1', '01'], field: 'replayWindow' },
  { directive: 'inactive', taken: ['0', '1', '01', '2147484'], field: 'inactive' },
  { directive: 'session-timeout', taken: ['0', '1', '01', '2147484'], field: 'sessionTimeoutMs' },
  { directive: 'connect-retry', taken: ['0', '1', '01'], field: 'connectRetry' },
  { directive: 'connect-retry-max', taken: ['0', '1', '01'], field: 'connectRetryMax' },
  { directive: 'resolv-retry', taken: ['0', '1', '01', '2147484'], field: 'resolvRetryMs' },
  { directive: 'lport', taken: ['0', '1', '01'], field: 'local' },
  { directive: 'fragment', taken: [], field: 'fragment' },
  { directive: 'max-packet-size', taken: ['1', '01'], field: 'mssfix' },
  { directive: 'port', taken: ['1', '01'], field: 'remotes' },
  { directive: 'rport', taken: ['1', '01'], field: 'remotes' },
  { directive: 'key-direction', taken: ['0', '1', '01'], field: 'ignored' },
];

/** Options of a push with one number; the others of the values have no effect, or end the session. */
const PUSHED: readonly {
  readonly option: string;
  readonly taken: readonly string[];
  readonly field: keyof PushOptions;
  readonly otherwise: 'ignored' | 'OVPN_PUSH_INVALID';
}[] = [
  { option: 'ping', taken: ['0', '1', '01'], field: 'pingMs', otherwise: 'ignored' },
  { option: 'ping-restart', taken: ['0', '1', '01'], field: 'pingRestartMs', otherwise: 'ignored' },
  { option: 'ping-exit', taken: ['0', '1', '01'], field: 'pingExitMs', otherwise: 'ignored' },
  { option: 'inactive', taken: ['0', '1', '01'], field: 'inactiveMs', otherwise: 'ignored' },
  {
    option: 'session-timeout',
    taken: ['0', '1', '01'],
    field: 'sessionTimeoutMs',
    otherwise: 'ignored',
  },
  {
    option: 'explicit-exit-notify',
    taken: ['0', '1', '01'],
    field: 'explicitExitNotify',
    otherwise: 'ignored',
  },
  { option: 'tun-mtu', taken: [], field: 'tunMtu', otherwise: 'ignored' },
  {
    option: 'peer-id',
    taken: ['0', '1', '01', '2147484'],
    field: 'peerId',
    otherwise: 'OVPN_PUSH_INVALID',
  },
];

/** The longest that any timer may run: a longer one would fire at once in Node. Unit: ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

function problemOf(read: () => unknown): OvpnConfigError | OvpnProtocolError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof OvpnConfigError || error instanceof OvpnProtocolError) return error;
    throw error;
  }
}

describe('numbers of a profile', () => {
  test.each(DIRECTIVES)('$directive takes $taken', ({ directive, taken, field }) => {
    for (const value of VALUES) {
      const line = `${directive} "${value}"`;
      const error = problemOf(() => read(line));
      expect({ value, taken: error === undefined }).toEqual({
        value,
        taken: taken.includes(value),
      });
      if (error instanceof OvpnConfigError) expect(error.directive).toBe(directive);
      else expect(Number.isNaN(read(line)[field])).toBe(false);
    }
  });

  test.each([
    { value: '86400', taken: true },
    { value: '86401', taken: false },
  ])('ping $value', ({ value, taken }) => {
    expect(problemOf(() => read(`ping ${value}`)) === undefined).toBe(taken);
  });
});

describe('numbers of a push', () => {
  test.each(PUSHED)('$option takes $taken', ({ option, taken, field, otherwise }) => {
    for (const value of VALUES) {
      const text = `${option} "${value}"`;
      const error = problemOf(() => readPushOptions([text]));
      if (taken.includes(value)) {
        const push = readPushOptions([text]);
        expect([push[field], push.ignored]).toEqual([expect.any(Number), []]);
      } else if (otherwise === 'ignored') {
        const { texts: _texts, ignored, ...rest } = readPushOptions([text]);
        const { texts: _none, ignored: _nothing, ...untouched } = NO_PUSH_OPTIONS;
        expect(rest).toEqual(untouched);
        expect(ignored).toEqual([{ option: expect.any(String), reason: expect.any(String) }]);
      } else {
        expect({ value, code: error?.code }).toEqual({ value, code: otherwise });
      }
    }
  });

  test.each(['ping', 'ping-restart', 'ping-exit', 'inactive', 'session-timeout'])(
    '%s is a day at most, and at least a second unless it is off',
    (option) => {
      const msOf = (value: string): unknown =>
        Object.values(readPushOptions([`${option} ${value}`])).find((ms) => typeof ms === 'number');
      expect([msOf('0'), msOf('1'), msOf('86400')]).toEqual([0, 1000, 86_400_000]);
      expect(msOf('86401')).toBeUndefined();
      expect(86_400_000).toBeLessThan(LONGEST_TIMER_MS);
    },
  );

  test.each([
    { value: '575', mtu: undefined },
    { value: '576', mtu: 576 },
    { value: '9000', mtu: 9000 },
    { value: '9001', mtu: undefined },
  ])('tun-mtu $value', ({ value, mtu }) => {
    expect(readPushOptions([`tun-mtu ${value}`]).tunMtu).toBe(mtu);
  });
});
