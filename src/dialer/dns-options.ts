import { OvpnUsageError } from '../core/errors.ts';
import type { NameServer } from '../model/name-server.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import type { Netstack } from '../netstack/netstack.ts';
import { DnsResolver, type DnsResolverSettings } from './dns-resolver.ts';
import type { ConnectInside, DnsTrust } from './dns-secure.ts';
import { type DnsServer, toDnsServer } from './dns-server.ts';
import { DnsTransport } from './dns-transport.ts';
import type { RoutingPolicy } from './routing-policy.ts';
import type { TunnelEnd } from './tunnel-end.ts';

/** How names are resolved inside the tunnel. */
export interface DnsOptions {
  /**
   * DNS servers to ask inside the tunnel: `10.8.0.1`, `10.8.0.1:5353`, `[fd00::1]:53`;
   * `tls://10.8.0.1#dns.example` for DoT and `https://10.8.0.1#dns.example` for DoH, with the name
   * in the certificate; or objects, which can be for some domains only. Default: those that the
   * server pushed.
   */
  readonly dnsServers?: readonly (string | NameServer)[] | undefined;
  /** Domains to try behind names without a dot. Default: those that the server pushed. */
  readonly searchDomains?: readonly string[] | undefined;
  /** Certificates in PEM that DoT and DoH servers are believed by. Default: Node's own roots. */
  readonly dnsCa?: DnsTrust['ca'];
}

/**
 * The servers to ask. Those that the caller names must be right; of those that were pushed wrong
 * ones are left out. @throws OvpnUsageError
 */
export function dnsServers(
  { dnsServers: chosen }: DnsOptions,
  { nameServers }: Pick<TunnelInfo, 'nameServers'>,
): readonly DnsServer[] {
  if (chosen === undefined) {
    return nameServers.map(toDnsServer).filter((server) => server !== undefined);
  }
  return chosen.map((given) => {
    const server = toDnsServer(given);
    if (server !== undefined) return server;
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    throw new OvpnUsageError(`expected the address of a DNS server, got ${text}`, 'dialer');
  });
}

/** Whom the resolver asks, and for what: what the caller has chosen, else what was pushed. */
export function resolverSettings(
  options: DnsOptions,
  info: Pick<TunnelInfo, 'nameServers' | 'searchDomains'>,
  { families }: RoutingPolicy,
): DnsResolverSettings {
  const searchDomains = options.searchDomains ?? info.searchDomains;
  return { servers: dnsServers(options, info), searchDomains, families };
}

/** The resolver of the tunnel whose netstack this is. @param connect opens a socket inside it */
export function makeResolver(
  netstack: Netstack,
  { clock, random, info }: Pick<TunnelEnd, 'clock' | 'random' | 'info'>,
  options: DnsOptions,
  routing: RoutingPolicy,
  connect: ConnectInside,
): DnsResolver {
  return new DnsResolver({
    transport: new DnsTransport({ netstack, clock, connect, trust: { ca: options.dnsCa } }),
    clock,
    random,
    ...resolverSettings(options, info, routing),
    sourceFor: (remote) => netstack.localAddressFor(remote),
  });
}
