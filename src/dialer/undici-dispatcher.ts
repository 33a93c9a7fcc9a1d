import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import type { Agent, buildConnector } from 'undici';
import { SocketError } from './socket-error.ts';
import type { TunConnectOptions } from './tun-socket-options.ts';
import { undici } from './undici.ts';

/** How long a connection and its TLS handshake may take without progress; undici's own default. */
export const CONNECT_TIMEOUT_MS = 10_000;
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** What may be chosen for a dispatcher: undici's own options, and TLS. With `allowH2`, HTTP/2 is offered. */
export type DispatcherOptions = Omit<Agent.Options, 'connect' | 'tls'> & {
  /** For `https:`: certificates to trust, a client certificate, and so on. */
  readonly tls?: tls.ConnectionOptions;
};

/** Opens a socket inside the tunnel: `TunDialer.connect`. */
type OpenSocket = (options: TunConnectOptions) => Socket;

/** An undici `Dispatcher` whose connections go through a tunnel, and whose names are resolved there. */
export function makeDispatcher(open: OpenSocket, options: DispatcherOptions = {}): Agent {
  const { Agent } = undici();
  const { tls, ...agentOptions } = options;
  const tlsOptions = { ALPNProtocols: options.allowH2 ? ['h2', 'http/1.1'] : ['http/1.1'], ...tls };
  return new Agent({
    ...agentOptions,
    connect: (target, callback) => {
      const socket = connectTo(open, target, tlsOptions);
      const ready = target.protocol === 'https:' ? 'secureConnect' : 'connect';
      const timedOut = () => {
        const { hostname: address, port } = target;
        socket.destroy(new SocketError('ETIMEDOUT', 'connect', { address, port: Number(port) }));
      };
      const onReady = () => {
        socket.setTimeout(0, timedOut);
        socket.removeListener('error', onError);
        callback(null, socket);
      };
      const onError = (error: Error) => {
        socket.removeListener(ready, onReady);
        callback(error, null);
      };
      socket.setTimeout(CONNECT_TIMEOUT_MS, timedOut);
      socket.once(ready, onReady).once('error', onError);
    },
  });
}

function connectTo(
  open: OpenSocket,
  { protocol, hostname, port, servername }: buildConnector.Options,
  tlsOptions: tls.ConnectionOptions,
): Socket {
  const secure = protocol === 'https:';
  const socket = open({
    host: hostname,
    port: Number(port) || (secure ? HTTPS_PORT : HTTP_PORT),
    noDelay: true,
  });
  if (!secure) return socket;
  const name = servername ?? hostname;
  return tls.connect({
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...tlsOptions,
    socket,
  });
}
