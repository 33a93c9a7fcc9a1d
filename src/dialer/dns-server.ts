import { domainToASCII } from 'node:url';
import {
  NAME_SERVER_PORTS,
  NAME_TRANSPORTS,
  type NameServer,
  type NameTransport,
} from '../model/name-server.ts';
import { IpAddress } from '../netstack/ip-address.ts';
import { normalizeName } from './dns-name.ts';

/** A {@link NameServer} that was checked and completed. */
export interface DnsServer {
  readonly address: IpAddress;
  readonly port: number;
  readonly transport: NameTransport;
  readonly sni: string | undefined;
  /** Normalized; none for a server that is asked for everything. */
  readonly resolveDomains: readonly string[];
  readonly excludeDomains: readonly string[];
}

/** Transports by the scheme of a server's text. */
const SCHEMES: Readonly<Record<string, NameTransport>> = {
  'tls://': 'DoT',
  'https://': 'DoH',
};

const SERVER_TEXT = /^(tls:\/\/|https:\/\/)?(?:\[([^\]]+)\]|([^#[\]]+?))(?::(\d{1,5}))?(?:#(.+))?$/;

/**
 * Reads `10.8.0.1`, `10.8.0.1:5353`, `fd00::1` or `[fd00::1]:5353`; with `tls://` before it for
 * DoT and `https://` for DoH, and `#name` behind it for the name in the certificate. Undefined for
 * anything else.
 */
export function parseDnsServer(text: string): DnsServer | undefined {
  const [, scheme = '', bracketed, bare = '', port, sni] = SERVER_TEXT.exec(text) ?? [];
  const transport = SCHEMES[scheme] ?? 'plain';
  const whole = text.slice(scheme.length).split('#', 1)[0] ?? '';
  // Without brackets the last group of an IPv6 address looks like a port.
  const address = IpAddress.parse(whole) === undefined ? (bracketed ?? bare) : whole;
  if (address !== whole && bracketed === undefined && address.includes(':')) return undefined;
  return toDnsServer({
    address,
    transport,
    sni,
    ...(port === undefined || address === whole ? {} : { port: Number(port) }),
  });
}

/** Checks and completes `server`; undefined when something of it is wrong. */
export function toDnsServer(server: NameServer | string): DnsServer | undefined {
  if (typeof server === 'string') return parseDnsServer(server);
  const { transport = 'plain', resolveDomains = [], excludeDomains = [] } = server;
  const { port = NAME_SERVER_PORTS[transport] } = server;
  const address = IpAddress.parse(server.address);
  const sni = server.sni === undefined ? undefined : domainToASCII(server.sni);
  const domains = [...resolveDomains, ...excludeDomains].map(normalizeName);
  const isRight =
    NAME_TRANSPORTS.includes(transport) &&
    Number.isInteger(port) &&
    port > 0 &&
    port <= 0xffff &&
    sni !== '' &&
    !domains.includes(undefined);
  if (address === undefined || !isRight) return undefined;
  const known = domains.filter((domain) => domain !== undefined);
  return Object.freeze({
    address,
    port,
    transport,
    sni,
    resolveDomains: known.slice(0, resolveDomains.length),
    excludeDomains: known.slice(resolveDomains.length),
  });
}

/** `address:port` */
export function serverText({ address, port }: DnsServer): string {
  return address.family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
}

/**
 * The servers to ask for `name`, in their order: those whose domain is the longest one that `name`
 * lies in (split DNS); where there is none, those that are asked for everything.
 *
 * @param name normalized
 */
export function serversFor(name: string, servers: readonly DnsServer[]): readonly DnsServer[] {
  let chosen: DnsServer[] = [];
  let longest = -1;
  for (const server of servers) {
    if (server.excludeDomains.some((domain) => liesIn(name, domain))) continue;
    const length = matchLength(name, server);
    if (length < longest || length < 0) continue;
    if (length > longest) chosen = [];
    longest = length;
    chosen.push(server);
  }
  return chosen;
}

/** Length of the longest domain of `server` that `name` lies in; 0 for everything, −1 for none. */
function matchLength(name: string, { resolveDomains }: DnsServer): number {
  if (resolveDomains.length === 0) return 0;
  const own = resolveDomains.filter((domain) => liesIn(name, domain));
  return Math.max(-1, ...own.map(({ length }) => length));
}

function liesIn(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}
