import { domainToASCII } from 'node:url';
import { OvpnNetworkError } from '../core/errors.ts';
import { printable } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import type { OuterProxy } from '../model/profile.ts';
import { networkError } from './network-errors.ts';

/** What an outer proxy is told of its user. */
export interface ProxyCredentials {
  readonly username: string;
  readonly password: Secret;
}

/** Is asked when a proxy wants credentials that the profile does not have. */
export type AskProxyCredentials = (proxy: OuterProxy) => Promise<ProxyCredentials>;

/** Where a proxy is to lead: a name or a literal address, and a port. */
export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
}

/** The proxy is not there, does not do what it should, or will not take us to the server. */
export function proxyFailed(proxy: OuterProxy, what: string, cause?: unknown): OvpnNetworkError {
  return networkError('OVPN_PROXY_FAILED', `${proxyName(proxy)} ${what}`, cause);
}

/** The proxy refused our credentials, or has none of us. To try again mends nothing. */
export function proxyRefused(proxy: OuterProxy, what: string): OvpnNetworkError {
  const message = `${proxyName(proxy)} ${what}`;
  return new OvpnNetworkError('OVPN_PROXY_AUTH', message, { layer: 'networkio' });
}

/** `HTTP proxy 192.0.2.1 port 3128` */
export function proxyName({ kind, host, port }: OuterProxy): string {
  return `${kind === 'http' ? 'HTTP' : 'SOCKS5'} proxy ${printable(host)} port ${port}`;
}

/**
 * The profile's credentials for `proxy`, else what `ask` gives.
 *
 * @throws OvpnNetworkError `OVPN_PROXY_AUTH`: nobody has any
 */
export async function proxyCredentials(
  proxy: OuterProxy,
  ask: AskProxyCredentials | undefined,
): Promise<ProxyCredentials> {
  const { username, password } = proxy.credentials ?? {};
  if (username !== undefined && password !== undefined) return { username, password };
  if (ask === undefined) throw proxyWantsUser(proxy);
  return ask(proxy);
}

/** The proxy wants credentials, and nobody has any. */
export function proxyWantsUser(proxy: OuterProxy): OvpnNetworkError {
  return proxyRefused(
    proxy,
    'wants a user name and a password: name a file with both in the profile, or give `credentials` as a function',
  );
}

/**
 * The host of a target as it stands in a request: names in ASCII.
 *
 * @throws OvpnNetworkError `OVPN_PROXY_FAILED`: it holds what ends a host (RFC 3986 §3.2), blanks or
 * control characters
 */
export function targetHost(proxy: OuterProxy, { host }: ProxyTarget): string {
  const ascii = isAscii(host) ? host : domainToASCII(host);
  if (ascii.length <= MAX_HOST_BYTES && HOST.test(ascii)) return ascii;
  throw proxyFailed(proxy, `can be told a host name or an address, got ${printable(host)}`);
}

/** As much as SOCKS5 has room for; a name of the DNS is shorter. */
const MAX_HOST_BYTES = 255;
const HOST = /^[!$%&'()*+,.:;=A-Za-z0-9_~-]+$/;

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
