import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Clock, systemClock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { type Logger, noLog } from '../core/log.ts';
import { type RandomSource, SystemRandom } from '../core/random.ts';
import { Secret } from '../core/secret.ts';
import { type CipherProvider, isCipherProvider } from '../datachannel/cipher-provider.ts';
import { nodeProvider } from '../datachannel/node-provider.ts';
import { offeredCiphers } from '../datachannel/offered-ciphers.ts';
import { DATA_CIPHERS, DEFAULT_DATA_CIPHERS } from '../model/ciphers.ts';
import type { ServerWrapOptions } from '../model/control-wrap-options.ts';
import { DEFAULT_DIGEST, DIGESTS } from '../model/digests.ts';
import type { CompressionFraming } from '../model/push-options.ts';
import type { Tracer } from '../model/tracer.ts';
import { STATIC_KEY_BYTES } from '../packetmuxer/static-key.ts';
import { SERVER_KEY_BYTES } from '../packetmuxer/tls-crypt-v2.ts';
import type { AuthenticationRequest, AuthenticationVerdict } from '../tlsstate/handshake-step.ts';

/** What a {@link VpnServer} is made from. Times are milliseconds. */
export interface VpnServerOptions {
  /** PEM: who signs the clients' certificates. */
  readonly ca: string;
  /** PEM: the server's own certificate and key. */
  readonly cert: string;
  readonly key: string;
  /** PEM: revocation lists of the clients' certificates, one for each issuer. Default: none. */
  readonly crl?: string;
  /** Default: `udp`. */
  readonly protocol?: 'udp' | 'tcp';
  /** An address of this machine. Default: `127.0.0.1`. */
  readonly host?: string;
  /** 0 … 65535. Default: 0, a free one. */
  readonly port?: number;
  /**
   * Default: none. With tls-auth, `direction` is the server's own: clients have the other one. With
   * tls-crypt-v2 over UDP nothing is kept about a client before it has shown its key twice, so
   * clients older than OpenVPN 2.6 are refused there, as OpenVPN does with `force-cookie`.
   */
  readonly wrap?: ServerWrapOptions;
  /** Names of `DATA_CIPHERS`, best first. Default: as OpenVPN 2.6, where `cipherProvider` has them. */
  readonly dataCiphers?: readonly string[];
  /** Digest of CBC ciphers, as `auth` spells it; it is not negotiated. Default: `SHA1`. */
  readonly auth?: string;
  /** Framing of packets that clients are told to use; nothing is compressed. Default: `none`. */
  readonly compression?: CompressionFraming;
  /**
   * Whether clients that can get a control wrap of their own for renegotiations (dynamic tls-crypt).
   * Default: true.
   */
  readonly dynTlsCrypt?: boolean;
  /** Whether clients that can get data keys by epochs, with AEAD ciphers. Default: true. */
  readonly aeadEpoch?: boolean;
  /** Who enciphers data packets. Default: {@link nodeProvider}. */
  readonly cipherProvider?: CipherProvider;
  /** Default: `required`. */
  readonly clientCertificate?: 'required' | 'none';
  /**
   * Judges user name, password and certificate of each key exchange, renegotiations included; whoever
   * is not told `{ ok: true }` is refused, and when it throws the client may try again later.
   * Default: a certificate is enough.
   */
  readonly authenticate?: (
    request: AuthenticationRequest,
  ) => AuthenticationVerdict | Promise<AuthenticationVerdict>;
  /** IPv4 network of the tunnel; the server has its first address. Default: `10.8.0.0/24`. */
  readonly subnet?: string;
  /** IPv6 network of the tunnel. Default: none. */
  readonly subnet6?: string;
  /** Further options for clients: `dhcp-option DNS 10.8.0.1`. */
  readonly pushes?: readonly string[];
  /** Default: 1500. Range: 576 … 1600, which is what clients accept. */
  readonly tunMtu?: number;
  /**
   * Ping a silent client after, and give it up after; 0 is off. Pushed to clients as well, in whole
   * seconds. Default: 10,000 and 60,000.
   */
  readonly keepalive?: { readonly pingMs: number; readonly pingRestartMs: number };
  /** Renegotiate after; 0 is never. Default: 3,600,000. */
  readonly renegSecMs?: number;
  /** First resend of a control packet. Default: 500. */
  readonly tlsTimeoutMs?: number;
  /** Time for a client's whole handshake. Default: 60,000. */
  readonly handWindowMs?: number;
  /** Clients at a time, those that shake hands included. Default: 1024. */
  readonly maxPeers?: number;
  /** Default: `1.2`. */
  readonly tlsVersionMin?: '1.2' | '1.3';
  /** Default: `1.3`. */
  readonly tlsVersionMax?: '1.2' | '1.3';
  /** Sees every packet and state of all clients. Default: none. */
  readonly tracer?: Tracer;
  /** Default: no lines are made. */
  readonly logger?: Logger;
  /** Where time comes from. Default: the process's clock. */
  readonly clock?: Clock;
  /** Where randomness comes from. Default: the operating system. */
  readonly random?: RandomSource;
}

