import { describe, expect, test } from 'vitest';
import { candidateNames, mixCase, normalizeName, reverseName } from '../../src/dialer/dns-name.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

describe('normalizeName', () => {
  test.each([
    { name: 'WWW.Example.COM', expected: 'www.example.com' },
    { name: 'example.com.', expected: 'example.com' },
    { name: '_sip._tcp.example.com', expected: '_sip._tcp.example.com' },
    { name: 'bücher.example', expected: 'xn--bcher-kva.example' },
    { name: '', expected: undefined },
    { name: '.', expected: undefined },
    { name: 'a..b', expected: undefined },
    { name: 'with space.test', expected: undefined },
    { name: 'nul\0.test', expected: undefined },
    { name: `${'a'.repeat(64)}.test`, expected: undefined },
    { name: `${'a'.repeat(63)}.test`, expected: `${'a'.repeat(63)}.test` },
    { name: `${'a.'.repeat(126)}aa`, expected: undefined },
  ])('$name is $expected', ({ name, expected }) => {
    expect(normalizeName(name)).toBe(expected);
  });
});

describe('candidateNames', () => {
  const domains = ['one.test', 'two.test'];

  test.each([
    { name: 'db', expected: ['db.one.test', 'db.two.test', 'db'] },
    { name: 'db.x', expected: ['db.x', 'db.x.one.test', 'db.x.two.test'] },
    { name: 'db.', expected: ['db'] },
    { name: '..', expected: [] },
  ])('$name', ({ name, expected }) => {
    expect(candidateNames(name, domains)).toEqual(expected);
  });
});

describe('reverseName', () => {
  test.each([
    { address: '192.0.2.1', expected: '1.2.0.192.in-addr.arpa' },
    {
      address: '2001:db8::567:89ab',
      expected: 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    },
  ])('of $address', ({ address, expected }) => {
    expect(reverseName(IpAddress.parse(address) ?? expect.fail(address))).toBe(expected);
  });
});

describe('mixCase', () => {
  test('changes nothing but case, and that evenly', () => {
    const random = new SeededRandom(3);
    const name = 'abcdefghijklmnopqrstuvwxyz-0123456789.abcdefghijklmnopqrstuvwxyz';
    let upper = 0;
    for (let round = 0; round < 200; round += 1) {
      const mixed = mixCase(name, random);
      expect(mixed.toLowerCase()).toBe(name);
      upper += [...mixed].filter((letter) => /[A-Z]/.test(letter)).length;
    }
    expect(upper / (200 * 52)).toBeCloseTo(0.5, 1);
  });
});
