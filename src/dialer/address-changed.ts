import { OvpnError } from '../core/errors.ts';
import type { TcpFailure } from '../netstack/tcp/tcp-events.ts';
import { SocketError, TCP_FAILURE_CODES } from './socket-error.ts';

/** Why a socket ends whose address inside the tunnel is no longer ours; `cause` of its own error. */
export function addressChanged(): OvpnError {
  return new OvpnError(
    'OVPN_ADDRESS_CHANGED',
    'expected the address inside the tunnel to stay: the server gave this client another one, so connect anew',
    { layer: 'dialer', retryable: true },
  );
}

/** What a socket says whose connection has ended because of `failure`. */
export function connectionError(failure: TcpFailure): SocketError {
  const cause = failure === 'address-gone' ? addressChanged() : undefined;
  return new SocketError(TCP_FAILURE_CODES[failure], 'read', { cause });
}
