import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Remote } from '../model/profile.ts';
import { aborted, networkError } from './network-errors.ts';

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

/** All addresses of a name, best first; `family` 0 asks for both. Rejects when there is none. */
export type LookupAll = (
  host: string,
  family: 0 | 4 | 6,
) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export interface ResolveOptions {
  /** Default: the operating system's (`dns.lookup`). */
  readonly lookup?: LookupAll;
  readonly signal?: AbortSignal;
}

/**
 * The addresses of `remote`, in the resolver's order, at least one. A literal address is taken
 * without a look-up.
 *
 * @throws OvpnNetworkError `OVPN_NAME_NOT_FOUND`: no such name, or no address of that family
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function resolveRemote(
  remote: Remote,
  { lookup: lookupAll = systemLookup, signal }: ResolveOptions = {},
): Promise<readonly ResolvedRemote[]> {
  const { host, port, protocol, family } = remote;
  const found = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await lookedUp(lookupAll(host, family), host, signal);
  const addresses = new Map<string, ResolvedRemote>();
  for (const { address, family: found4or6 } of found) {
    if (family !== 0 && family !== found4or6) continue;
    addresses.set(address, { protocol, address, port, family: found4or6 === 6 ? 6 : 4, host });
  }
  if (addresses.size === 0) throw nameNotFound(host, family);
  return [...addresses.values()];
}

const systemLookup: LookupAll = (host, family) => lookup(host, { all: true, family });

async function lookedUp<T>(
  addresses: Promise<T>,
  host: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      if (signal !== undefined) reject(aborted(`look-up of ${host}`, signal));
    };
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
    addresses
      .then(resolve, (cause: unknown) => reject(nameNotFound(host, 0, cause)))
      .finally(() => signal?.removeEventListener('abort', abort));
  });
}

function nameNotFound(host: string, family: 0 | 4 | 6, cause?: unknown): Error {
  const wanted = family === 0 ? 'address' : `IPv${family} address`;
  return networkError('OVPN_NAME_NOT_FOUND', `${host}: no ${wanted} found`, cause);
}
