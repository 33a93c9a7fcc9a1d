import { createSocket, type Socket } from 'node:dgram';
import { DatagramLink } from './datagram-link.ts';
import type { Link } from './link.ts';
import { aborted, errnoOf, linkFailed, unreachable } from './network-errors.ts';
import type { ResolvedRemote } from './remote.ts';

/** Kernel buffer that is asked for in each direction; a burst at full rate fills 0.2 MB in 2 ms. */
export const SOCKET_BUFFER_BYTES: number = 4 * 1024 * 1024;

const SMALLEST_BUFFER_BYTES: number = 256 * 1024;

/**
 * A connected UDP socket to `remote`, which may or may not be there: UDP tells only later.
 *
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: no route, or no socket to be had
 * @throws OvpnError `OVPN_ABORTED`
 */
export function connectUdp(
  remote: ResolvedRemote,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const what = `udp ${remote.address} port ${remote.port}`;
    if (signal?.aborted) {
      reject(aborted(what, signal));
      return;
    }
    const socket = createSocket(remote.family === 6 ? 'udp6' : 'udp4');
    const onAbort = (): void => {
      if (signal !== undefined) fail(aborted(what, signal));
    };
    const onError = (cause: Error): void => fail(unreachable(remote, cause));
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
    };
    const fail = (error: Error): void => {
      settle();
      socket.on('error', () => {});
      socket.close();
      reject(error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('error', onError);
    // Despite its type, the callback gets the error of a failed connect.
    socket.connect(remote.port, remote.address, ((error?: Error) => {
      if (signal?.aborted) return;
      if (error !== undefined) {
        onError(error);
        return;
      }
      settle();
      growBuffers(socket);
      resolve(linkOver(socket, remote));
    }) as () => void);
  });
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

function linkOver(socket: Socket, remote: ResolvedRemote): Link {
  const local = socket.address();
  return new DatagramLink(socket, {
    addresses: {
      localAddress: local.address,
      localPort: local.port,
      remoteAddress: remote.address,
      remotePort: remote.port,
    },
    toEnd: (cause) =>
      errnoOf(cause) === 'ECONNREFUSED' ? unreachable(remote, cause) : linkFailed(cause),
  });
}
