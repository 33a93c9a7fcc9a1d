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

/** Most messages that are told in one. */
const MAX_TOLD = 4;

/**
 * What to throw when all of several ways failed: the last error of those that came further than to
 * a link; where none did, one with the last one's code that tells them all.
 *
 * @param errors in the order in which the ways were tried, at least one
 */
export function allFailed(errors: readonly Error[]): Error {
  const further = errors.findLast((error) => !(error instanceof OvpnNetworkError));
  const last = errors.at(-1);
  if (further !== undefined) return further;
  const messages = [...new Set(errors.map(({ message }) => message))];
  if (!(last instanceof OvpnNetworkError) || messages.length === 1) {
    return last ?? new Error('nothing to try');
  }
  const more = messages.length > MAX_TOLD ? `; and ${messages.length - MAX_TOLD} more` : '';
  return new OvpnNetworkError(last.code, `${messages.slice(0, MAX_TOLD).join('; ')}${more}`, {
    layer: last.layer,
    retryable: errors.some((error) => error instanceof OvpnError && error.retryable),
    cause: new AggregateError(errors, 'all ways failed'),
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
