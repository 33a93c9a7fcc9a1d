import { connectDatagrams } from './connect-datagrams.ts';
import { DatagramLink } from './datagram-link.ts';
import type { Link } from './link.ts';
import { errnoOf, linkFailed, unreachable } from './network-errors.ts';
import type { ResolvedRemote } from './remote.ts';
import type { ConnectOptions } from './tcp-link.ts';

/**
 * A connected UDP socket to `remote`, which may or may not be there: UDP tells only later.
 *
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: no route, no such local end, or no socket to be had
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function connectUdp(
  remote: ResolvedRemote,
  { signal, local }: ConnectOptions = {},
): Promise<Link> {
  const socket = await connectDatagrams(remote, {
    signal,
    local,
    what: `udp ${remote.address} port ${remote.port}`,
    toError: (cause) => unreachable(remote, cause),
  });
  const { address, port } = socket.address();
  return new DatagramLink(socket, {
    addresses: {
      localAddress: address,
      localPort: port,
      remoteAddress: remote.address,
      remotePort: remote.port,
    },
    toEnd: (cause) =>
      errnoOf(cause) === 'ECONNREFUSED' ? unreachable(remote, cause) : linkFailed(cause),
  });
}
