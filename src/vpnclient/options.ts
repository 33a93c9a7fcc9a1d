import { backgroundClock, type Clock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { type Logger, noLog } from '../core/log.ts';
import { type RandomSource, SystemRandom } from '../core/random.ts';
import { type CipherProvider, isCipherProvider } from '../datachannel/cipher-provider.ts';
import { nodeProvider } from '../datachannel/node-provider.ts';
import type { Credentials, UserPassword } from '../model/credentials.ts';
import type { Profile, Remote } from '../model/profile.ts';
import type { Tracer } from '../model/tracer.ts';
import type { Transport } from '../networkio/transport.ts';
import { CLIENT_IV_PROTO } from '../tlsstate/peer-info.ts';
import { type RaceSettings, resolveRace } from './race.ts';
/**
 * The caller's own way to a remote: a datagram pipe (an object like a connected `dgram.Socket`) or a
 * Duplex, which carries 16-bit frames. tundial closes it.
 */
export type OpenTransport = (
  remote: Remote,
  options: { readonly signal: AbortSignal },
) => Transport | Promise<Transport>;

/** What a {@link VpnClient} is made from. Only `profile` is needed. */
export interface VpnClientOptions {
  /**
   * A path to an `.ovpn` file, the text of one (anything with a line break), or what `readProfile`
   * gave.
   */
  readonly profile: string | Profile;
  /**
   * User name and password, or a callback that is asked when the server wants them. Default: those
   * of the profile's `auth-user-pass`.
   */
  readonly credentials?: Credentials;
  /**
   * The caller's own way to reach the server, asked once for every remote that is tried. Default: a
   * UDP or TCP socket of this process.
   */
  readonly transport?: OpenTransport;
  /** Sees every packet and state. Default: none. */
  readonly tracer?: Tracer;
  /** Takes log lines. Default: none are made. */
  readonly logger?: Logger;
  /**
   * Refuse a profile that has none of `remote-cert-tls`, `verify-x509-name` and
   * `peer-fingerprint`. Default: false: the chain to the profile's `ca` is still enforced.
   */
  readonly requireServerCheck?: boolean;
  /**
   * Time for the whole of `start()`. Unit: milliseconds. Range: 1 and more. Default: none; each
   * remote has the profile's `server-poll-timeout` to answer and `hand-window` to negotiate.
   */
  readonly connectTimeoutMs?: number;
  /**
   * Come back after a tunnel that was up is lost, for as many rounds as `connect-retry-max` says.
   * False: its end is the client's end. Default: true.
   */
  readonly reconnect?: boolean;
  /**
   * Let `start()` go round the remotes again, with the pauses of `connect-retry`, until one works or
   * `connect-retry-max` rounds are over. Default: false: each is tried once.
   */
  readonly keepTrying?: boolean;
  /**
   * Try several remotes at a time in `start()`, the next one when the one before is not up soon:
   * the first that is up wins. True takes the defaults. The others may have been told user name and
   * password by then, and a callback for credentials may be asked for each. Default: false: one
   * after the other.
   */
  readonly race?: boolean | RaceSettings;
  /**
   * What to announce to the server as IV_PROTO: bits of `IvProto`; 0 announces none. Without a bit,
   * its feature is off. Default: all of them, 8094.
   */
  readonly ivProto?: number;
  /**
   * Who enciphers data packets; ciphers of the profile that it has not are not offered. Default:
   * {@link nodeProvider}.
   */
  readonly cipherProvider?: CipherProvider;
  /** Where time comes from. Default: the process's clock. */
  readonly clock?: Clock;
  /** Where randomness comes from. Default: the operating system. */
  readonly random?: RandomSource;
}

/** {@link VpnClientOptions} with every default filled in. */
export interface ResolvedClientOptions {
  readonly credentials: Credentials | undefined;
  readonly transport: OpenTransport | undefined;
  readonly tracer: Tracer | undefined;
  readonly logger: Logger;
  readonly requireServerCheck: boolean;
  readonly connectTimeoutMs: number;
  readonly reconnect: boolean;
  readonly keepTrying: boolean;
  readonly race: Required<RaceSettings> | undefined;
  readonly ivProto: number;
  readonly cipherProvider: CipherProvider;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Fills in the defaults. @throws OvpnUsageError when an option has the wrong type */
export function resolveClientOptions(options: VpnClientOptions): ResolvedClientOptions {
  const { profile, credentials, transport, logger, connectTimeoutMs } = options ?? {};
  const { ivProto, cipherProvider } = options ?? {};
  if (typeof profile !== 'string' && !isObject(profile)) {
    throw usage('`profile` to be a path, the text of an .ovpn file or a Profile');
  }
  if (credentials !== undefined && !areCredentials(credentials)) {
    throw usage('`credentials` to be { username, password } as texts, or a function');
  }
  if (transport !== undefined && typeof transport !== 'function') {
    throw usage('`transport` to be a function');
  }
  if (logger !== undefined && typeof logger !== 'function') {
    throw usage('`logger` to be a function');
  }
  if (connectTimeoutMs !== undefined && !(connectTimeoutMs > 0)) {
    throw usage('`connectTimeoutMs` to be above 0');
  }
  if (cipherProvider !== undefined && !isCipherProvider(cipherProvider)) {
    throw usage('`cipherProvider` to be a cipher provider');
  }
  if (ivProto !== undefined && !isSubset(ivProto, CLIENT_IV_PROTO)) {
    throw usage(`\`ivProto\` to be a sum of bits of ${CLIENT_IV_PROTO}`);
  }
  return Object.freeze({
    credentials: options.credentials,
    transport: options.transport,
    tracer: options.tracer,
    logger: options.logger ?? noLog,
    requireServerCheck: options.requireServerCheck ?? false,
    connectTimeoutMs: options.connectTimeoutMs ?? Number.POSITIVE_INFINITY,
    reconnect: options.reconnect ?? true,
    keepTrying: options.keepTrying ?? false,
    race: resolveRace(options.race),
    ivProto: options.ivProto ?? CLIENT_IV_PROTO,
    cipherProvider: options.cipherProvider ?? nodeProvider,
    clock: options.clock ?? backgroundClock,
    random: options.random ?? new SystemRandom(),
  });
}

/** The remotes in the order in which they are tried. */
export function remotesInOrder(profile: Profile, random: RandomSource): readonly Remote[] {
  const remotes = [...profile.remotes];
  if (!profile.remoteRandom) return remotes;
  for (let last = remotes.length - 1; last > 0; last -= 1) {
    const other = random.uint32() % (last + 1);
    const [a, b] = [remotes[last], remotes[other]];
    if (a !== undefined && b !== undefined) {
      remotes[last] = b;
      remotes[other] = a;
    }
  }
  return remotes;
}

function areCredentials(value: unknown): boolean {
  if (typeof value === 'function') return true;
  const { username, password } = (isObject(value) ? value : {}) as Partial<UserPassword>;
  return typeof username === 'string' && typeof password === 'string';
}

/** Whether `bits` is a whole number without a bit that `all` has not. */
function isSubset(bits: number, all: number): boolean {
  return Number.isInteger(bits) && bits >= 0 && bits <= all && (bits & ~all) === 0;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function usage(expected: string): OvpnUsageError {
  return new OvpnUsageError(`expected ${expected}`, 'vpnclient');
}