/** A tunnel's MTU where nobody says another. Unit: bytes. */
export const DEFAULT_TUN_MTU = 1500;

type WithoutDefault = 'crl' | 'subnet6' | 'tracer' | 'authenticate';

/** {@link VpnServerOptions} with every default filled in. */
export type ResolvedServerOptions = Required<Omit<VpnServerOptions, 'key' | WithoutDefault>> &
  Pick<VpnServerOptions, WithoutDefault> & { readonly key: Secret };

/** Fills in the defaults. @throws OvpnUsageError for options that cannot be meant */
export function resolveServerOptions(options: VpnServerOptions): ResolvedServerOptions {
  const { key, clientCertificate, authenticate } = options;
  if (!isIdentity(options)) {
    throw usage(
      'expected `ca`, `cert` and `key` as PEM texts, and a key that fits the certificate',
    );
  }
  if (clientCertificate === 'none' && authenticate === undefined) {
    throw usage('expected `authenticate` where clients need no certificate: anybody could join');
  }
  const chosen = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedServerOptions = {
    ...DEFAULTS,
    random: new SystemRandom(),
    ...(Object.fromEntries(chosen) as unknown as VpnServerOptions),
    key: new Secret(key),
  };
  const unknown = resolved.dataCiphers.find((name) => !DATA_CIPHERS.has(name));
  if (unknown !== undefined || resolved.dataCiphers.length === 0) {
    throw usage(`expected \`dataCiphers\` out of ${[...DATA_CIPHERS.keys()].join(', ')}`);
  }
  if (!DIGESTS.has(resolved.auth)) {
    throw usage(`expected \`auth\` out of ${[...DIGESTS.keys()].join(', ')}`);
  }
  const { cipherProvider, auth } = resolved;
  if (!isCipherProvider(cipherProvider)) {
    throw usage('expected `cipherProvider` to be a cipher provider');
  }
  const offered = offeredCiphers(cipherProvider, resolved.dataCiphers, auth);
  const isDefault = options.dataCiphers === undefined;
  if (offered.length === 0 || (!isDefault && offered.length < resolved.dataCiphers.length)) {
    throw usage(
      `expected \`dataCiphers\` that ${cipherProvider.name} has with auth ${auth}, got ${resolved.dataCiphers.join(', ')}`,
    );
  }
  if (!FRAMINGS.includes(resolved.compression)) {
    throw usage(`expected \`compression\` out of ${FRAMINGS.join(', ')}`);
  }
  if (!isWrap(resolved.wrap)) {
    throw usage('expected `wrap` with a key as long as its kind has it, and a digest that we have');
  }
  for (const [name, least, most] of RANGES) {
    const value = resolved[name];
    if (!Number.isInteger(value) || value < least || value > most) {
      throw usage(`expected \`${name}\` to be a whole number, ${least} to ${most}`);
    }
  }
  return Object.freeze({ ...resolved, dataCiphers: offered });
}

const DEFAULTS = {
  protocol: 'udp',
  host: '127.0.0.1',
  port: 0,
  wrap: { kind: 'none' },
  dataCiphers: DEFAULT_DATA_CIPHERS,
  auth: DEFAULT_DIGEST,
  compression: 'none',
  cipherProvider: nodeProvider,
  dynTlsCrypt: true,
  aeadEpoch: true,
  clientCertificate: 'required',
  subnet: '10.8.0.0/24',
  pushes: [],
  tunMtu: DEFAULT_TUN_MTU,
  keepalive: { pingMs: 10_000, pingRestartMs: 60_000 },
  renegSecMs: 3_600_000,
  tlsTimeoutMs: 500,
  handWindowMs: 60_000,
  maxPeers: 1024,
  tlsVersionMin: '1.2',
  tlsVersionMax: '1.3',
  logger: noLog,
  clock: systemClock,
} as const;

const DAY_MS = 86_400_000;

const RANGES = [
  ['port', 0, 65_535],
  ['tunMtu', 576, 1600],
  ['renegSecMs', 0, 365 * DAY_MS],
  ['tlsTimeoutMs', 1, 60_000],
  ['handWindowMs', 1, DAY_MS],
  ['maxPeers', 1, 0x10_0000],
] as const;

const FRAMINGS: readonly CompressionFraming[] = ['none', 'comp-lzo-no', 'stub', 'stub-v2'];

function isWrap(wrap: ServerWrapOptions): boolean {
  switch (wrap.kind) {
    case 'none':
      return true;
    case 'tls-auth':
      return wrap.key.reveal().length === STATIC_KEY_BYTES && DIGESTS.has(wrap.digest);
    case 'tls-crypt':
      return wrap.key.reveal().length === STATIC_KEY_BYTES;
    case 'tls-crypt-v2':
      return wrap.serverKey.reveal().length === SERVER_KEY_BYTES;
    default:
      return false;
  }
}

function isIdentity({ ca, cert, key }: VpnServerOptions): boolean {
  try {
    const authority = new X509Certificate(ca);
    return (
      authority.raw.length > 0 && new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
    );
  } catch {
    return false;
  }
}

function usage(message: string): OvpnUsageError {
  return new OvpnUsageError(message, 'server');
}
