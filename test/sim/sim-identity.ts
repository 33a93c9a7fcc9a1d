import { randomBytes } from 'node:crypto';
import { readProfile } from '../../src/config/read-profile.ts';
import { Secret } from '../../src/core/secret.ts';
import type {
  ControlWrapOptions,
  ServerWrapOptions,
} from '../../src/model/control-wrap-options.ts';
import { DEFAULT_DIGEST } from '../../src/model/digests.ts';
import type { Profile } from '../../src/model/profile.ts';
import { STATIC_KEY_BYTES } from '../../src/packetmuxer/static-key.ts';
import { SERVER_KEY_BYTES, TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { clientProfileText } from '../../src/server/client-profile.ts';
import { createAuthority } from '../../src/server/pki.ts';

/** What a simulated client and server know of themselves and each other. */
export interface SimIdentity {
  readonly profile: Profile;
  readonly server: {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
    readonly wrap: ServerWrapOptions;
  };
}

/** Every control wrap there is. */
export const SIM_WRAPS = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const;
export type SimWrap = (typeof SIM_WRAPS)[number];

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
  const profile = readProfile(
    clientProfileText({
      host: SERVER.address,
      port: SERVER.port,
      protocol: 'udp',
      caPem: authority.certPem,
      identity: client,
      tlsCryptKey: undefined,
      serverName: 'sim-server',
      authUserPass: false,
    }),
  );
  const { certPem: cert, keyPem } = own;
  const identity = (wrap: SimWrap): SimIdentity => {
    const ends = WRAPS[wrap]();
    return {
      profile: { ...profile, wrap: ends.client },
      server: { ca: authority.certPem, cert, key: keyPem, wrap: ends.server },
    };
  };
  return {
    none: identity('none'),
    'tls-auth': identity('tls-auth'),
    'tls-crypt': identity('tls-crypt'),
    'tls-crypt-v2': identity('tls-crypt-v2'),
  };
}

/** Fresh keys for both ends of a wrap. */
const WRAPS: Readonly<Record<SimWrap, () => WrapEnds>> = {
  none: () => ({ client: { kind: 'none' }, server: { kind: 'none' } }),
  'tls-auth': () => {
    const parts = { kind: 'tls-auth', key: randomKey(), digest: DEFAULT_DIGEST } as const;
    return { client: { ...parts, direction: 1 }, server: { ...parts, direction: 0 } };
  },
  'tls-crypt': () => {
    const wrap = { kind: 'tls-crypt', key: randomKey() } as const;
    return { client: wrap, server: wrap };
  },
  'tls-crypt-v2': () => {
    const kind = 'tls-crypt-v2';
    const [key, serverKey] = [randomKey(), randomKey(SERVER_KEY_BYTES)];
    const wrappedKey = new TlsCryptV2ServerKey(serverKey.reveal()).wrap(key.reveal(), METADATA);
    return { client: { kind, key, wrappedKey }, server: { kind, serverKey } };
  },
};

interface WrapEnds {
  readonly client: ControlWrapOptions;
  readonly server: ServerWrapOptions;
}

/** As OpenVPN makes it: type 1, seconds since 1970. */
const METADATA = Buffer.from('01000000006553f100', 'hex');

function randomKey(bytes: number = STATIC_KEY_BYTES): Secret<Buffer> {
  return new Secret(randomBytes(bytes));
}
