import { systemClock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { DEFAULT_DIGEST } from '../model/digests.ts';
import { clientProfileText } from './client-profile.ts';
import { createAuthority } from './pki.ts';
import type { VpnServerOptions } from './server-options.ts';
import { createThrowAwayWrap, WRAP_KINDS, type WrapKind } from './throw-away-wrap.ts';
import { VpnServer } from './vpn-server.ts';

/** A server whose keys were made for it, and what its clients need. */
export interface ThrowAwayServer {
  readonly server: VpnServer;
  /** The `.ovpn` text of a client, for a server that listens there. */
  profile(address: { readonly address: string; readonly port: number }): string;
}

/** What may be chosen for it: everything but identity and wrap key. */
export type ThrowAwayOptions = Omit<VpnServerOptions, 'ca' | 'cert' | 'key' | 'wrap'> & {
  /** tls-auth takes the digest of `auth`. Default: `tls-crypt`. */
  readonly wrap?: WrapKind;
};

const SERVER_NAME = 'tundial-server';
const DEFAULT_SUBNET6 = 'fd00:8::/64';

/**
 * Makes a certificate authority, a server and a client certificate and the wrap's keys, which live
 * in memory only, and a server with them. It does not listen yet.
 *
 * @throws OvpnUsageError for options that cannot be meant
 */
export async function createThrowAwayServer({
  wrap = 'tls-crypt',
  ...options
}: ThrowAwayOptions = {}): Promise<ThrowAwayServer> {
  if (!WRAP_KINDS.includes(wrap)) {
    throw new OvpnUsageError(`expected \`wrap\` out of ${WRAP_KINDS.join(', ')}`, 'server');
  }
  const { auth = DEFAULT_DIGEST, clock = systemClock } = options;
  const authority = await createAuthority();
  const own = await authority.issue({ commonName: SERVER_NAME, purpose: 'server' });
  const client = await authority.issue({ commonName: 'tundial-client', purpose: 'client' });
  const wraps = createThrowAwayWrap(wrap, { digest: auth, unixSeconds: clock.unixSeconds() });
  const server = new VpnServer({
    subnet6: DEFAULT_SUBNET6,
    ...options,
    ca: authority.certPem,
    cert: own.certPem,
    key: own.keyPem,
    wrap: wraps.server,
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
        ...wraps.client,
        serverName: SERVER_NAME,
        authUserPass: options.authenticate !== undefined,
        auth,
        ...(options.dataCiphers === undefined ? {} : { dataCiphers: options.dataCiphers }),
      }),
  };
}
