import { describe, expect, test } from 'vitest';
import { MAX_CLIENT_NAT } from '../../src/config/push-nat.ts';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { MAX_ECHOES } from '../../src/config/push-texts.ts';

describe('gateways of routes', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { option: 'route 10.1.0.0 255.255.0.0',                  via: 'tunnel',  gateway: undefined },
    { option: 'route 10.1.0.0 255.255.0.0 default 7',        via: 'tunnel',  gateway: undefined },
    { option: 'route 10.1.0.0 255.255.0.0 vpn_gateway 7',    via: 'tunnel',  gateway: undefined },
    { option: 'route 10.1.0.0 255.255.0.0 10.8.0.9',         via: 'tunnel',  gateway: '10.8.0.9' },
    { option: 'route 10.1.0.0 255.255.0.0 net_gateway 1',    via: 'outside', gateway: undefined },
    { option: 'route 10.1.0.0 255.255.0.0 remote_host',      via: 'outside', gateway: undefined },
    { option: 'route-ipv6 fd01::/48 net_gateway',            via: 'outside', gateway: undefined },
    { option: 'route-ipv6 fd01::/48 fd00::1 5',              via: 'tunnel',  gateway: 'fd00::1' },
  ])('$option', ({ option, via, gateway }) => {
    expect(readPushOptions([option]).routes).toMatchObject([{ via, gateway }]);
  });
});

describe('redirect', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { options: ['redirect-gateway'],                               ipv4: true,  ipv6: false, flags: [] },
    { options: ['redirect-gateway def1'],                          ipv4: true,  ipv6: false, flags: ['def1'] },
    { options: ['redirect-gateway ipv6'],                          ipv4: true,  ipv6: true,  flags: ['ipv6'] },
    { options: ['redirect-gateway ipv6 !ipv4'],                    ipv4: false, ipv6: true,  flags: ['ipv6', '!ipv4'] },
    { options: ['redirect-gateway !ipv4', 'redirect-gateway ipv6'], ipv4: false, ipv6: true,  flags: ['!ipv4', 'ipv6'] },
    { options: ['redirect-private def1 ipv6'],                     ipv4: false, ipv6: false, flags: ['def1', 'ipv6'] },
    { options: ['redirect-private local', 'redirect-gateway'],     ipv4: true,  ipv6: false, flags: ['local'] },
    { options: ['redirect-gateway local autolocal bypass-dhcp bypass-dns block-local'],
      ipv4: true, ipv6: false, flags: ['local', 'autolocal', 'bypass-dhcp', 'bypass-dns', 'block-local'] },
  ])('$options', ({ options, ...redirect }) => {
    expect(readPushOptions(options).redirect).toEqual(redirect);
  });

  test('families can be blocked', () => {
    expect(readPushOptions(['block-ipv6'])).toMatchObject({ blockIpv4: false, blockIpv6: true });
    expect(readPushOptions(['block-ipv4'])).toMatchObject({ blockIpv4: true, blockIpv6: false });
  });
});

describe('echo', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { option: 'echo',                          text: '' },
    { option: 'echo hello  there',             text: 'hello there' },
    { option: 'parameter "a  b"',              text: 'a  b' },
    { option: 'echo one%2Ctwo%2cthree',        text: 'one,two,three' },
    { option: 'echo \x1b]0;x',                 text: '\\x1b]0;x' },
    { option: `echo ${'x'.repeat(300)}`,       text: 'x'.repeat(256) },
    { option: `echo ${'\u00e4'.repeat(300)}`,  text: '\\xc3\\xa4'.repeat(32) },
  ])('$option', ({ option, text }) => {
    expect(readPushOptions([option]).echoes).toEqual([text]);
  });

  test('is told so often and no more', () => {
    const push = readPushOptions(Array.from({ length: MAX_ECHOES + 2 }, () => 'echo x'));
    expect([push.echoes.length, push.ignored.length]).toEqual([MAX_ECHOES, 2]);
  });
});

describe('client-nat', () => {
  test('is read, bits behind the mask cleared', () => {
    const { clientNat } = readPushOptions(['client-nat dnat 10.1.2.3 255.255.0.0 10.99.9.9']);
    expect(clientNat).toEqual([
      { kind: 'dnat', network: '10.1.0.0', prefixLength: 16, alias: '10.99.0.0' },
    ]);
  });

  test.each([
    'client-nat',
    'client-nat both 10.0.0.0 255.0.0.0 11.0.0.0',
    'client-nat snat 10.0.0.0 255.0.255.0 11.0.0.0',
    'client-nat snat host 255.0.0.0 11.0.0.0',
    'client-nat snat 10.0.0.0 255.0.0.0 localhost',
    'client-nat snat 10.0.0.0 255.0.0.0 11.0.0.0 more',
  ])('%s has no effect', (option) => {
    expect(readPushOptions([option])).toMatchObject({ clientNat: [], ignored: [{ option }] });
  });

  test('has so many rules and no more', () => {
    const rule = 'client-nat snat 10.0.0.0 255.0.0.0 11.0.0.0';
    const push = readPushOptions(Array.from({ length: MAX_CLIENT_NAT + 1 }, () => rule));
    expect([push.clientNat.length, push.ignored.length]).toEqual([MAX_CLIENT_NAT, 1]);
  });
});

describe('numbers that a server may not push (one table for all)', () => {
  const directives = [
    'ping',
    'ping-restart',
    'ping-exit',
    'inactive',
    'session-timeout',
    'tun-mtu',
    'explicit-exit-notify',
  ];
  // biome-ignore format: a table
  const values = ['-1', '2147484', '4294967296', '1000000000', '0x10', '1e3', 'NaN', '\u0663', '+5', '1.5', '99999999999'];
  const cases = directives.flatMap((name) => values.map((value) => `${name} ${value}`));

  test.each(cases)('%s', (option) => {
    const push = readPushOptions([option]);
    const { ignored, texts, ...rest } = push;
    const { ignored: _none, texts: _nothing, ...untouched } = readPushOptions([]);
    expect(rest).toEqual(untouched);
    expect([ignored.length, texts.length]).toEqual([1, 1]);
  });

  test('every timer that is taken is off, or a second or longer and a day at most', () => {
    for (const seconds of ['0', '1', '86400']) {
      const push = readPushOptions([`ping ${seconds}`, `inactive ${seconds}`]);
      expect(push.pingMs).toBe(Number(seconds) * 1000);
      expect(push.inactiveMs).toBe(Number(seconds) * 1000);
    }
  });
});
