import { describe, expect, test } from 'vitest';
import { interleaveFamilies, sortAddresses } from '../../src/dialer/address-order.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';

const ip = (text: string): IpAddress => IpAddress.parse(text) ?? expect.fail(text);

describe('sortAddresses', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no way comes last',                own: ['10.8.0.2'],                to: ['2001:db8::1', '192.0.2.1'],  expected: ['192.0.2.1', '2001:db8::1'] },
    { name: 'global IPv6 before IPv4',          own: ['10.8.0.2', '2001:db8::2'], to: ['192.0.2.1', '2001:db8::1'],  expected: ['2001:db8::1', '192.0.2.1'] },
    { name: 'IPv4 before IPv6 from a local one', own: ['10.8.0.2', 'fd00:8::2'],  to: ['2001:db8::1', '192.0.2.1'],  expected: ['192.0.2.1', '2001:db8::1'] },
    { name: 'our own local IPv6 before IPv4',   own: ['10.8.0.2', 'fd00:8::2'],   to: ['10.8.0.1', 'fd00:8::1'],     expected: ['fd00:8::1', '10.8.0.1'] },
    { name: 'IPv4 before another local IPv6',   own: ['10.8.0.2', 'fd00:8::2'],   to: ['fd00:9::1', '10.8.0.1'],     expected: ['10.8.0.1', 'fd00:9::1'] },
    { name: '6to4 after IPv4',                  own: ['10.8.0.2', '2001:db8::2'], to: ['2002:c000:201::1', '192.0.2.1'], expected: ['192.0.2.1', '2002:c000:201::1'] },
    { name: 'Teredo last',                      own: ['10.8.0.2', '2001:db8::2'], to: ['2001::1', '192.0.2.1'],      expected: ['192.0.2.1', '2001::1'] },
    { name: 'link-local from a global one last', own: ['10.8.0.2', '2001:db8::2'], to: ['fe80::1', '169.254.1.1', '192.0.2.1'], expected: ['192.0.2.1', 'fe80::1', '169.254.1.1'] },
    { name: 'equals keep their order',          own: ['10.8.0.2'],                to: ['192.0.2.9', '192.0.2.1'],    expected: ['192.0.2.9', '192.0.2.1'] },
  ])('$name', ({ own, to, expected }) => {
    const sourceFor = (remote: IpAddress) =>
      own.map(ip).find(({ family }) => family === remote.family);
    expect(sortAddresses(to.map(ip), sourceFor).map(String)).toEqual(expected);
  });
});

describe('interleaveFamilies', () => {
  test.each([
    { name: 'by turns', to: ['::1', '::2', '::3', '10.0.0.1'], last: undefined, expected: '6466' },
    { name: 'IPv4 first', to: ['10.0.0.1', '10.0.0.2', '::1'], last: undefined, expected: '464' },
    { name: 'after IPv6', to: ['::1', '::2', '10.0.0.1'], last: 6 as const, expected: '466' },
    { name: 'after IPv6, alone', to: ['::1', '::2'], last: 6 as const, expected: '66' },
    { name: 'nothing', to: [], last: 4 as const, expected: '' },
  ])('$name', ({ to, last, expected }) => {
    const mixed = interleaveFamilies(to.map(ip), last);
    expect(mixed.map(({ family }) => family).join('')).toBe(expected);
  });
});
