import { readProfile } from '../../src/config/read-profile.ts';
import type { ControlWrapOptions, Profile } from '../../src/model/profile.ts';
import { clientProfileText } from '../../src/server/client-profile.ts';
import { createAuthority, createStaticKeyText } from '../../src/server/pki.ts';

/** What a simulated client and server know of themselves and each other. */
export interface SimIdentity {
  readonly profile: Profile;
  readonly server: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly wrap: ControlWrapOptions;
  };
}

export type SimWrap = 'none' | 'tls-crypt';

/** Where the simulated server is, and where its clients come from (RFC 5737). */
export const SERVER = { address: '192.0.2.1', port: 1194 } as const;
export const CLIENT = { address: '198.51.100.7', port: 40_000 } as const;

/** Certificates and keys for the simulations of this process; made by the first call. */
export async function simIdentity(wrap: SimWrap): Promise<SimIdentity> {
  made ??= makeIdentities();
  return (await made)[wrap];
}

let made: Promise<Record<SimWrap, SimIdentity>> | undefined;

async function makeIdentities(): Promise<Record<SimWrap, SimIdentity>> {
  const authority = await createAuthority();
  const own = await authority.issue({ commonName: 'sim-server', purpose: 'server' });
  const client = await authority.issue({ commonName: 'sim-client', purpose: 'client' });
  const identity = (tlsCryptKey: string | undefined): SimIdentity => {
    const profile = readProfile(
      clientProfileText({
        host: SERVER.address,
        port: SERVER.port,
        protocol: 'udp',
        caPem: authority.certPem,
        identity: client,
        tlsCryptKey,
        serverName: 'sim-server',
        authUserPass: false,
      }),
    );
    const { wrap } = profile;
    return {
      profile,
      server: { ca: authority.certPem, cert: own.certPem, key: own.keyPem, wrap },
    };
  };
  return { none: identity(undefined), 'tls-crypt': identity(createStaticKeyText()) };
}
