import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Clock, systemClock } from '../core/clock.ts';
import { printable } from '../core/log.ts';
import type { Millis } from '../core/machine.ts';
import type { RandomSource } from '../core/random.ts';
import type { Remote } from '../model/profile.ts';
import { aborted, errnoOf, networkError } from './network-errors.ts';

/** One address of a remote: where a link can be opened. */
export interface ResolvedRemote {
  readonly protocol: 'udp' | 'tcp';
  /** A literal IP address. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** As the profile names it. */
  readonly host: string;
}

/** An address as a look-up gives it. */
export interface FoundAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a name, best first; `family` 0 asks for both. Rejects when there is none. */
export type LookupAll = (
  host: string,
  family: 0 | 4 | 6,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface ResolveOptions {
  /** Default: the operating system's (`dns.lookup`). */
  readonly lookup?: LookupAll | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * How long a resolver that cannot answer now is asked again. A name that it says is none fails
   * at once. Unit: milliseconds. Default: 0.
   */
  readonly retryMs?: number;
  readonly clock?: Clock;
}

/** Pause between two look-ups of a name. Unit: milliseconds. Source: socket.c `fail_wait_interval`. */
export const LOOKUP_RETRY_MS = 5_000;

/** Most addresses of one name that are tried. */
export const MAX_ADDRESSES = 64;

const RANDOM_LABEL_BYTES = 6;

/**
 * The addresses of `remote`, in the resolver's order, at least one. A literal address is taken
 * without a look-up.
 *
 * @throws OvpnNetworkError `OVPN_NAME_NOT_FOUND`: no such name, or no address of that family
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function resolveRemote(
  remote: Remote,
  options: ResolveOptions = {},
): Promise<readonly ResolvedRemote[]> {
  const { host, port, protocol } = remote;
  const found = await resolveName(host, remote.family, options);
  return found.map(({ address, family }) => ({ protocol, address, port, family, host }));
}

/** The addresses of `host`, as {@link resolveRemote} gives them. */
export async function resolveName(
  host: string,
  family: 0 | 4 | 6,
  options: ResolveOptions = {},
): Promise<readonly FoundAddress[]> {
  const found = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await lookedUpInTime(host, family, options);
  const addresses = new Map<string, FoundAddress>();
  for (const { address, family: found4or6 } of found) {
    if (family !== 0 && family !== found4or6) continue;
    addresses.set(address, { address, family: found4or6 === 6 ? 6 : 4 });
    if (addresses.size === MAX_ADDRESSES) break;
  }
  if (addresses.size === 0) throw nameNotFound(host, family);
  return [...addresses.values()];
}

/**
 * `host` behind twelve random digits as its first label, for a zone that answers to any; a literal
 * address as it is. Source: socket.c `hostname_randomize`.
 */
export function withRandomLabel(host: string, random: RandomSource): string {
  return isIP(host) ? host : `${random.bytes(RANDOM_LABEL_BYTES).toString('hex')}.${host}`;
}

const systemLookup: LookupAll = (host, family) =>
  lookup(host, { all: true, family, verbatim: true });

async function lookedUpInTime(
  host: string,
  family: 0 | 4 | 6,
  { lookup: lookupAll = systemLookup, signal, retryMs = 0, clock = systemClock }: ResolveOptions,
): Promise<Awaited<ReturnType<LookupAll>>> {
  const until = clock.now() + retryMs;
  for (;;) {
    try {
      return await unlessAborted(lookupAll(host, family), host, signal);
    } catch (cause) {
      if (signal?.aborted) throw aborted(lookUpOf(host), signal);
      const again = clock.now() + LOOKUP_RETRY_MS;
      if (errnoOf(cause) !== 'EAI_AGAIN' || again > until) throw nameNotFound(host, 0, cause);
      await pause(clock, again, host, signal);
    }
  }
}

function unlessAborted<T>(
  waiting: Promise<T>,
  host: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      if (signal !== undefined) reject(aborted(lookUpOf(host), signal));
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    waiting.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}

function pause(clock: Clock, at: Millis, host: string, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(at, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      cancel();
      if (signal !== undefined) reject(aborted(lookUpOf(host), signal));
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function lookUpOf(host: string): string {
  return `look-up of ${printable(host)}`;
}

function nameNotFound(host: string, family: 0 | 4 | 6, cause?: unknown): Error {
  const wanted = family === 0 ? 'address' : `IPv${family} address`;
  return networkError('OVPN_NAME_NOT_FOUND', `${printable(host)}: no ${wanted} found`, cause);
}
