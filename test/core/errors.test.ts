import { describe, expect, test } from 'vitest';
import {
  assertNever,
  OvpnAuthError,
  OvpnConfigError,
  OvpnError,
  OvpnNetworkError,
  OvpnPeerError,
  OvpnProtocolError,
  OvpnTimeoutError,
  OvpnTlsError,
  OvpnUsageError,
  toError,
} from '../../src/core/errors.ts';

const layer = 'tlsstate';
const problem = {
  code: 'OVPN_CONFIG_REFUSED',
  directive: 'tls-verify',
  line: 4,
  message: 'runs a program',
} as const;

describe('the classes of errors', () => {
  test.each([
    {
      error: new OvpnUsageError('port out of range', 'dialer'),
      is: { name: 'OvpnUsageError', code: 'OVPN_USAGE', layer: 'dialer', initiator: 'user' },
    },
    {
      error: new OvpnConfigError([problem]),
      is: {
        name: 'OvpnConfigError',
        code: 'OVPN_CONFIG_REFUSED',
        directive: 'tls-verify',
        line: 4,
      },
    },
    {
      error: new OvpnProtocolError('bad', { layer, reference: 'RFC 5705' }),
      is: { name: 'OvpnProtocolError', code: 'OVPN_PROTOCOL', reference: 'RFC 5705' },
    },
    {
      error: new OvpnProtocolError('bad', { layer, code: 'OVPN_PUSH_INVALID' }),
      is: { code: 'OVPN_PUSH_INVALID', reference: undefined },
    },
    {
      error: new OvpnAuthError('OVPN_AUTH_TEMPORARY', 'no', {
        layer,
        reason: 'busy',
        backoffMs: 5,
      }),
      is: { name: 'OvpnAuthError', code: 'OVPN_AUTH_TEMPORARY', reason: 'busy', backoffMs: 5 },
    },
    {
      error: new OvpnPeerError('OVPN_PEER_RESTART', 'bye', { layer, retryable: true }),
      is: { name: 'OvpnPeerError', retryable: true, initiator: 'peer', reason: undefined },
    },
    {
      error: new OvpnTlsError('OVPN_TLS_FAILED', 'alert', { layer }),
      is: { name: 'OvpnTlsError', retryable: false },
    },
    {
      error: new OvpnNetworkError('OVPN_UNREACHABLE', 'no route', { layer, initiator: 'library' }),
      is: { name: 'OvpnNetworkError', initiator: 'library' },
    },
    {
      error: new OvpnTimeoutError('OVPN_PUSH_TIMEOUT', 'late', {
        layer,
        phase: 'push',
        timeoutMs: 9,
      }),
      is: { name: 'OvpnTimeoutError', phase: 'push', timeoutMs: 9, retryable: true },
    },
  ])('$error.name $error.code', ({ error, is }) => {
    expect(error).toBeInstanceOf(OvpnError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject(is);
  });

  test('keep the cause that is given and have none otherwise', () => {
    const cause = new Error('ECONNREFUSED');
    expect(new OvpnError('OVPN_UNREACHABLE', 'x', { layer, cause }).cause).toBe(cause);
    expect('cause' in new OvpnError('OVPN_UNREACHABLE', 'x', { layer })).toBe(false);
  });

  test('a config error tells all problems with their places', () => {
    const other = { code: 'OVPN_CONFIG_INVALID', message: 'has no remote' } as const;
    const error = new OvpnConfigError([problem, other], 'client.ovpn');
    expect(error.message).toBe(
      'client.ovpn:4: tls-verify: runs a program\nclient.ovpn: has no remote',
    );
    expect(error.problems).toEqual([problem, other]);
  });
});

describe('assertNever', () => {
  test('throws a plain error, for it is our bug', () => {
    const impossible: unknown = 'x';
    expect(() => assertNever(impossible as never)).toThrow(new Error('unreachable: "x"'));
  });
});

describe('toError', () => {
  test.each([
    { name: 'an error stays itself', thrown: new TypeError('t'), message: 't' },
    { name: 'text', thrown: 'oops', message: 'oops' },
    { name: 'nothing', thrown: undefined, message: 'undefined' },
  ])('$name', ({ thrown, message }) => {
    const error = toError(thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe(message);
    if (thrown instanceof Error) expect(error).toBe(thrown);
  });
});
