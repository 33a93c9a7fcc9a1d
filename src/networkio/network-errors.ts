import { OvpnError, type OvpnErrorCode, OvpnNetworkError } from '../core/errors.ts';
import type { ResolvedRemote } from './remote.ts';

const LAYER = 'networkio';

/** Nobody answers at the remote's address. */
export function unreachable(remote: ResolvedRemote, cause: unknown): OvpnNetworkError {
  const { protocol, address, port } = remote;
  return networkError(
    'OVPN_UNREACHABLE',
    `${protocol} ${address} port ${port}: no way there`,
    cause,
  );
}

/** The peer, or somebody on the way, closed the link. */
export function linkClosed(cause?: unknown): OvpnNetworkError {
  return networkError('OVPN_LINK_CLOSED', 'the peer closed the link', cause);
}

/** A working link broke for the reason in `cause`. */
export function linkFailed(cause: unknown): OvpnNetworkError {
  return networkError('OVPN_LINK_FAILED', 'the link broke', cause);
}

/** The caller gave up before there was a link. */
export function aborted(what: string, signal: AbortSignal): OvpnError {
  return new OvpnError('OVPN_ABORTED', `${what}: aborted`, {
    layer: LAYER,
    initiator: 'user',
    cause: signal.reason,
  });
}

/** @param cause shown by its `code`, never by its message; left out when undefined */
export function networkError(
  code: OvpnErrorCode,
  message: string,
  cause?: unknown,
): OvpnNetworkError {
  const name = errnoOf(cause);
  return new OvpnNetworkError(code, name === undefined ? message : `${message} (${name})`, {
    layer: LAYER,
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `ECONNREFUSED` and the like; undefined for an error without one. */
export function errnoOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
