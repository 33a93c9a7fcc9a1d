import { describe, expect, test } from 'vitest';
import {
  type DnsServer,
  parseDnsServer,
  serversFor,
  serverText,
  toDnsServer,
} from '../../src/dialer/dns-server.ts';
import type { NameServer } from '../../src/model/name-server.ts';

describe('parseDnsServer', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { text: '10.8.0.1',                      expected: 'plain 10.8.0.1:53' },
    { text: '10.8.0.1:5353',                 expected: 'plain 10.8.0.1:5353' },
    { text: 'fd00::1',                       expected: 'plain [fd00::1]:53' },
    { text: '[fd00::1]',                     expected: 'plain [fd00::1]:53' },
    { text: '[fd00::1]:5353',                expected: 'plain [fd00::1]:5353' },
    { text: 'tls://10.8.0.1',                expected: 'DoT 10.8.0.1:853' },
    { text: 'tls://fd00::1#dns.example',     expected: 'DoT [fd00::1]:853 dns.example' },
    { text: 'https://10.8.0.1:8443#bü.test', expected: 'DoH 10.8.0.1:8443 xn--b-eha.test' },
    { text: '10.8.0.1:0',                    expected: undefined },
    { text: '10.8.0.1:65536',                expected: undefined },
    { text: 'fd00::1:2:3:4:5:6:7:8:9',       expected: undefined },
    { text: 'dns.example.com',               expected: undefined },
    { text: 'tls://dns.example.com',         expected: undefined },
    { text: 'ftp://10.8.0.1',                expected: undefined },
    { text: '10.8.0.1#a b',                  expected: undefined },
    { text: '10.8.0',                        expected: undefined },
    { text: '',                              expected: undefined },
  ])('$text is $expected', ({ text, expected }) => {
    const server = parseDnsServer(text);
    const { transport, sni } = server ?? {};
    expect(server && [transport, serverText(server), sni].filter(Boolean).join(' ')).toBe(expected);
  });
});

describe('toDnsServer', () => {
  test.each([
    { name: 'a port that is none', server: { address: '10.8.0.1', port: 1.5 } },
    { name: 'an address that is none', server: { address: 'host' } },
    { name: 'a domain that is none', server: { address: '10.8.0.1', resolveDomains: ['a..b'] } },
    { name: 'another transport', server: { address: '10.8.0.1', transport: 'DoQ' as 'DoT' } },
  ] satisfies { name: string; server: NameServer }[])('refuses $name', ({ server }) => {
    expect(toDnsServer(server)).toBeUndefined();
  });
});

describe('serversFor', () => {
  const servers = [
    { address: '10.0.0.1' },
    { address: '10.0.0.2', resolveDomains: ['corp.test', 'lab.test'] },
    { address: '10.0.0.3', resolveDomains: ['Deep.Corp.Test.'] },
    { address: '10.0.0.4', resolveDomains: ['corp.test'], excludeDomains: ['www.corp.test'] },
    { address: '10.0.0.5', excludeDomains: ['secret.test'] },
  ]
    .map(toDnsServer)
    .filter((server): server is DnsServer => server !== undefined);

  test.each([
    { name: 'corp.test', expected: [2, 4] },
    { name: 'a.corp.test', expected: [2, 4] },
    { name: 'www.corp.test', expected: [2] },
    { name: 'x.deep.corp.test', expected: [3] },
    { name: 'lab.test', expected: [2] },
    { name: 'notcorp.test', expected: [1, 5] },
    { name: 'test', expected: [1, 5] },
    { name: 'a.secret.test', expected: [1] },
  ])('$name: $expected', ({ name, expected }) => {
    const chosen = serversFor(name, servers).map(({ address }) => address.toString());
    expect(chosen).toEqual(expected.map((last) => `10.0.0.${last}`));
  });

  test('is nobody where all servers are for other domains', () => {
    expect(serversFor('example.test', servers.slice(1, 4))).toEqual([]);
  });
});
