import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitLine } from '../../src/config/line-words.ts';
import { pullRefusal } from '../../src/config/pull-policy.ts';
import { NO_POLICY, type PushPolicy, readPushOptions } from '../../src/config/push-reply.ts';
import type { PullFilter } from '../../src/model/profile.ts';

function policy(...filters: readonly string[]): PushPolicy {
  return { ...NO_POLICY, pullFilters: filters.map(filterOf) };
}

function filterOf(line: string): PullFilter {
  const [, action, text = ''] = /^(\w+) (.*)$/.exec(line) ?? [];
  return { action: action as PullFilter['action'], text };
}

const NETWORKS = (pushed: readonly string[], chosen: PushPolicy) =>
  readPushOptions(pushed, chosen).routes.map(({ address }) => address);

describe('pull-filter', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no filter',                      filters: [],                                         routes: ['10.1.0.0', '10.2.0.0'] },
    { name: 'ignore',                         filters: ['ignore route 10.1'],                      routes: ['10.2.0.0'] },
    { name: 'the first that fits decides',    filters: ['accept route 10.1', 'ignore route'],      routes: ['10.1.0.0'] },
    { name: 'ignore before accept',           filters: ['ignore route', 'accept route 10.1'],      routes: [] },
    { name: 'a text begins, it is no regexp', filters: ['ignore oute', 'ignore route 10.1.0.0 .'], routes: ['10.1.0.0', '10.2.0.0'] },
    { name: 'an empty text fits all',         filters: ['ignore '],                                routes: [] },
  ])('$name', ({ filters, routes }) => {
    const pushed = ['route 10.1.0.0 255.255.0.0', 'route 10.2.0.0 255.255.0.0'];
    expect(NETWORKS(pushed, policy(...filters))).toEqual(routes);
  });

  test.each([
    'route 10.1.0.0 255.255.0.0',
    'route  10.1.0.0 255.255.0.0',
    '\troute\t10.1.0.0 255.255.0.0',
    '"route" 10.1.0.0 255.255.0.0',
    "'route' '10.1.0.0' 255.255.0.0",
  ])('%j is one option however it is written', (option) => {
    const { routes, ignored } = readPushOptions([option], policy('ignore route 10.1'));
    expect(routes).toEqual([]);
    expect(ignored).toHaveLength(1);
  });

  test('reject ends the session, and says which filter it was', () => {
    const chosen = policy('accept route', 'reject dhcp-option DNS');
    expect(NETWORKS(['route 10.1.0.0 255.255.0.0'], chosen)).toHaveLength(1);
    expect(() => readPushOptions(['dhcp-option  DNS 10.8.0.1'], chosen)).toThrow(
      /begins with "dhcp-option DNS" \(pull-filter reject\)/,
    );
  });

  test('the name of a rejected token is told, never its value', () => {
    const chosen = policy('reject auth-token');
    expect(() => readPushOptions(['auth-token canary'], chosen)).toThrow(/^(?!.*canary)/);
  });

  test("the profile's own options are not filtered", () => {
    const own = { ...policy('ignore route'), localOptions: ['route 10.9.0.0 255.255.0.0'] };
    expect(NETWORKS(['route 10.1.0.0 255.255.0.0'], own)).toEqual(['10.9.0.0']);
  });

  test('spacing and quotes never change the verdict', () => {
    const blank = fc.constantFrom(' ', '  ', '\t', ' \t ');
    fc.assert(
      fc.property(fc.array(blank, { minLength: 3, maxLength: 3 }), fc.boolean(), (gaps, quoted) => {
        const [first, second, third] = gaps;
        const name = quoted ? '"dhcp-option"' : 'dhcp-option';
        const { words } = splitLine(`${first}${name}${second}DNS${third}10.8.0.1`);
        expect(pullRefusal(words, policy('ignore dhcp-option DNS'))).toBeDefined();
      }),
    );
  });
});

describe('route-nopull', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { option: 'route 10.1.0.0 255.255.0.0',                     taken: false },
    { option: 'route-ipv6 fd01::/48',                           taken: false },
    { option: 'redirect-gateway def1',                          taken: false },
    { option: 'redirect-private',                               taken: false },
    { option: 'block-ipv6',                                     taken: false },
    { option: 'client-nat snat 10.0.0.0 255.0.0.0 11.0.0.0',    taken: false },
    { option: 'dhcp-option DNS 10.8.0.1',                       taken: false },
    { option: 'dns search-domains a.example',                   taken: false },
    { option: 'route-gateway 10.8.0.1',                         taken: true },
    { option: 'tun-mtu 1400',                                   taken: true },
    { option: 'ping 10',                                        taken: true },
    { option: 'echo hello',                                     taken: true },
  ])('$option', ({ option, taken }) => {
    const { ignored } = readPushOptions([option], { ...NO_POLICY, routeNopull: true });
    expect(ignored).toHaveLength(taken ? 0 : 1);
  });
});

describe("the profile's own options", () => {
  test('stand before what is pushed', () => {
    const push = readPushOptions(['tun-mtu 1400', 'route 10.1.0.0 255.255.0.0'], {
      ...NO_POLICY,
      localOptions: ['tun-mtu 1300', 'route 10.9.0.0 255.255.0.0', 'topology p2p'],
      clientNat: [{ kind: 'snat', network: '10.0.0.0', prefixLength: 8, alias: '11.0.0.0' }],
    });
    expect(push).toMatchObject({ tunMtu: 1400, topology: 'p2p' });
    expect(push.routes.map(({ address }) => address)).toEqual(['10.9.0.0', '10.1.0.0']);
    expect(push.clientNat).toHaveLength(1);
    expect(push.texts).toEqual(['tun-mtu 1400', 'route 10.1.0.0 255.255.0.0']);
  });
});
