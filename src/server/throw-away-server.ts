import { parseStaticKey } from '../config/static-key.ts';
import { Secret } from '../core/secret.ts';
import { clientProfileText } from './client-profile.ts';
import { createAuthority, createStaticKeyText } from './pki.ts';
import type { VpnServerOptions } from './server-options.ts';
import { VpnServer } from './vpn-server.ts';

/** A server whose keys were made for it, and what its clients need. */
export interface ThrowAwayServer {
  readonly server: VpnServer;
  /** The `.ovpn` text of a client, for a server that listens there. */
  profile(address: { readonly address: string; readonly port: number }): string;
}

/** What may be chosen for it: everything but identity and wrap key. */
export type ThrowAwayOptions = Omit<VpnServerOptions, 'ca' | 'cert' | 'key' | 'wrap'> & {
  /** Default: `tls-crypt`. */
  readonly wrap?: 'none' | 'tls-crypt';
};

const SERVER_NAME = 'tundial-server';
const DEFAULT_SUBNET6 = 'fd00:8::/64';

/**
 * Makes a certificate authority, a server and a client certificate and a static key, which live in
 * memory only, and a server with them. It does not listen yet.
 */
export async function createThrowAwayServer({
  wrap = 'tls-crypt',
  ...options
}: ThrowAwayOptions = {}): Promise<ThrowAwayServer> {
  const authority = await createAuthority();
  const own = await authority.issue({ commonName: SERVER_NAME, purpose: 'server' });
  const client = await authority.issue({ commonName: 'tundial-client', purpose: 'client' });
  const staticKey = wrap === 'tls-crypt' ? createStaticKeyText() : undefined;
  const key = staticKey === undefined ? undefined : parseStaticKey(staticKey);
  const server = new VpnServer({
    subnet6: DEFAULT_SUBNET6,
    ...options,
    ca: authority.certPem,
    cert: own.certPem,
    key: own.keyPem,
    wrap: key === undefined ? { kind: 'none' } : { kind: 'tls-crypt', key: new Secret(key) },
  });
  return {
    server,
    profile: ({ address, port }) =>
      clientProfileText({
        host: address,
        port,
        protocol: options.protocol ?? 'udp',
        caPem: authority.certPem,
        identity: options.clientCertificate === 'none' ? undefined : client,
        tlsCryptKey: staticKey,
        serverName: SERVER_NAME,
        authUserPass: options.authenticate !== undefined,
        ...(options.dataCiphers === undefined ? {} : { dataCiphers: options.dataCiphers }),
      }),
  };
}
