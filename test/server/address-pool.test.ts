import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { AddressPool, type PoolAddress } from '../../src/server/address-pool.ts';

function take(pool: AddressPool): PoolAddress {
  const address = pool.allocate();
  if (address === undefined) throw new Error('the pool is empty');
  return address;
}

describe('AddressPool', () => {
  test('is 10.8.0.0/24 by default, the server first', () => {
    const pool = new AddressPool();
    expect(pool.server).toEqual({
      ipv4: { address: '10.8.0.1', prefixLength: 24 },
      ipv6: undefined,
    });
    expect(pool.capacity).toBe(253);
    expect([take(pool), take(pool)].map(({ ipv4 }) => ipv4.address)).toEqual([
      '10.8.0.2',
      '10.8.0.3',
    ]);
  });

  test('hands out IPv6 beside IPv4', () => {
    const pool = new AddressPool({ subnet: '10.9.255.128/25', subnet6: 'fd00:1::/64' });
    expect(pool.server.ipv6).toEqual({ address: 'fd00:1::1', prefixLength: 64 });
    expect(take(pool)).toEqual({
      ipv4: { address: '10.9.255.130', prefixLength: 25 },
      ipv6: { address: 'fd00:1::2', prefixLength: 64 },
    });
  });

  test('takes a network by any of its addresses', () => {
    expect(new AddressPool({ subnet: '10.8.3.77/16' }).server.ipv4.address).toBe('10.8.0.1');
  });

  test('counts over the end of a byte', () => {
    const pool = new AddressPool({ subnet: '10.8.0.0/16' });
    const addresses = Array.from({ length: 300 }, () => take(pool).ipv4.address);
    expect(addresses.slice(252, 256)).toEqual(['10.8.0.254', '10.8.0.255', '10.8.1.0', '10.8.1.1']);
  });

  test('ends before the broadcast address', () => {
    const pool = new AddressPool({ subnet: '10.8.0.0/29' });
    const addresses = Array.from({ length: pool.capacity }, () => take(pool).ipv4.address);
    expect(addresses.at(-1)).toBe('10.8.0.6');
    expect(pool.allocate()).toBeUndefined();
  });

  test('gives an address again only after all others', () => {
    const pool = new AddressPool({ subnet: '10.8.0.0/29' });
    const first = take(pool);
    pool.release(first);
    pool.release(first);
    const next = Array.from({ length: pool.capacity }, () => take(pool).ipv4.address);
    expect(next).toEqual(['10.8.0.3', '10.8.0.4', '10.8.0.5', '10.8.0.6', '10.8.0.2']);
  });

  test('never gives one address to two', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 200 }), (steps) => {
        const pool = new AddressPool({ subnet: '10.8.0.0/28' });
        const held: PoolAddress[] = [];
        for (const step of steps) {
          const address = step < 6 ? pool.allocate() : undefined;
          if (address !== undefined) held.push(address);
          else for (const back of held.splice(step % (held.length + 1), 1)) pool.release(back);
        }
        expect(new Set(held.map(({ ipv4 }) => ipv4.address)).size).toBe(held.length);
        expect(held.length).toBeLessThanOrEqual(pool.capacity);
      }),
    );
  });

  test.each([
    { subnet: '10.8.0.0' },
    { subnet: '10.8.0.0/31' },
    { subnet: '10.8.0.0/7' },
    { subnet: 'fd00::/64' },
    { subnet: 'net/24' },
    { subnet6: '10.8.0.0/24' },
    { subnet6: 'fd00::/63' },
    { subnet6: 'fd00::/121' },
  ])('refuses $subnet $subnet6', (options) => {
    expect(() => new AddressPool(options)).toThrow(OvpnUsageError);
  });
});
