import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { address } from '../sim/netstack-pair.ts';

describe('IpAddress', () => {
  test.each([
    { text: '10.8.0.1', family: 4, hex: '0a080001', shown: '10.8.0.1' },
    { text: '255.255.255.255', family: 4, hex: 'ffffffff', shown: '255.255.255.255' },
    { text: '::ffff:10.8.0.1', family: 4, hex: '0a080001', shown: '10.8.0.1' },
    { text: '::', family: 6, hex: '0'.repeat(32), shown: '::' },
    { text: 'FD00:0:0::1', family: 6, hex: `fd00${'0'.repeat(27)}1`, shown: 'fd00::1' },
    {
      text: '2001:db8:1:2:3:4:5:6',
      family: 6,
      hex: '20010db8000100020003000400050006',
      shown: '2001:db8:1:2:3:4:5:6',
    },
  ])('reads $text', ({ text, family, hex, shown }) => {
    const parsed = address(text);
    expect(parsed.family).toBe(family);
    expect(parsed.bytes.toString('hex')).toBe(hex);
    expect(String(parsed)).toBe(shown);
  });

  test.each([
    '',
    'localhost',
    '10.8.0',
    '10.8.0.256',
    '010.8.0.1',
    '0x0a080001',
    '1',
    'fe80::1%tun0',
    ':::',
    '1:2:3',
  ])('refuses %j', (text) => expect(IpAddress.parse(text)).toBeUndefined());

  test.each([
    { text: '127.0.0.1', loopback: true, multicast: false, unspecified: false },
    { text: '127.255.1.2', loopback: true, multicast: false, unspecified: false },
    { text: '126.0.0.1', loopback: false, multicast: false, unspecified: false },
    { text: '::1', loopback: true, multicast: false, unspecified: false },
    { text: '224.0.0.1', loopback: false, multicast: true, unspecified: false },
    { text: '239.255.255.255', loopback: false, multicast: true, unspecified: false },
    { text: '240.0.0.1', loopback: false, multicast: false, unspecified: false },
    { text: 'ff02::1', loopback: false, multicast: true, unspecified: false },
    { text: '0.0.0.0', loopback: false, multicast: false, unspecified: true },
    { text: '::', loopback: false, multicast: false, unspecified: true },
  ])('knows the kind of $text', ({ text, loopback, multicast, unspecified }) => {
    const { isLoopback, isMulticast, isUnspecified } = address(text);
    expect({ isLoopback, isMulticast, isUnspecified }).toEqual({
      isLoopback: loopback,
      isMulticast: multicast,
      isUnspecified: unspecified,
    });
  });

  test('is equal to an address of the same bytes and family only', () => {
    expect(address('10.8.0.1').equals(address('10.8.0.1'))).toBe(true);
    expect(address('10.8.0.1').equals(address('10.8.0.2'))).toBe(false);
    expect(address('10.8.0.1').equals(address('::a08:1'))).toBe(false);
  });

  test('bytes and text lead back to the same address', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        const parsed = IpAddress.fromBytes(raw);
        expect(address(String(parsed)).equals(parsed)).toBe(true);
        expect(IpAddress.fromBytes(parsed.bytes).equals(parsed)).toBe(true);
      }),
    );
  });
});
