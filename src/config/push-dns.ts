import { NAME_SERVER_PORTS, NAME_TRANSPORTS, type NameServer } from '../model/name-server.ts';
import { ipv4Host, ipv6Host } from './addresses.ts';
import { decimal } from './numbers.ts';
import type { DnsServerDraft, PushDraft, PushReaders } from './push-draft.ts';

/** Most name servers, search domains and domains of one name server that a push may set. */
export const MAX_DNS_SERVERS = 16;
export const MAX_SEARCH_DOMAINS = 64;

/** Name servers and search domains. */
export const PUSH_DNS: PushReaders = [
  ['dhcp-option', readDhcpOption],
  ['dns', readDns],
];

/** The servers to ask, in order: those of `dns` by priority, else those of `dhcp-option`. */
export function finishNameServers(draft: PushDraft): readonly NameServer[] {
  const byPriority = [...draft.dnsServers].sort(([a], [b]) => a - b).map(([, server]) => server);
  const usable: NameServer[] = [];
  for (const { places, unusable, ...how } of byPriority) {
    if (unusable === undefined) {
      usable.push(...places.map((place) => Object.freeze({ ...place, ...how })));
      continue;
    }
    draft.shown = unusable;
    draft.ignore('the transports of name servers are plain, DoT and DoH');
  }
  if (usable.length > 0) return usable.slice(0, MAX_DNS_SERVERS);
  const unique = [...new Set(draft.dhcpServers)].slice(0, MAX_DNS_SERVERS);
  return unique.map((address) => Object.freeze({ address }));
}

/** Where `servers` are, each place once. */
export function serverTexts(servers: readonly NameServer[]): readonly string[] {
  const texts = servers.map(({ address, port, transport = 'plain' }) => {
    if (port === undefined || port === NAME_SERVER_PORTS[transport]) return address;
    return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  });
  return [...new Set(texts)];
}

/** The search domains: those of `dns`, else those of `dhcp-option`. */
export function finishSearchDomains(draft: PushDraft): readonly string[] {
  return [...new Set(draft.dnsDomains ?? draft.dhcpDomains)].slice(0, MAX_SEARCH_DOMAINS);
}

function readDhcpOption(draft: PushDraft, [kind = '', value]: readonly string[]): void {
  switch (kind.toUpperCase()) {
    case 'DNS':
    case 'DNS6': {
      const address = ipv4Host(value) ?? ipv6Host(value);
      if (address === undefined) draft.ignore('expected an address');
      else draft.dhcpServers.push(address);
      return;
    }
    case 'DOMAIN':
    case 'DOMAIN-SEARCH':
    case 'ADAPTER_DOMAIN_SUFFIX':
      if (value === undefined || !isDomain(value)) draft.ignore('expected a domain name');
      else draft.dhcpDomains.push(value);
      return;
    default:
      draft.ignore('is not used: only name servers and domains are');
  }
}

function readDns(draft: PushDraft, args: readonly string[]): void {
  const [kind, ...values] = args;
  if (kind === 'search-domains') readSearchDomains(draft, values);
  else if (kind === 'server') readDnsServer(draft, values);
  else draft.ignore('expected search-domains or server');
}

function readSearchDomains(draft: PushDraft, domains: readonly string[]): void {
  if (domains.length === 0 || !domains.every(isDomain)) draft.ignore('expected domain names');
  else draft.dnsDomains = [...(draft.dnsDomains ?? []), ...domains];
}

function readDnsServer(draft: PushDraft, args: readonly string[]): void {
  const [priorityText, property, ...values] = args;
  const priority = priorityOf(priorityText);
  if (priority === undefined) {
    draft.ignore('expected a priority -128 to 127');
    return;
  }
  const server = draft.dnsServers.get(priority) ?? newServer();
  draft.dnsServers.set(priority, server);
  switch (property) {
    case 'address':
      addPlaces(draft, server, values);
      return;
    case 'transport':
      readTransport(draft, server, values);
      return;
    case 'sni':
      readSni(draft, server, values);
      return;
    case 'resolve-domains':
      addDomains(draft, server.resolveDomains, values);
      return;
    case 'exclude-domains':
      addDomains(draft, server.excludeDomains, values);
      return;
    case 'dnssec':
      if (values[0] !== 'no') draft.ignore("signatures are the name server's to verify");
      return;
    default:
      draft.ignore('expected address, resolve-domains, dnssec, transport or sni');
  }
}

function newServer(): DnsServerDraft {
  return {
    places: [],
    transport: 'plain',
    sni: undefined,
    resolveDomains: [],
    excludeDomains: [],
    unusable: undefined,
  };
}

function addPlaces(draft: PushDraft, server: DnsServerDraft, texts: readonly string[]): void {
  const places = texts.map(serverPlace);
  if (places.length === 0 || places.includes(undefined)) {
    draft.ignore('expected addresses, each with a port or none');
    return;
  }
  server.places.push(...places.filter((place) => place !== undefined));
}

/** `a`, `a:53`, `[b]`, `[b]:53` or `b`. */
function serverPlace(text: string): DnsServerDraft['places'][number] | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([\d.]{7,15}))(?::(\d{1,5}))?$/.exec(text);
  const address = parts === null ? ipv6Host(text) : (ipv6Host(parts[1]) ?? ipv4Host(parts[2]));
  const port = decimal(parts?.[3], 1, 0xffff);
  if (address === undefined || (port === undefined && parts?.[3] !== undefined)) return undefined;
  return { address, port };
}

/** A server that asks for what we cannot do is not asked: plain text instead would betray it. */
function readTransport(
  draft: PushDraft,
  server: DnsServerDraft,
  [wanted]: readonly string[],
): void {
  const transport = NAME_TRANSPORTS.find((known) => known === wanted);
  server.unusable = transport === undefined ? draft.shown : undefined;
  server.transport = transport ?? 'plain';
}

function readSni(draft: PushDraft, server: DnsServerDraft, [name]: readonly string[]): void {
  if (name === undefined || !isDomain(name)) draft.ignore('expected a server name');
  else server.sni = name;
}

function addDomains(draft: PushDraft, to: string[], domains: readonly string[]): void {
  const room = MAX_SEARCH_DOMAINS - to.length;
  if (domains.length === 0 || !domains.every(isDomain)) draft.ignore('expected domain names');
  else if (domains.length > room) draft.ignore(`expected at most ${MAX_SEARCH_DOMAINS} domains`);
  else to.push(...domains);
}

function priorityOf(text: string | undefined): number | undefined {
  const isNegative = text?.startsWith('-') === true;
  const size = decimal(isNegative ? text.slice(1) : text, 0, isNegative ? 128 : 127);
  return size === undefined || !isNegative ? size : -size;
}

/** Letters, digits, `. _ -` and what is beyond ASCII and C1: no shell or terminal acts on it. */
function isDomain(text: string): boolean {
  return text.length <= 253 && /^[A-Za-z0-9._\u00a1-\uffff-]+$/.test(text);
}
