import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const TCP_HEADER = 20;
const FRAME_PREFIX = 2;
/** Smallest segment payload that is worth announcing (RFC 9293 §3.7.1: 536). */
const MIN_MSS = 536;

/** Facts of a session that are not in the push. */
export interface TunnelFacts {
  readonly cipher: string;
  readonly peerId: number | undefined;
  readonly tlsVersion: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly protocol: 'udp' | 'tcp';
}

/**
 * What the tunnel looks like from inside, from the push and the profile's own settings.
 * @param overheadBytes what a data packet has more than the packet inside
 */
export function tunnelInfo(
  push: PushOptions,
  facts: TunnelFacts,
  { tunMtu, mssfix }: Pick<Profile, 'tunMtu' | 'mssfix'>,
  overheadBytes: number,
): TunnelInfo {
  const mtu = push.tunMtu ?? tunMtu;
  return Object.freeze({
    ipv4: push.ipv4 && { address: push.ipv4.address, prefixLength: push.ipv4.prefixLength },
    ipv6: push.ipv6 && { address: push.ipv6.address, prefixLength: push.ipv6.prefixLength },
    routes: push.routes,
    redirect: push.redirect,
    blockIpv4: push.blockIpv4,
    blockIpv6: push.blockIpv6,
    gateway: push.routeGateway ?? push.ipv4?.peer,
    gateway6: push.ipv6?.peer,
    dnsServers: push.dnsServers,
    nameServers: push.nameServers,
    searchDomains: push.searchDomains,
    mtu,
    mss: segmentLimit(mtu, mssfix, facts, overheadBytes),
    ...facts,
  });
}

/**
 * The inner IPv4 segment payload whose outer packet is `mssfix` bytes, IP header included.
 * @param overheadBytes what a data packet has more than the packet inside
 */
export function segmentLimit(
  mtu: number,
  mssfix: number,
  { protocol, remoteAddress }: Pick<TunnelFacts, 'protocol' | 'remoteAddress'>,
  overheadBytes: number,
): number {
  const fromMtu = mtu - IPV4_HEADER - TCP_HEADER;
  if (mssfix === 0) return fromMtu;
  const outerIp = remoteAddress.includes(':') ? IPV6_HEADER : IPV4_HEADER;
  const outer = outerIp + (protocol === 'udp' ? UDP_HEADER : TCP_HEADER + FRAME_PREFIX);
  const fromLink = mssfix - outer - overheadBytes - IPV4_HEADER - TCP_HEADER;
  return Math.max(Math.min(fromMtu, fromLink), MIN_MSS);
}
