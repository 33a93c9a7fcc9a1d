import type { Redirect } from '../model/push-options.ts';
import { ipv4Host, ipv4Network, ipv6Host, ipv6Prefix, prefixOfMask } from './addresses.ts';
import type { PushDraft, PushReader, PushReaders } from './push-draft.ts';

/** What goes into the tunnel, and what around it. No route of the host is ever changed. */
export const PUSH_ROUTES: PushReaders = [
  ['route-gateway', readRouteGateway],
  ['route', readRoute],
  ['route-ipv6', readRouteIpv6],
  ['redirect-gateway', redirect('everything')],
  ['redirect-private', redirect('nothing')],
  [
    'block-ipv4',
    (draft) => {
      draft.blockIpv4 = true;
    },
  ],
  [
    'block-ipv6',
    (draft) => {
      draft.blockIpv6 = true;
    },
  ],
];

/** What all `redirect-gateway` and `redirect-private` of a push come to. */
export function finishRedirect({ redirect: asked }: PushDraft): Redirect | undefined {
  if (asked === undefined) return undefined;
  const { everything, flags } = asked;
  return Object.freeze({
    ipv4: everything && !flags.has('!ipv4'),
    ipv6: everything && flags.has('ipv6'),
    flags: Object.freeze([...flags]),
  });
}

function readRouteGateway(draft: PushDraft, [gateway]: readonly string[]): void {
  const address = ipv4Host(gateway);
  if (address === undefined) draft.ignore('expected an IPv4 address');
  else draft.routeGateway = address;
}

function readRoute(draft: PushDraft, args: readonly string[]): void {
  const [network, mask = HOST_MASK, gatewayText] = args;
  if (isKeyword(network)) {
    draft.ignore('gateways are reached without a route');
    return;
  }
  const prefixLength = prefixOfMask(mask === 'default' ? HOST_MASK : mask);
  const address = prefixLength === undefined ? undefined : ipv4Network(network, prefixLength);
  if (prefixLength === undefined || address === undefined) {
    draft.ignore('expected a network and its mask as numbers');
    return;
  }
  const way = wayOf(gatewayText, ipv4Host);
  if (way === undefined) draft.ignore(`expected an IPv4 address or ${GATEWAYS} as gateway`);
  else draft.routes.push(Object.freeze({ address, prefixLength, ...way }));
}

function readRouteIpv6(draft: PushDraft, [network, gatewayText]: readonly string[]): void {
  const prefix = ipv6Prefix(network);
  if (prefix === undefined) {
    draft.ignore('expected an IPv6 network with the length of its prefix');
    return;
  }
  const way = wayOf(gatewayText, ipv6Host);
  if (way === undefined) draft.ignore(`expected an IPv6 address or ${GATEWAYS} as gateway`);
  else draft.routes.push(Object.freeze({ ...prefix, ...way }));
}

type Way = Pick<PushDraft['routes'][number], 'gateway' | 'via'>;

/** Where a gateway leads; undefined for what is none. An address is one inside the tunnel. */
function wayOf(
  text: string | undefined,
  hostOf: (text: string | undefined) => string | undefined,
): Way | undefined {
  if (text === undefined || text === 'default' || text === 'vpn_gateway') {
    return { gateway: undefined, via: 'tunnel' };
  }
  if (isKeyword(text)) return { gateway: undefined, via: 'outside' };
  const gateway = hostOf(text);
  return gateway === undefined ? undefined : { gateway, via: 'tunnel' };
}

function isKeyword(text: string | undefined): boolean {
  return text === 'vpn_gateway' || text === 'net_gateway' || text === 'remote_host';
}

/** Flags add up over all options of a push. */
function redirect(what: 'everything' | 'nothing'): PushReader {
  return (draft, flags) => {
    if (!flags.every((flag) => REDIRECT_FLAGS.has(flag))) {
      draft.ignore(`expected flags out of ${[...REDIRECT_FLAGS].join(', ')}`);
      return;
    }
    draft.redirect ??= { everything: false, flags: new Set() };
    draft.redirect.everything ||= what === 'everything';
    for (const flag of flags) draft.redirect.flags.add(flag);
  };
}

const HOST_MASK = '255.255.255.255';
const GATEWAYS = 'vpn_gateway, net_gateway or remote_host';
/** Those but `ipv6` and `!ipv4` are about the host's routes, which are left alone. */
const REDIRECT_FLAGS: ReadonlySet<string> = new Set([
  'def1',
  'local',
  'autolocal',
  'bypass-dhcp',
  'bypass-dns',
  'block-local',
  'ipv6',
  '!ipv4',
]);
