import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** `text` as an IPv4 address that a host can have; undefined for anything else. */
export function ipv4Host(text: string | undefined): string | undefined {
  if (text === undefined || !isIPv4(text) || Number(text.split('.')[0]) >= CLASS_E)
    return undefined;
  return NO_HOST.has(ipaddr.IPv4.parse(text).range()) ? undefined : text;
}

/** `text` as an IPv6 address that a host can have, in its shortest form. */
export function ipv6Host(text: string | undefined): string | undefined {
  if (text === undefined || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return NO_HOST.has(address.range()) ? undefined : address.toString();
}

/** 240.0.0.0 and all above it (RFC 1112 §4). */
const CLASS_E = 240;

const NO_HOST: ReadonlySet<string> = new Set([
  'broadcast',
  'loopback',
  'multicast',
  'unspecified',
  'ipv4Mapped',
]);

/** `255.255.255.0` → 24; undefined when it is no mask or its ones are not in one run. */
export function prefixOfMask(text: string | undefined): number | undefined {
  if (text === undefined || !isIPv4(text)) return undefined;
  return ipaddr.IPv4.parse(text).prefixLengthFromSubnetMask() ?? undefined;
}

/** `10.1.0.0` with 16 → the same; bits behind the prefix are cleared. */
export function ipv4Network(text: string | undefined, prefixLength: number): string | undefined {
  if (text === undefined || !isIPv4(text)) return undefined;
  return ipaddr.IPv4.networkAddressFromCIDR(`${text}/${prefixLength}`).toString();
}

/** An IPv6 address with the length of its prefix, cut at the slash. */
export interface Ipv6Prefix {
  readonly address: string;
  readonly prefixLength: number;
}

/** `fd00::2/64` → its parts, the address in its shortest form. */
export function ipv6Prefix(text: string | undefined): Ipv6Prefix | undefined {
  const [addressText = '', bits, ...others] = (text ?? '').split('/');
  if (others.length > 0 || bits === undefined || !/^[0-9]{1,3}$/.test(bits)) return undefined;
  if (addressText.includes('%') || !ipaddr.IPv6.isValid(addressText)) return undefined;
  const prefixLength = Number(bits);
  if (prefixLength > 128) return undefined;
  return { address: ipaddr.IPv6.parse(addressText).toString(), prefixLength };
}
