import { OvpnUsageError } from '../core/errors.ts';
import type { Subnet } from '../model/push-options.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import type { Reaches } from '../netstack/local-addresses.ts';
import { PrefixTable } from './prefix-table.ts';

/** What goes into the tunnel, and what becomes of the rest. */
export interface RoutingOptions {
  /**
   * `tunnel`: everything goes into the tunnel. `pushed`: only what the server's routes and the
   * profile's own lead there, as on a host whose routes they would change. A family that the server
   * blocks (`block-ipv6`) is refused in any case. Default: `tunnel`.
   */
  readonly routing?: 'tunnel' | 'pushed' | undefined;
  /**
   * With `pushed`, what lies outside: `refuse` fails with `ENETUNREACH`; `bypass` opens TCP
   * connections from the host itself, seen by its network and unprotected. UDP and pings are refused
   * even then, and names are asked inside the tunnel only. Default: `refuse`.
   */
  readonly outside?: 'refuse' | 'bypass' | undefined;
}

/** Where packets to an address go. */
export type Way = 'tunnel' | 'outside' | 'blocked';

/** The parts of a tunnel that decide. */
export type RoutedTunnel = Pick<
  TunnelInfo,
  'ipv4' | 'ipv6' | 'gateway' | 'gateway6' | 'routes' | 'redirect' | 'blockIpv4' | 'blockIpv6'
>;

/**
 * Where each address is reached: the most specific prefix decides, and of equal ones that which
 * leads into the tunnel, so that a doubt leaks nothing.
 */
export class RoutingPolicy {
  readonly #options: RoutingOptions;
  readonly #tunnel: RoutedTunnel;
  readonly #table: PrefixTable<'tunnel' | 'outside'> | undefined;

  /**
   * @param nameServers are always asked inside the tunnel
   * @throws OvpnUsageError for options that cannot be meant
   */
  constructor(
    options: RoutingOptions,
    tunnel: RoutedTunnel,
    nameServers: readonly IpAddress[] = [],
  ) {
    const { routing = 'tunnel', outside = 'refuse' } = options;
    if (routing !== 'tunnel' && routing !== 'pushed') {
      throw usage(`expected \`routing\` to be tunnel or pushed, got ${routing}`);
    }
    if (outside !== 'refuse' && outside !== 'bypass') {
      throw usage(`expected \`outside\` to be refuse or bypass, got ${outside}`);
    }
    if (outside === 'bypass' && routing === 'tunnel') {
      throw usage("expected `routing: 'pushed'` beside `outside: 'bypass'`: nothing lies outside");
    }
    this.#options = options;
    this.#tunnel = tunnel;
    this.#table = routing === 'pushed' ? tableOf(tunnel, nameServers) : undefined;
  }

  /** Where `address` is reached. Loopback addresses are the stack's own, never the host's. */
  wayTo(address: IpAddress): Way {
    if (address.isLoopback || address.isUnspecified) return 'tunnel';
    const { blockIpv4, blockIpv6 } = this.#tunnel;
    if (address.family === 4 ? blockIpv4 : blockIpv6) return 'blocked';
    if (this.#table === undefined) return 'tunnel';
    return this.#table.find(address) ?? 'outside';
  }

  /** Whether a connection to `address` is made by the host itself. */
  bypasses(address: IpAddress): boolean {
    return this.#options.outside === 'bypass' && this.wayTo(address) === 'outside';
  }

  /** For the netstack: whether it may speak to an address; undefined where it may to all. */
  get reaches(): Reaches | undefined {
    const { blockIpv4, blockIpv6 } = this.#tunnel;
    if (this.#table === undefined && !blockIpv4 && !blockIpv6) return undefined;
    return (address) => this.wayTo(address) === 'tunnel';
  }

  /** The families whose names are worth asking for, the preferred one first. */
  get families(): readonly (4 | 6)[] {
    const { ipv4, ipv6, blockIpv4, blockIpv6 } = this.#tunnel;
    const everywhere = this.#options.outside === 'bypass';
    const has6 = (ipv6 !== undefined || everywhere) && !blockIpv6;
    const has4 = (ipv4 !== undefined || everywhere) && !blockIpv4;
    return [...(has6 ? [6 as const] : []), ...(has4 ? [4 as const] : [])];
  }

  /** Why `address` is not spoken to, for people; undefined where routing is not the reason. */
  refusal(address: IpAddress): string | undefined {
    switch (this.wayTo(address)) {
      case 'blocked':
        return `the VPN server blocks IPv${address.family}`;
      case 'outside':
        return 'the pushed routes leave it outside of the tunnel';
      default:
        return undefined;
    }
  }
}

function tableOf(
  { ipv4, ipv6, gateway, gateway6, routes, redirect }: RoutedTunnel,
  nameServers: readonly IpAddress[],
): PrefixTable<'tunnel' | 'outside'> {
  const table = new PrefixTable<'tunnel' | 'outside'>();
  const add = (subnet: Subnet | undefined, via: 'tunnel' | 'outside') => {
    const network = IpAddress.parse(subnet?.address ?? '');
    if (subnet === undefined || network === undefined) return;
    if (via === 'outside' && table.at(network, subnet.prefixLength) === 'tunnel') return;
    table.set(network, subnet.prefixLength, via);
  };
  if (redirect?.ipv4 === true) add({ address: '0.0.0.0', prefixLength: 0 }, 'tunnel');
  if (redirect?.ipv6 === true) add({ address: '::', prefixLength: 0 }, 'tunnel');
  for (const one of [ipv4, ipv6, host(gateway), host(gateway6)]) add(one, 'tunnel');
  for (const address of nameServers) add(host(`${address}`), 'tunnel');
  for (const route of routes) add(route, route.via);
  return table;
}

function host(address: string | undefined): Subnet | undefined {
  if (address === undefined) return undefined;
  return { address, prefixLength: address.includes(':') ? 128 : 32 };
}

function usage(message: string): OvpnUsageError {
  return new OvpnUsageError(message, 'dialer');
}
