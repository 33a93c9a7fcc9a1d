import { describe, expect, test } from 'vitest';
import { MAX_DNS_SERVERS, MAX_SEARCH_DOMAINS } from '../../src/config/push-dns.ts';
import { readPushOptions } from '../../src/config/push-reply.ts';
import type { NameServer } from '../../src/model/name-server.ts';

/** A server as `dns server` gives it. */
function server(address: string, rest: Partial<NameServer> = {}): NameServer {
  const none = { port: undefined, sni: undefined, resolveDomains: [], excludeDomains: [] };
  return { address, transport: 'plain', ...none, ...rest };
}

describe('name servers of a push', () => {
  test.each([
    {
      name: 'dhcp-option',
      options: [
        'dhcp-option DNS 10.8.0.1',
        'dhcp-option DNS6 fd00::53',
        'dhcp-option DNS 10.8.0.1',
        'dhcp-option domain a.example',
        'dhcp-option DOMAIN-SEARCH b.example',
      ],
      texts: ['10.8.0.1', 'fd00::53'],
      servers: [{ address: '10.8.0.1' }, { address: 'fd00::53' }],
      domains: ['a.example', 'b.example'],
    },
    {
      name: 'dns before dhcp-option, by priority',
      options: [
        'dhcp-option DNS 10.8.0.1',
        'dhcp-option DOMAIN a',
        'dns server 2 address 10.8.0.3',
        'dns server -1 address 10.8.0.2:53 [fd00::1]:53 fd00::2',
        'dns search-domains b.example c.example',
      ],
      texts: ['10.8.0.2', 'fd00::1', 'fd00::2', '10.8.0.3'],
      servers: [
        server('10.8.0.2', { port: 53 }),
        server('fd00::1', { port: 53 }),
        server('fd00::2'),
        server('10.8.0.3'),
      ],
      domains: ['b.example', 'c.example'],
    },
    {
      name: 'other ports',
      options: ['dns server 0 address 10.8.0.2:5353 [fd00::1]:5353'],
      texts: ['10.8.0.2:5353', '[fd00::1]:5353'],
      servers: [server('10.8.0.2', { port: 5353 }), server('fd00::1', { port: 5353 })],
      domains: [],
    },
    {
      name: 'transport and sni, whatever the order',
      options: [
        'dns server 1 transport DoH',
        'dns server 0 sni dns.example',
        'dns server 0 transport DoT',
        'dns server 0 address 10.8.0.2:853',
        'dns server 1 address 10.8.0.3:8443',
        'dns server 2 address 10.8.0.4',
        'dns server 2 transport plain',
      ],
      texts: ['10.8.0.2', '10.8.0.3:8443', '10.8.0.4'],
      servers: [
        server('10.8.0.2', { port: 853, transport: 'DoT', sni: 'dns.example' }),
        server('10.8.0.3', { port: 8443, transport: 'DoH' }),
        server('10.8.0.4'),
      ],
      domains: [],
    },
    {
      name: 'split DNS, which adds up',
      options: [
        'dns server 0 address 10.8.0.2',
        'dns server 0 resolve-domains corp.example lab.example',
        'dns server 0 resolve-domains b.example',
        'dns server 0 exclude-domains www.corp.example',
        'dns server 0 dnssec no',
      ],
      texts: ['10.8.0.2'],
      servers: [
        server('10.8.0.2', {
          resolveDomains: ['corp.example', 'lab.example', 'b.example'],
          excludeDomains: ['www.corp.example'],
        }),
      ],
      domains: [],
    },
  ])('$name', ({ options, texts, servers, domains }) => {
    const push = readPushOptions(options);
    expect(push.ignored).toEqual([]);
    expect(push.dnsServers).toEqual(texts);
    expect(push.nameServers).toEqual(servers);
    expect(push.searchDomains).toEqual(domains);
    expect(push.nameServers.every((each) => Object.isFrozen(each))).toBe(true);
  });

  test.each([
    'dhcp-option DNS host',
    'dhcp-option DNS 127.0.0.1',
    'dhcp-option WINS 10.0.0.1',
    'dhcp-option DOMAIN "a;reboot"',
    'dhcp-option DOMAIN a\u0085b',
    'dhcp-option',
    'dns server x address 10.0.0.1',
    'dns server 128 address 10.0.0.1',
    'dns server -129 address 10.0.0.1',
    'dns server 0 address 10.0.0.1:0',
    'dns server 0 address 10.0.0.1:65536',
    'dns server 0 address 10.0.0.1:+53',
    'dns server 0 address [10.0.0.1]:53',
    'dns server 0 address dns.example',
    'dns server 0 address 127.0.0.1',
    'dns server 0 address [::1]:53',
    'dns server 0 address 10.0.0.1 host',
    'dns server 0 address',
    'dns server 0 transport',
    'dns server 0 transport DoQ',
    'dns server 0 sni',
    'dns server 0 sni a/b',
    'dns server 0 resolve-domains',
    'dns server 0 exclude-domains $(x)',
    'dns server 0 dnssec yes',
    'dns server 0 dnssec optional',
    'dns server 0 other',
    'dns server 0',
    'dns search-domains',
    'dns search-domains $(x)',
    'dns search-domains a\u009b2J.example',
    'dns other',
  ])('%s has no effect, and that is told', (option) => {
    const { ignored, nameServers, dnsServers, searchDomains } = readPushOptions([option]);
    expect([nameServers, dnsServers, searchDomains]).toEqual([[], [], []]);
    expect(ignored).toHaveLength(1);
  });

  test('one whose transport we do not have is left out, and not asked in plain text', () => {
    const { dnsServers, ignored } = readPushOptions([
      'dns server 0 address 10.8.0.1',
      'dns server 0 transport DoQ',
      'dns server 1 address 10.8.0.2',
    ]);
    expect(dnsServers).toEqual(['10.8.0.2']);
    expect(ignored).toEqual([
      { option: 'dns server 0 transport DoQ', reason: expect.stringContaining('DoT') },
    ]);
  });

  test('are asked although signatures are not verified here, and that is told', () => {
    const push = readPushOptions(['dns server 0 address 10.8.0.1', 'dns server 0 dnssec yes']);
    expect(push.dnsServers).toEqual(['10.8.0.1']);
    expect(push.ignored).toHaveLength(1);
  });

  test('and their domains are bounded', () => {
    const many = Array.from({ length: 250 }, (_, index) => `10.8.1.${index}`);
    const domains = Array.from({ length: MAX_SEARCH_DOMAINS + 1 }, (_, index) => `d${index}.test`);
    const push = readPushOptions([
      ...many.map((address) => `dhcp-option DNS ${address}`),
      `dns search-domains ${domains.join(' ')}`,
    ]);
    expect(push.nameServers).toHaveLength(MAX_DNS_SERVERS);
    expect(push.searchDomains).toHaveLength(MAX_SEARCH_DOMAINS);
    const split = readPushOptions([
      'dns server 0 address 10.8.0.1',
      `dns server 0 resolve-domains ${domains.join(' ')}`,
    ]);
    expect(split.nameServers).toEqual([server('10.8.0.1', { port: undefined })]);
    expect(split.ignored).toHaveLength(1);
  });
});

describe('domains of a push', () => {
  test('of ASCII a domain has letters, digits, dot, dash and underscore only', () => {
    const taken = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code)).filter(
      (character) => {
        const quoted = /["\\]/.test(character) ? `\\${character}` : character;
        const pushed = [`dhcp-option DOMAIN "a${quoted}b"`, `dns search-domains "c${quoted}d"`];
        const { searchDomains, ignored } = readPushOptions(pushed);
        expect([searchDomains.length, ignored.length]).toEqual(
          ignored.length === 0 ? [1, 0] : [0, 2],
        );
        return ignored.length === 0;
      },
    );
    expect(taken.join('')).toMatch(/^-\.[0-9]{10}[A-Z]{26}_[a-z]{26}$/);
  });

  test.each(['müller.example', '例え.jp', 'xn--e1afmkfd.example'])('%s is a domain', (domain) => {
    expect(readPushOptions([`dns search-domains ${domain}`]).searchDomains).toEqual([domain]);
  });

  test.each(['a'.repeat(254), '', 'a\u0080b', 'a\u009fb'])('%s is no domain', (domain) => {
    expect(readPushOptions([`dhcp-option DOMAIN "${domain}"`]).searchDomains).toEqual([]);
  });
});
