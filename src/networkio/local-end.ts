import { isIP } from 'node:net';
import { printable } from '../core/log.ts';
import type { LocalEnd } from '../model/profile.ts';
import { networkError } from './network-errors.ts';
import { type ResolveOptions, resolveName } from './remote.ts';

/**
 * `local` with a literal address of `family`, for a socket to be bound to; undefined when it asks
 * for nothing.
 *
 * @throws OvpnNetworkError `OVPN_UNREACHABLE`: its address is of the other family;
 * `OVPN_NAME_NOT_FOUND`
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function resolveLocalEnd(
  local: LocalEnd | undefined,
  family: 4 | 6,
  options: ResolveOptions = {},
): Promise<LocalEnd | undefined> {
  if (local === undefined) return undefined;
  const { address: host, port } = local;
  if (host === undefined) return port === 0 ? undefined : local;
  const literal = isIP(host);
  if (literal === family) return local;
  if (literal !== 0) {
    throw networkError(
      'OVPN_UNREACHABLE',
      `expected an IPv${family} address of this machine for an IPv${family} remote, got ${host}: change \`local\` or the remote`,
    );
  }
  const [found] = await resolveName(host, family, options);
  return { address: found?.address, port };
}

/** `local` is taken, or not of this machine. */
export function localEndFailed({ address, port }: LocalEnd, cause: unknown): Error {
  const place = [
    ...(address === undefined ? [] : [`address ${printable(address)}`]),
    ...(port === 0 ? [] : [`port ${port}`]),
  ];
  return networkError('OVPN_UNREACHABLE', `local ${place.join(' ')} cannot be had`, cause);
}
