import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinWords, splitLine } from '../../src/config/line-words.ts';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { MAX_LOCAL_OPTIONS } from '../../src/config/read-local-options.ts';
import { errorOf, profileWith, read } from './sample-profile.ts';

describe('options about the tunnel', () => {
  test('are kept in order, as a server pushes them', () => {
    const lines = [
      'topology subnet',
      'ifconfig 10.8.0.2 255.255.255.0',
      'ifconfig-ipv6 fd00::2/64 fd00::1',
      'route-gateway 10.8.0.1',
      'route 10.0.0.0 255.0.0.0 net_gateway 5',
      'route-ipv6 fd01::/64',
      'redirect-gateway def1 ipv6',
      'redirect-private',
      'block-ipv6',
      'dhcp-option DOMAIN example.com',
      'dns server 1 address 10.8.0.1:53 [fd00::1]:53',
      'dns search-domains example.com example.org',
    ];
    const { localOptions, ignored } = read(...lines.map((line) => line.replaceAll(' ', '\t ')));
    expect(localOptions).toEqual(lines);
    expect(ignored).toEqual([]);
    expect(Object.isFrozen(localOptions)).toBe(true);
    expect(readPushOptions(localOptions)).toMatchObject({
      ipv4: { address: '10.8.0.2', prefixLength: 24 },
      routeGateway: '10.8.0.1',
      blockIpv6: true,
      searchDomains: ['example.com', 'example.org'],
      ignored: [],
    });
  });

  test.each([
    { line: 'route office.example 255.255.255.255', level: 'warn' },
    { line: 'route-ipv6 fd01::1', level: 'warn' },
    { line: 'route-gateway dhcp', level: 'warn' },
    { line: 'redirect-gateway everything', level: 'warn' },
    { line: 'dns server 300 address 10.8.0.1', level: 'warn' },
    { line: 'dhcp-option DISABLE-NBT', level: 'quiet' },
    { line: 'route-metric 5', level: 'quiet' },
  ])('$line has no effect, and that is told: $level', ({ line, level }) => {
    const { localOptions, ignored } = read(line);
    expect(localOptions).toEqual([]);
    expect(ignored).toEqual([expect.objectContaining({ directive: line.split(' ')[0], level })]);
  });

  test.each([
    'topology star',
    'ifconfig',
    'ifconfig 10.8.0.2',
    'ifconfig host.example 10.8.0.1',
    'ifconfig-ipv6 fd00::2/129',
  ])('refuses %s', (line) => {
    const { problems } = errorOf(profileWith(line));
    expect(problems).toEqual([
      expect.objectContaining({ code: 'OVPN_CONFIG_INVALID', directive: line.split(' ')[0] }),
    ]);
  });

  test('have a limit, told once', () => {
    const lines = Array.from({ length: MAX_LOCAL_OPTIONS + 5 }, () => 'block-ipv6');
    expect(errorOf(profileWith(...lines)).problems).toHaveLength(1);
  });
});

describe('client-nat', () => {
  test('adds up', () => {
    const { clientNat } = read(
      'client-nat snat 192.168.0.0 255.255.0.0 10.64.0.0',
      'client-nat dnat 10.64.0.0 255.255.0.0 192.168.0.0',
    );
    expect(clientNat).toEqual([
      { kind: 'snat', network: '192.168.0.0', prefixLength: 16, alias: '10.64.0.0' },
      { kind: 'dnat', network: '10.64.0.0', prefixLength: 16, alias: '192.168.0.0' },
    ]);
  });

  test.each(['client-nat', 'client-nat snat 10.0.0.0 255.0.255.0 10.1.0.0'])(
    'refuses %s',
    (line) => {
      expect(errorOf(profileWith(line)).directive).toBe('client-nat');
    },
  );
});

test('joinWords writes what splitLine reads', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', minLength: 0 })), (words) => {
      expect(splitLine(joinWords(words))).toEqual({ words, problem: undefined });
    }),
  );
  expect(joinWords(['a', 'b c', '', '#d', 'e#', "'f", 'g"'])).toBe(
    'a "b c" "" "#d" e# "\'f" "g\\""',
  );
});
