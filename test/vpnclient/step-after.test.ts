import { describe, expect, test } from 'vitest';
import {
  OvpnAuthError,
  OvpnError,
  type OvpnErrorCode,
  OvpnPeerError,
  OvpnTimeoutError,
  OvpnUsageError,
} from '../../src/core/errors.ts';
import {
  type FailureContext,
  REFUSED_AGAIN_MS,
  stepAfter,
} from '../../src/vpnclient/step-after.ts';

const layer = 'test';
const FIRST_TRY: FailureContext = { authRetry: 'none', wasUp: false, sessionLost: false };
const LOST: FailureContext = { authRetry: 'none', wasUp: true, sessionLost: true };

const restart = (flags: string) =>
  new OvpnPeerError('OVPN_PEER_RESTART', 'text', { layer, retryable: true, flags });
const temporary = (advance?: 'no' | 'addr' | 'remote', backoffMs?: number) =>
  new OvpnAuthError('OVPN_AUTH_TEMPORARY', 'text', {
    layer,
    retryable: true,
    ...(advance && { advance }),
    ...(backoffMs && { backoffMs }),
  });
const refused = (retryable: boolean) =>
  new OvpnAuthError('OVPN_AUTH_FAILED', 'text', { layer, retryable });
const timeout = (phase: string, retryable: boolean) =>
  new OvpnTimeoutError('OVPN_PING_TIMEOUT', 'text', { layer, phase, timeoutMs: 1, retryable });
const other = (code: OvpnErrorCode, retryable: boolean) =>
  new OvpnError(code, 'text', { layer, retryable });

describe('stepAfter', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'ping-restart',                      error: timeout('ping-restart', true),              context: LOST,      step: 'address' },
    { name: 'ping-exit',                         error: timeout('ping-exit', false),                context: LOST,      step: undefined },
    { name: 'RESTART',                           error: restart(''),                                context: LOST,      step: 'stay' },
    { name: 'RESTART,[P]',                       error: restart('P'),                               context: LOST,      step: 'stay' },
    { name: 'RESTART,[N]',                       error: restart('N'),                               context: LOST,      step: 'remote' },
    { name: 'RESTART,[PN]',                      error: restart('PN'),                              context: LOST,      step: 'remote' },
    { name: 'EXIT',                              error: other('OVPN_PEER_EXIT', true),              context: LOST,      step: 'address' },
    { name: 'HALT',                              error: other('OVPN_PEER_HALT', false),             context: LOST,      step: undefined },
    { name: 'the link was closed',               error: other('OVPN_LINK_CLOSED', true),            context: LOST,      step: 'address' },
    { name: 'a link that failed',                error: other('OVPN_LINK_FAILED', true),            context: LOST,      step: 'address' },
    { name: 'a handshake that took too long',    error: other('OVPN_HANDSHAKE_TIMEOUT', true),      context: LOST,      step: 'address' },
    { name: 'no address',                        error: other('OVPN_NAME_NOT_FOUND', true),         context: FIRST_TRY, step: 'address' },
    { name: 'TEMP',                              error: temporary(),                                context: LOST,      step: 'stay' },
    { name: 'TEMP[advance addr]',                error: temporary('addr'),                          context: FIRST_TRY, step: 'address' },
    { name: 'TEMP[advance remote]',              error: temporary('remote'),                        context: LOST,      step: 'remote' },
    { name: 'a question in place of a password', error: other('OVPN_AUTH_CHALLENGE', true),         context: FIRST_TRY, step: 'again' },
    { name: 'a question that nobody can answer', error: other('OVPN_AUTH_CHALLENGE', false),        context: FIRST_TRY, step: undefined },
    { name: 'a refused token',                   error: refused(true),                              context: LOST,      step: 'again' },
    { name: 'a refused password',                error: refused(false),                             context: LOST,      step: undefined },
    { name: 'a certificate in a try',            error: other('OVPN_CERT_EXPIRED', false),          context: FIRST_TRY, step: undefined },
    { name: 'a certificate in a renegotiation',  error: other('OVPN_CERT_REVOKED', false),          context: LOST,      step: undefined },
    { name: 'TLS in a try',                      error: other('OVPN_TLS_FAILED', false),            context: FIRST_TRY, step: undefined },
    { name: 'TLS in a renegotiation',            error: other('OVPN_TLS_FAILED', false),            context: LOST,      step: 'address' },
    { name: 'a broken protocol in a try',        error: other('OVPN_PROTOCOL', false),              context: FIRST_TRY, step: undefined },
    { name: 'a broken protocol later',           error: other('OVPN_PROTOCOL', false),              context: LOST,      step: 'address' },
    { name: 'inactive',                          error: other('OVPN_INACTIVE', false),              context: LOST,      step: undefined },
    { name: 'session-timeout',                   error: other('OVPN_SESSION_TIMEOUT', false),       context: LOST,      step: undefined },
    { name: 'a wrong option',                    error: new OvpnUsageError('text', layer),          context: LOST,      step: undefined },
    { name: 'our bug',                           error: new Error('text'),                          context: LOST,      step: undefined },
  ])('$name: $step', ({ error, context, step }) => {
    expect(stepAfter(error, context)?.step).toBe(step);
  });

  test('the backoff of TEMP is kept', () => {
    expect(stepAfter(temporary('remote', 9_000), LOST)).toEqual({
      step: 'remote',
      backoffMs: 9_000,
    });
    expect(stepAfter(temporary('no'), LOST)).toEqual({ step: 'stay', backoffMs: 0 });
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { authRetry: 'nointeract', wasUp: true,  expected: { step: 'stay', backoffMs: REFUSED_AGAIN_MS } },
    { authRetry: 'interact',   wasUp: true,  expected: { step: 'again', backoffMs: 0 } },
    { authRetry: 'nointeract', wasUp: false, expected: undefined },
    { authRetry: 'interact',   wasUp: false, expected: undefined },
  ] as const)('a refused password with auth-retry $authRetry, up before: $wasUp', ({ authRetry, wasUp, expected }) => {
    expect(stepAfter(refused(false), { authRetry, wasUp, sessionLost: false })).toEqual(expected);
  });
});
