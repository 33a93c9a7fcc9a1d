import { connect, type Socket } from 'node:net';
import type { LocalEnd } from '../model/profile.ts';
import { localEndFailed } from './local-end.ts';
import { aborted, errnoOf } from './network-errors.ts';

export interface ConnectSocketOptions {
  /** With an address of the same family, or none. */
  readonly local?: LocalEnd | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What it is for, as it begins a message. */
  readonly what: string;
  /** The error for a connection that fails. */
  readonly toError: (cause: Error) => Error;
}

/**
 * A TCP socket connected to a literal address, without Nagle's delay. It has no listeners.
 *
 * @throws what `toError` gives: refused, no route, no answer
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: the local end cannot be had
 * @throws OvpnError `OVPN_ABORTED`
 */
export function connectSocket(
  { address, port }: { readonly address: string; readonly port: number },
  { local, signal, what, toError }: ConnectSocketOptions,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(what, signal));
      return;
    }
    const socket = connect({ host: address, port, noDelay: true, ...localOptions(local) });
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('connect', onConnect);
    };
    const onAbort = (): void => {
      if (signal === undefined) return;
      settle();
      socket.on('error', () => {});
      socket.destroy();
      reject(aborted(what, signal));
    };
    const onError = (cause: Error): void => {
      settle();
      reject(
        local !== undefined && isOfBind(cause) ? localEndFailed(local, cause) : toError(cause),
      );
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    socket.on('connect', onConnect);
  });
}

function localOptions(local: LocalEnd | undefined): object {
  if (local === undefined) return {};
  const { address, port } = local;
  return {
    ...(address === undefined ? {} : { localAddress: address }),
    ...(port === 0 ? {} : { localPort: port }),
  };
}

/** A taken port may come to light only when the connection is made. */
function isOfBind(cause: Error): boolean {
  const { syscall } = cause as { syscall?: unknown };
  return syscall === 'bind' || errnoOf(cause) === 'EADDRINUSE';
}
