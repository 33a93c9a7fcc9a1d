import { OvpnAuthError, type OvpnError, OvpnPeerError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { Role } from '../model/ids.ts';
import { CIPHER_REFUSAL, noSharedCipher } from './cipher-choice.ts';
import type { AuthFailed, ControlMessage } from './control-message.ts';

/**
 * The error by which `message` ends the session, or undefined for one that does not. A server never
 * lets a client tell it that authentication failed.
 * @param usedToken whether the password in use was an auth-token, so that real credentials may help
 */
export function peerVerdict(
  message: ControlMessage,
  role: Role,
  usedToken: boolean,
): OvpnError | undefined {
  if (message.kind === 'exit') {
    const other = role === 'client' ? 'server' : 'client';
    return new OvpnPeerError('OVPN_PEER_EXIT', `the ${other} left (EXIT)`, {
      layer: 'tlsstate',
      retryable: true,
    });
  }
  if (role === 'server') return undefined;
  if (message.kind === 'auth-failed') return authVerdict(message, usedToken);
  if (message.kind !== 'restart' && message.kind !== 'halt') return undefined;
  const restart = message.kind === 'restart';
  const reason = printable(message.text);
  const wish = restart ? 'asks clients to reconnect (RESTART)' : 'stops this client (HALT)';
  return new OvpnPeerError(
    restart ? 'OVPN_PEER_RESTART' : 'OVPN_PEER_HALT',
    `the server ${wish}${reason === '' ? '' : `: ${reason}`}`,
    { layer: 'tlsstate', retryable: restart, reason, flags: message.flags },
  );
}

function authVerdict(message: AuthFailed, usedToken: boolean): OvpnError {
  const reason = message.reason === undefined ? undefined : printable(message.reason);
  const said = reason === undefined ? '' : `: ${reason}`;
  const shared = { layer: 'tlsstate', ...(reason !== undefined && { reason }) };
  if (message.temporary !== undefined) {
    return new OvpnAuthError(
      'OVPN_AUTH_TEMPORARY',
      `the server cannot check credentials at present${said}`,
      { ...shared, ...message.temporary, retryable: true },
    );
  }
  if (message.challenge !== undefined) {
    return new OvpnAuthError('OVPN_AUTH_CHALLENGE', `the server asks a question${said}`, {
      ...shared,
      retryable: true,
    });
  }
  if (message.reason?.startsWith(CIPHER_REFUSAL)) {
    return noSharedCipher(
      `the server has none of ours${said}; compare its data-ciphers with the profile's`,
    );
  }
  // Without a token, a session that has expired is a password that was refused: no circle.
  if (usedToken) {
    return new OvpnAuthError('OVPN_AUTH_FAILED', `the server refused its auth-token${said}`, {
      ...shared,
      retryable: true,
    });
  }
  return new OvpnAuthError(
    'OVPN_AUTH_FAILED',
    `the server refused user name and password${said}`,
    shared,
  );
}
