import { describe, expect, test } from 'vitest';
import {
  ipv4Host,
  ipv4Network,
  ipv6Host,
  ipv6Prefix,
  prefixOfMask,
} from '../../src/config/addresses.ts';

test.each([
  { text: '10.8.0.2', host: '10.8.0.2' },
  { text: '192.0.2.1', host: '192.0.2.1' },
  { text: '169.254.1.1', host: '169.254.1.1' },
  { text: '0.0.0.0', host: undefined },
  { text: '127.0.0.1', host: undefined },
  { text: '224.0.0.1', host: undefined },
  { text: '240.0.0.1', host: undefined },
  { text: '255.255.255.0', host: undefined },
  { text: '255.255.255.255', host: undefined },
  { text: '10.8.2', host: undefined },
  { text: '010.8.0.2', host: undefined },
  { text: '0x0a.8.0.2', host: undefined },
  { text: 'host.example', host: undefined },
  { text: undefined, host: undefined },
])('ipv4Host of $text is $host', ({ text, host }) => {
  expect(ipv4Host(text)).toBe(host);
});

test.each([
  { text: 'FD00:0:0::2', host: 'fd00::2' },
  { text: 'fe80::1', host: 'fe80::1' },
  { text: '2001:db8::1.2.3.4', host: '2001:db8::102:304' },
  { text: '::', host: undefined },
  { text: '::1', host: undefined },
  { text: 'ff02::1', host: undefined },
  { text: '::ffff:10.8.0.1', host: undefined },
  { text: 'fe80::1%eth0', host: undefined },
  { text: '10.8.0.1', host: undefined },
  { text: 'fd00::2/64', host: undefined },
  { text: undefined, host: undefined },
])('ipv6Host of $text is $host', ({ text, host }) => {
  expect(ipv6Host(text)).toBe(host);
});

test.each([
  { mask: '255.255.255.255', prefix: 32 },
  { mask: '255.255.255.0', prefix: 24 },
  { mask: '255.128.0.0', prefix: 9 },
  { mask: '0.0.0.0', prefix: 0 },
  { mask: '255.0.255.0', prefix: undefined },
  { mask: '10.8.0.1', prefix: undefined },
  { mask: '24', prefix: undefined },
  { mask: undefined, prefix: undefined },
])('prefixOfMask of $mask is $prefix', ({ mask, prefix }) => {
  expect(prefixOfMask(mask)).toBe(prefix);
});

describe('networks', () => {
  test('ipv4Network clears what is behind the prefix', () => {
    expect(ipv4Network('10.1.2.3', 16)).toBe('10.1.0.0');
    expect(ipv4Network('net', 16)).toBeUndefined();
    expect(ipv4Network(undefined, 16)).toBeUndefined();
  });

  test.each([
    { text: 'fd00:0::2/64', prefix: { address: 'fd00::2', prefixLength: 64 } },
    { text: '::/0', prefix: { address: '::', prefixLength: 0 } },
    { text: 'fd00::2', prefix: undefined },
    { text: 'fd00::2/129', prefix: undefined },
    { text: 'fd00::2/64/1', prefix: undefined },
    { text: 'fd00::2/+64', prefix: undefined },
    { text: 'fd00::2%a/64', prefix: undefined },
    { text: '10.0.0.0/8', prefix: undefined },
    { text: undefined, prefix: undefined },
  ])('ipv6Prefix of $text', ({ text, prefix }) => {
    expect(ipv6Prefix(text)).toEqual(prefix);
  });
});
