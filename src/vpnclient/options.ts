import { type Clock, systemClock } from '../core/clock.ts';
import { OvpnUsageError } from '../core/errors.ts';
import { type Logger, noLog } from '../core/log.ts';
import { type RandomSource, SystemRandom } from '../core/random.ts';
import type { Credentials } from '../model/credentials.ts';
import type { Profile, Remote } from '../model/profile.ts';
import type { Tracer } from '../model/tracer.ts';
import type { Transport } from '../networkio/transport.ts';

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
  readonly transport?: Transport;
  /** Sees every packet and state. Default: none. */
  readonly tracer?: Tracer;
  /** Takes log lines. Default: none are made. */
  readonly logger?: Logger;
  /**
   * Refuse a profile that has none of `remote-cert-tls`, `verify-x509-name` and
   * `peer-fingerprint`. Default: false: the chain to the profile's `ca` is still enforced.
   */
  readonly requireServerCheck?: boolean;
  /** Where time comes from. Default: the process's clock. */
  readonly clock?: Clock;
  /** Where randomness comes from. Default: the operating system. */
  readonly random?: RandomSource;
}

/** {@link VpnClientOptions} with every default filled in. */
export interface ResolvedClientOptions {
  readonly credentials: Credentials | undefined;
  readonly transport: Transport | undefined;
  readonly tracer: Tracer | undefined;
  readonly logger: Logger;
  readonly requireServerCheck: boolean;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Fills in the defaults. @throws OvpnUsageError when an option has the wrong type */
export function resolveClientOptions(options: VpnClientOptions): ResolvedClientOptions {
  if (typeof options?.profile !== 'string' && typeof options?.profile !== 'object') {
    throw new OvpnUsageError(
      `expected \`profile\` to be a path, the text of an .ovpn file or a Profile, got ${typeof options?.profile}`,
      'vpnclient',
    );
  }
  if (options.transport !== undefined && typeof options.transport !== 'function') {
    throw new OvpnUsageError('expected `transport` to be a function', 'vpnclient');
  }
  return Object.freeze({
    credentials: options.credentials,
    transport: options.transport,
    tracer: options.tracer,
    logger: options.logger ?? noLog,
    requireServerCheck: options.requireServerCheck ?? false,
    clock: options.clock ?? systemClock,
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
