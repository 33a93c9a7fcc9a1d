import type { LocalEnd } from '../model/profile.ts';
import { connectSocket } from './connect-socket.ts';
import type { Link } from './link.ts';
import { unreachable } from './network-errors.ts';
import type { ResolvedRemote } from './remote.ts';
import { StreamLink } from './stream-link.ts';

/** How a socket to a remote is opened. */
export interface ConnectOptions {
  readonly signal?: AbortSignal;
  /** The socket's own end, with an address of the remote's family. Default: any. */
  readonly local?: LocalEnd | undefined;
}

/**
 * A TCP connection to `remote`, without Nagle's delay.
 *
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: refused, no route, no answer, no such local end
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function connectTcp(
  remote: ResolvedRemote,
  { signal, local }: ConnectOptions = {},
): Promise<Link> {
  const socket = await connectSocket(remote, {
    signal,
    local,
    what: `tcp ${remote.address} port ${remote.port}`,
    toError: (cause) => unreachable(remote, cause),
  });
  return new StreamLink(socket);
}
