import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { AuthFailed, ControlMessage } from '../../src/tlsstate/control-message.ts';
import { peerVerdict } from '../../src/tlsstate/peer-verdict.ts';

const authFailed: AuthFailed = {
  kind: 'auth-failed',
  reason: undefined,
  temporary: undefined,
  session: false,
  challenge: undefined,
};

const challenge = {
  echo: false,
  responseRequired: true,
  stateId: new Secret('state'),
  username: 'ada',
  text: 'code?',
};

/** What users see of a verdict. */
function shown(message: ControlMessage, role: 'client' | 'server', usedToken = false) {
  const verdict = peerVerdict(message, role, usedToken);
  if (verdict === undefined) return undefined;
  const { code, message: text, retryable, layer } = verdict;
  const reason = 'reason' in verdict ? verdict.reason : undefined;
  const backoffMs = 'backoffMs' in verdict ? verdict.backoffMs : undefined;
  expect(layer).toBe('tlsstate');
  return { code, text, retryable, reason, backoffMs };
}

describe('peerVerdict', () => {
  test.each<{ name: string; message: ControlMessage; code: string; text: string; again: boolean }>([
    {
      name: 'RESTART',
      message: { kind: 'restart', flags: '', text: '' },
      code: 'OVPN_PEER_RESTART',
      text: 'the server asks clients to reconnect (RESTART)',
      again: true,
    },
    {
      name: 'RESTART with a text',
      message: { kind: 'restart', flags: 'N', text: 'at ten\u009b' },
      code: 'OVPN_PEER_RESTART',
      text: 'the server asks clients to reconnect (RESTART): at ten\\xc2\\x9b',
      again: true,
    },
    {
      name: 'HALT',
      message: { kind: 'halt', flags: '', text: '' },
      code: 'OVPN_PEER_HALT',
      text: 'the server stops this client (HALT)',
      again: false,
    },
    {
      name: 'HALT with a text',
      message: { kind: 'halt', flags: '', text: 'go' },
      code: 'OVPN_PEER_HALT',
      text: 'the server stops this client (HALT): go',
      again: false,
    },
    {
      name: 'AUTH_FAILED',
      message: authFailed,
      code: 'OVPN_AUTH_FAILED',
      text: 'the server refused user name and password',
      again: false,
    },
    {
      name: 'AUTH_FAILED with a reason',
      message: { ...authFailed, reason: 'grüße' },
      code: 'OVPN_AUTH_FAILED',
      text: 'the server refused user name and password: gr\\xc3\\xbc\\xc3\\x9fe',
      again: false,
    },
    {
      name: 'AUTH_FAILED,TEMP',
      message: { ...authFailed, temporary: { backoffMs: 7000, advance: 'no' } },
      code: 'OVPN_AUTH_TEMPORARY',
      text: 'the server cannot check credentials at present',
      again: true,
    },
    {
      name: 'AUTH_FAILED,CRV1',
      message: { ...authFailed, reason: 'code?', challenge },
      code: 'OVPN_AUTH_CHALLENGE',
      text: 'the server asks a question: code?',
      again: true,
    },
    {
      name: 'AUTH_FAILED,SESSION without a token',
      message: { ...authFailed, session: true },
      code: 'OVPN_AUTH_FAILED',
      text: 'the server refused user name and password',
      again: false,
    },
  ])('$name ends a client', ({ message, code, text, again }) => {
    expect(shown(message, 'client')).toMatchObject({ code, text, retryable: again });
  });

  test('a reason is given with the error, where there is one', () => {
    for (const temporary of [undefined, { backoffMs: 7000, advance: 'no' } as const]) {
      const message = { ...authFailed, temporary };
      expect(shown(message, 'client')).toMatchObject({ reason: undefined });
      expect(shown({ ...message, reason: 'busy' }, 'client')).toMatchObject({ reason: 'busy' });
    }
    expect(shown({ kind: 'halt', flags: '', text: 'go' }, 'client')).toMatchObject({
      reason: 'go',
    });
  });

  test('a temporary failure says how long to wait', () => {
    const temporary = { backoffMs: 7000, advance: 'no' } as const;
    expect(shown({ ...authFailed, temporary }, 'client')).toMatchObject({ backoffMs: 7000 });
  });

  test('no shared cipher is no question of passwords', () => {
    const reason = 'Data channel cipher negotiation failed (no shared cipher)';
    for (const usedToken of [false, true]) {
      expect(shown({ ...authFailed, reason }, 'client', usedToken)).toMatchObject({
        code: 'OVPN_NO_SHARED_CIPHER',
        text: expect.stringContaining(reason),
      });
    }
  });

  test('after a token, real credentials may help', () => {
    expect(shown(authFailed, 'client', true)).toMatchObject({
      code: 'OVPN_AUTH_FAILED',
      text: 'the server refused its auth-token',
      retryable: true,
    });
  });

  test.each([
    { role: 'client', text: 'the server left (EXIT)' },
    { role: 'server', text: 'the client left (EXIT)' },
  ] as const)('EXIT ends a $role', ({ role, text }) => {
    expect(shown({ kind: 'exit' }, role)).toMatchObject({
      code: 'OVPN_PEER_EXIT',
      text,
      retryable: true,
    });
  });

  test.each<ControlMessage>([
    authFailed,
    { kind: 'restart', flags: '', text: '' },
    { kind: 'halt', flags: '', text: '' },
    { kind: 'info', text: 'x' },
  ])('a client cannot end a server by $kind', (message) => {
    expect(shown(message, 'server')).toBeUndefined();
  });

  test.each<ControlMessage>([
    { kind: 'push-request' },
    { kind: 'push-reply', options: [] },
    { kind: 'auth-pending', timeoutMs: undefined },
    { kind: 'info', text: 'x' },
    { kind: 'info-pre', text: 'x' },
    { kind: 'cr-response', text: 'x' },
    { kind: 'unknown', text: 'x' },
  ])('$kind ends no client', (message) => {
    expect(shown(message, 'client')).toBeUndefined();
  });
});
