import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { DnsServer } from './dns-server.ts';
import type { TunConnectOptions } from './tun-socket-options.ts';

/** Whom DoT and DoH servers are believed by. */
export interface DnsTrust {
  /** Certificates in PEM to trust instead of Node's own roots. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
}

/** Opens a socket inside the tunnel, to an address. */
export type ConnectInside = (options: TunConnectOptions) => Socket;

/**
 * TLS to a name server, inside the tunnel. The certificate must be for its `sni`, or for its
 * address where none is named.
 */
export function connectSecurely(
  connect: ConnectInside,
  { address, port, sni }: DnsServer,
  { ca }: DnsTrust,
  protocol: 'dot' | 'http/1.1',
): tls.TLSSocket {
  const host = address.toString();
  const own = typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : ca && [...ca];
  return tls.connect({
    ALPNProtocols: [protocol],
    host,
    ...(sni === undefined ? {} : { servername: sni }),
    ...(own === undefined ? {} : { ca: own }),
    // Whoever waits for an answer keeps the process alive, not the connection.
    socket: connect({ host, port, noDelay: true }).unref(),
  });
}
