import { ipv4Host, ipv6Host } from './addresses.ts';
import { decimal } from './numbers.ts';
import type { DnsServerDraft, PushDraft, PushReaders } from './push-draft.ts';

/** Most name servers and search domains that a push may set. */
export const MAX_DNS_SERVERS = 16;
export const MAX_SEARCH_DOMAINS = 64;

/** Name servers and search domains. */
export const PUSH_DNS: PushReaders = [
  ['dhcp-option', readDhcpOption],
  ['dns', readDns],
];

/** The servers to ask, in order: those of `dns` by priority, else those of `dhcp-option`. */
export function finishDnsServers(draft: PushDraft): readonly string[] {
  const byPriority = [...draft.dnsServers].sort(([a], [b]) => a - b).map(([, server]) => server);
  const usable: string[] = [];
  for (const { addresses, unusable } of byPriority) {
    if (unusable === undefined) {
      usable.push(...addresses);
      continue;
    }
    draft.shown = unusable;
    draft.ignore('name servers are asked over plain UDP and TCP, port 53');
  }
  const chosen = usable.length > 0 ? usable : draft.dhcpServers;
  return [...new Set(chosen)].slice(0, MAX_DNS_SERVERS);
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
  const server: DnsServerDraft = draft.dnsServers.get(priority) ?? {
    addresses: [],
    unusable: undefined,
  };
  draft.dnsServers.set(priority, server);
  if (property === 'address') addAddresses(draft, server, values);
  else if (property === 'transport' && values[0] !== 'plain') server.unusable = draft.shown;
  else if (property !== 'transport')
    draft.ignore('is not used: every name is asked of every server');
}

function addAddresses(draft: PushDraft, server: DnsServerDraft, texts: readonly string[]): void {
  const addresses = texts.map(dnsAddress);
  if (addresses.length === 0 || addresses.includes(undefined)) {
    draft.ignore('expected addresses, with port 53 or none');
    return;
  }
  server.addresses.push(...addresses.filter((address) => address !== undefined));
}

/** `a`, `a:53`, `[b]`, `[b]:53` or `b`: the address of a name server at the usual port. */
function dnsAddress(text: string): string | undefined {
  const bracket = /^\[([0-9A-Fa-f:.]{2,45})\](:53)?$/.exec(text)?.[1];
  if (bracket !== undefined) return ipv6Host(bracket);
  return ipv4Host(text.endsWith(':53') ? text.slice(0, -3) : text) ?? ipv6Host(text);
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
