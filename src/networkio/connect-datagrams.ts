import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { LocalEnd } from '../model/profile.ts';
import { localEndFailed } from './local-end.ts';
import { aborted } from './network-errors.ts';

/** Kernel buffer that is asked for in each direction; a burst at full rate fills 0.2 MB in 2 ms. */
export const SOCKET_BUFFER_BYTES: number = 4 * 1024 * 1024;

const SMALLEST_BUFFER_BYTES: number = 256 * 1024;

export interface ConnectDatagramsOptions {
  /** With an address of the same family, or none. */
  readonly local?: LocalEnd | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What it is for, as it begins a message. */
  readonly what: string;
  /** The error for an address that no way leads to. */
  readonly toError: (cause: Error) => Error;
}

/**
 * A UDP socket connected to a literal address, with large kernel buffers. It has no listeners.
 *
 * @throws what `toError` gives: no route, or no socket to be had
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: the local end cannot be had
 * @throws OvpnError `OVPN_ABORTED`
 */
export function connectDatagrams(
  { address, port }: { readonly address: string; readonly port: number },
  { local, signal, what, toError }: ConnectDatagramsOptions,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(what, signal));
      return;
    }
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const onAbort = (): void => {
      if (signal !== undefined) fail(aborted(what, signal));
    };
    const onError = (cause: Error): void => fail(toError(cause));
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.removeAllListeners('error');
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => {});
      socket.close();
      reject(error);
    };
    const connect = (): void => {
      if (signal?.aborted) return;
      // Despite its type, the callback gets the error of a failed connect.
      socket.connect(port, address, ((error?: Error) => {
        if (signal?.aborted) return;
        if (error !== undefined) {
          onError(error);
          return;
        }
        settle();
        growBuffers(socket);
        resolve(socket);
      }) as () => void);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (local === undefined) {
      socket.on('error', onError);
      connect();
      return;
    }
    socket.once('error', (cause) => fail(localEndFailed(local, cause)));
    socket.bind({ port: local.port, ...addressOption(local) }, () => {
      socket.removeAllListeners('error');
      socket.on('error', onError);
      connect();
    });
  });
}

function addressOption({ address }: LocalEnd): { address?: string } {
  return address === undefined ? {} : { address };
}

/** Asks for large kernel buffers, then for less; what the system grants is good enough. */
export function growBuffers(socket: Socket): void {
  grow((bytes) => socket.setRecvBufferSize(bytes));
  grow((bytes) => socket.setSendBufferSize(bytes));
}

function grow(setSize: (bytes: number) => void): void {
  for (let bytes = SOCKET_BUFFER_BYTES; bytes >= SMALLEST_BUFFER_BYTES; bytes /= 2) {
    try {
      setSize(bytes);
      return;
    } catch {
      // Linux grants what it can; other systems refuse the whole request.
    }
  }
}
