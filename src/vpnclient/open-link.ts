import { OvpnNetworkError, OvpnUsageError } from '../core/errors.ts';
import type { Remote } from '../model/profile.ts';
import type { Link } from '../networkio/link.ts';
import type { ResolvedRemote } from '../networkio/remote.ts';
import { connectTcp } from '../networkio/tcp-link.ts';
import { linkOverTransport, type Transport } from '../networkio/transport.ts';
import { connectUdp } from '../networkio/udp-link.ts';
import type { OpenTransport } from './options.ts';

/** A link over a socket of this process. */
export function openSocket(address: ResolvedRemote, signal: AbortSignal): Promise<Link> {
  return address.protocol === 'udp'
    ? connectUdp(address, { signal })
    : connectTcp(address, { signal });
}

/**
 * A link over the caller's own way to `remote`. One that comes after `signal` was aborted is closed.
 *
 * @throws OvpnNetworkError with what `transport` threw as its cause; the signal's reason
 */
export async function openTransport(
  remote: Remote,
  transport: OpenTransport,
  signal: AbortSignal,
): Promise<Link> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    asked(remote, transport, signal)
      .then((link) => {
        resolve(link);
        if (signal.aborted) void link.close();
      }, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

async function asked(remote: Remote, transport: OpenTransport, signal: AbortSignal): Promise<Link> {
  const { host, port } = remote;
  let pipe: Transport;
  try {
    pipe = await transport(remote, { signal });
  } catch (cause) {
    throw new OvpnNetworkError('OVPN_UNREACHABLE', `${host} port ${port}: the transport failed`, {
      layer: 'vpnclient',
      retryable: true,
      cause,
    });
  }
  if (typeof pipe !== 'object' || pipe === null || typeof pipe.on !== 'function') {
    throw new OvpnUsageError(
      'expected `transport` to give a datagram pipe or a Duplex',
      'vpnclient',
    );
  }
  const addresses = { localAddress: '', localPort: 0, remoteAddress: host, remotePort: port };
  return linkOverTransport(pipe, addresses);
}
