import type { Socket } from 'node:net';
import { OvpnError, toError } from '../core/errors.ts';
import type { RandomSource } from '../core/random.ts';
import type { LocalEnd, OuterProxy } from '../model/profile.ts';
import { connectDatagrams } from './connect-datagrams.ts';
import { connectSocket } from './connect-socket.ts';
import { DatagramLink } from './datagram-link.ts';
import { connectByHttp } from './http-connect.ts';
import type { Link } from './link.ts';
import { resolveLocalEnd } from './local-end.ts';
import { allFailed, errnoOf, linkFailed } from './network-errors.ts';
import {
  type AskProxyCredentials,
  type ProxyTarget,
  proxyFailed,
  proxyName,
} from './outer-proxy.ts';
import { type LookupAll, resolveName } from './remote.ts';
import { associateBySocks5, connectBySocks5 } from './socks5.ts';
import { Socks5Datagrams } from './socks5-datagrams.ts';
import { StreamLink } from './stream-link.ts';

/** Where a proxy is to lead, and with what. */
export interface ProxyRoute extends ProxyTarget {
  readonly protocol: 'udp' | 'tcp';
  /** Of the socket to the proxy: 4 or 6 where the profile asks for one family, else 0. */
  readonly family: 0 | 4 | 6;
}

export interface ProxyLinkOptions {
  /** This machine's end of the sockets to the proxy; its port is for datagrams only. */
  readonly local?: LocalEnd | undefined;
  /** Is asked for credentials that the profile does not have. Default: nobody is. */
  readonly ask?: AskProxyCredentials | undefined;
  readonly random: RandomSource;
  readonly signal?: AbortSignal | undefined;
  /** Looks up the proxy. Default: the operating system. */
  readonly lookup?: LookupAll | undefined;
}

/**
 * A link to a server by `proxy`, the proxy looked up, connected to and asked anew.
 *
 * @param route its host a literal address where its protocol is `udp`
 * @throws OvpnNetworkError `OVPN_PROXY_FAILED`; `OVPN_PROXY_AUTH`; `OVPN_NAME_NOT_FOUND`: of the
 * proxy; `OVPN_UNREACHABLE`: the local end cannot be had
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function linkByProxy(
  proxy: OuterProxy,
  route: ProxyRoute,
  options: ProxyLinkOptions,
): Promise<Link> {
  const connect = () => connectToProxy(proxy, route, options);
  if (proxy.kind === 'http') {
    if (route.protocol === 'udp') throw httpIsTcpOnly(proxy);
    return streamTo(route, await connectByHttp(proxy, route, { ...options, connect }));
  }
  const socket = await connect();
  if (route.protocol === 'udp') return datagramsTo(route, socket, proxy, options);
  await connectBySocks5(socket, proxy, route, options);
  return streamTo(route, socket);
}

/** An HTTP proxy was asked to carry datagrams. */
export function httpIsTcpOnly(proxy: OuterProxy): Error {
  return proxyFailed(proxy, 'carries TCP only: use a remote with tcp, or a SOCKS5 proxy');
}

/** By the first address of the proxy that lets itself be connected to. */
async function connectToProxy(
  proxy: OuterProxy,
  { family }: ProxyRoute,
  { local, signal, lookup }: ProxyLinkOptions,
): Promise<Socket> {
  // The port would be the proxy's to see, not the server's, and is not free again for a next request.
  const end = local === undefined ? undefined : { ...local, port: 0 };
  const addresses = await resolveName(proxy.host, family, { signal, lookup });
  const failures: Error[] = [];
  for (const { address, family: addressFamily } of addresses) {
    try {
      return await connectSocket(
        { address, port: proxy.port },
        {
          local: await resolveLocalEnd(end, addressFamily, { signal, lookup }),
          signal,
          what: proxyName(proxy),
          toError: (cause) => proxyFailed(proxy, `cannot be reached at ${address}`, cause),
        },
      );
    } catch (error) {
      if (signal?.aborted) throw error;
      failures.push(toError(error));
    }
  }
  throw allFailed(failures);
}

function streamTo({ host, port }: ProxyTarget, socket: Socket): Link {
  const { localAddress = '', localPort = 0 } = socket;
  return new StreamLink(socket, {
    addresses: { localAddress, localPort, remoteAddress: host, remotePort: port },
  });
}

async function datagramsTo(
  target: ProxyTarget,
  control: Socket,
  proxy: OuterProxy,
  { local, ask, signal, lookup }: ProxyLinkOptions,
): Promise<Link> {
  const relay = await associateBySocks5(control, proxy, { ask, signal });
  const fromRelay = (cause: Error): Error =>
    proxyFailed(proxy, `has a relay at ${relay.host} port ${relay.port} that is not there`, cause);
  control.on('error', () => {});
  try {
    const socket = await connectDatagrams(
      { address: relay.host, port: relay.port },
      {
        local: await resolveLocalEnd(local, relay.host.includes(':') ? 6 : 4, { signal, lookup }),
        signal,
        what: proxyName(proxy),
        toError: fromRelay,
      },
    );
    const { address, port } = socket.address();
    const ended = (): Error => proxyFailed(proxy, 'ended the association');
    if (control.destroyed || control.readableEnded) {
      socket.close();
      throw ended();
    }
    return new DatagramLink(new Socks5Datagrams({ socket, control, target, ended }), {
      addresses: {
        localAddress: address,
        localPort: port,
        remoteAddress: target.host,
        remotePort: target.port,
      },
      toEnd: (cause) => {
        if (cause instanceof OvpnError) return cause;
        return errnoOf(cause) === 'ECONNREFUSED' ? fromRelay(cause) : linkFailed(cause);
      },
    });
  } catch (error) {
    control.destroy();
    throw error;
  }
}
