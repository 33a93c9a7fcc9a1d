import { OvpnAuthError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { AuthFailed } from './control-message.ts';
import type { AcceptedSignIn, AuthenticationRequest, RefusedSignIn } from './handshake-step.ts';

/** How a client is told that it is refused, put off, or asked a question. */
export function refusalMessage(
  { reason, temporary = false, session = false, challenge, ...verdict }: RefusedSignIn,
  { username = '' }: Pick<AuthenticationRequest, 'username'>,
): AuthFailed {
  const { backoffMs = 0, advance = 'no' } = verdict;
  return {
    kind: 'auth-failed',
    reason,
    temporary: temporary ? { backoffMs, advance } : undefined,
    session,
    challenge:
      challenge === undefined
        ? undefined
        : {
            text: challenge.text,
            echo: challenge.echo ?? false,
            responseRequired: true,
            stateId: new Secret(challenge.stateId),
            username: challenge.username ?? username,
          },
  };
}

/** The error by which a refused client's session ends here. */
export function clientRefused({ reason, challenge }: RefusedSignIn): OvpnAuthError {
  const isAsked = challenge !== undefined;
  return new OvpnAuthError(
    isAsked ? 'OVPN_AUTH_CHALLENGE' : 'OVPN_AUTH_FAILED',
    isAsked ? 'the client was asked a question' : 'the client was refused by authenticate',
    { layer: 'tlsstate', initiator: 'library', ...(reason !== undefined && { reason }) },
  );
}

/** What is pushed of a token. */
export function tokenOptions({ token, tokenUser }: AcceptedSignIn): readonly string[] {
  if (token === undefined) return [];
  const user = tokenUser === undefined ? '' : Buffer.from(tokenUser).toString('base64');
  return [`auth-token ${token}`, ...(user === '' ? [] : [`auth-token-user ${user}`])];
}
