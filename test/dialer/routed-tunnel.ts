import { RoutingPolicy } from '../../src/dialer/routing-policy.ts';
import { TunnelScope } from '../../src/dialer/tunnel-scope.ts';
import { RouterPath, type RouterSpec } from '../netstack/router.ts';
import { NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { tunnelPair } from './tunnel-pair.ts';

/** A tunnel whose far host, 10.8.0.2 and fd00::2, is behind routers. */
export function routedTunnel(routers: readonly RouterSpec[]): {
  readonly pair: NetstackPair;
  readonly scope: TunnelScope;
} {
  const path = new RouterPath(routers);
  const pair = new NetstackPair({ filter: path.filter });
  path.attach(pair.leftTun);
  const { clock, left: netstack } = pair;
  const { resolver } = tunnelPair({ clock }).client;
  return {
    pair,
    scope: new TunnelScope({
      netstack,
      resolver,
      clock,
      random: new SeededRandom(3),
      routing: new RoutingPolicy({}, EVERYTHING),
    }),
  };
}

const EVERYTHING = {
  ipv4: undefined,
  ipv6: undefined,
  gateway: undefined,
  gateway6: undefined,
  routes: [],
  redirect: undefined,
  blockIpv4: false,
  blockIpv6: false,
};
