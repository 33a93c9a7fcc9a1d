import type { NameServer } from './name-server.ts';
import type { PushOptions, Subnet } from './push-options.ts';

/** What the server wants to go into the tunnel, and what not. */
export type TunnelRoutes = Pick<PushOptions, 'routes' | 'redirect' | 'blockIpv4' | 'blockIpv6'>;

/** What came of the negotiation: the tunnel as its user sees it. Frozen. */
export interface TunnelInfo extends TunnelRoutes {
  readonly ipv4: Subnet | undefined;
  readonly ipv6: Subnet | undefined;
  /** The server's address inside the tunnel, where one was pushed or follows from the topology. */
  readonly gateway: string | undefined;
  readonly gateway6: string | undefined;
  /** The places of {@link nameServers} for people: an address, with its port where it is unusual. */
  readonly dnsServers: readonly string[];
  readonly nameServers: readonly NameServer[];
  readonly searchDomains: readonly string[];
  /** Largest IP packet that the tunnel takes. Unit: bytes. */
  readonly mtu: number;
  /** Largest TCP segment payload over IPv4 for which the outer datagram stays within `mssfix`. */
  readonly mss: number;
  readonly cipher: string;
  readonly peerId: number | undefined;
  readonly tlsVersion: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly protocol: 'udp' | 'tcp';
}
