import { printable } from '../core/log.ts';
import type { Profile } from '../model/profile.ts';
import { pushError } from './push-draft.ts';

/** What the profile says about pushed options. */
export type PullPolicy = Pick<Profile, 'pullFilters' | 'routeNopull'>;

/** Everything that is pushed is looked at. */
export const PULL_ALL: PullPolicy = Object.freeze({ pullFilters: [], routeNopull: false });

/** The options that `route-nopull` leaves out; `route-gateway` stays, for the profile's own routes. */
const ROUTE_NOPULL: ReadonlySet<string> = new Set([
  'block-ipv4',
  'block-ipv6',
  'block-outside-dns',
  'client-nat',
  'dhcp-option',
  'dns',
  'redirect-dns',
  'redirect-gateway',
  'redirect-private',
  'route',
  'route-delay',
  'route-ipv6',
  'route-method',
  'route-metric',
]);

/**
 * Why the profile leaves a pushed option out; undefined when it is to be read. Filters see the words
 * of the option joined by one blank, however it was written, and the first whose text begins it
 * decides. They sort what an honest server sends; they are no protection from another.
 *
 * @throws OvpnProtocolError `OVPN_PUSH_INVALID` for an option that `pull-filter reject` names
 */
export function pullRefusal(
  words: readonly string[],
  { pullFilters, routeNopull }: PullPolicy,
): string | undefined {
  const text = words.join(' ');
  const filter = pullFilters.find((one) => text.startsWith(one.text));
  if (filter?.action === 'reject') {
    throw pushError(
      `the profile rejects this option: the server pushed one that begins with "${printable(filter.text)}" (pull-filter reject)`,
    );
  }
  if (filter?.action === 'ignore') return 'is left out by pull-filter ignore';
  if (routeNopull && ROUTE_NOPULL.has(words[0] ?? '')) return 'is left out by route-nopull';
  return undefined;
}
