import { connect } from 'node:net';
import type { Link } from './link.ts';
import { aborted, unreachable } from './network-errors.ts';
import type { ResolvedRemote } from './remote.ts';
import { StreamLink } from './stream-link.ts';

/**
 * A TCP connection to `remote`, without Nagle's delay.
 *
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: refused, no route, no answer
 * @throws OvpnError `OVPN_ABORTED`
 */
export function connectTcp(
  remote: ResolvedRemote,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Link> {
  return new Promise((resolve, reject) => {
    const what = `tcp ${remote.address} port ${remote.port}`;
    if (signal?.aborted) {
      reject(aborted(what, signal));
      return;
    }
    const socket = connect({ host: remote.address, port: remote.port, noDelay: true });
    const onAbort = (): void => {
      if (signal === undefined) return;
      socket.destroy();
      reject(aborted(what, signal));
    };
    const onError = (cause: Error): void => {
      signal?.removeEventListener('abort', onAbort);
      reject(unreachable(remote, cause));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      resolve(new StreamLink(socket));
    });
  });
}
