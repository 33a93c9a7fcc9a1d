import type { Profile } from '../model/profile.ts';
import type { PushOptions } from '../model/push-options.ts';
import type { TunnelInfo } from '../model/tunnel-info.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const TCP_HEADER = 20;
const FRAME_PREFIX = 2;
/** DATA_V2 header, packet id and AEAD tag; DATA_V1 has three bytes less. */
const DATA_OVERHEAD = 24;
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

/** What the tunnel looks like from inside, from the push and the profile's own settings. */
export function tunnelInfo(
  push: PushOptions,
  facts: TunnelFacts,
  { tunMtu, mssfix }: Pick<Profile, 'tunMtu' | 'mssfix'>,
): TunnelInfo {
  const mtu = push.tunMtu ?? tunMtu;
  return Object.freeze({
    ipv4: push.ipv4 && { address: push.ipv4.address, prefixLength: push.ipv4.prefixLength },
    ipv6: push.ipv6 && { address: push.ipv6.address, prefixLength: push.ipv6.prefixLength },
    gateway: push.routeGateway ?? push.ipv4?.peer,
    gateway6: push.ipv6?.peer,
    dnsServers: push.dnsServers,
    searchDomains: push.searchDomains,
    mtu,
    mss: segmentLimit(mtu, mssfix, facts),
    ...facts,
  });
}

/** The inner IPv4 segment payload whose outer packet is `mssfix` bytes, IP header included. */
export function segmentLimit(
  mtu: number,
  mssfix: number,
  { protocol, remoteAddress }: Pick<TunnelFacts, 'protocol' | 'remoteAddress'>,
): number {
  const fromMtu = mtu - IPV4_HEADER - TCP_HEADER;
  if (mssfix === 0) return fromMtu;
  const outerIp = remoteAddress.includes(':') ? IPV6_HEADER : IPV4_HEADER;
  const outer = outerIp + (protocol === 'udp' ? UDP_HEADER : TCP_HEADER + FRAME_PREFIX);
  const fromLink = mssfix - outer - DATA_OVERHEAD - IPV4_HEADER - TCP_HEADER;
  return Math.max(Math.min(fromMtu, fromLink), MIN_MSS);
}
