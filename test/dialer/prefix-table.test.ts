import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PrefixTable } from '../../src/dialer/prefix-table.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';

function bitsOf(address: IpAddress): string {
  return [...address.bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

/** Few addresses that lie close together, so that prefixes nest. */
const family = fc.constantFrom<4 | 6>(4, 6);
const address = (of: 4 | 6) =>
  fc
    .array(fc.constantFrom(0, 1, 0x80, 0xff), {
      minLength: of === 4 ? 4 : 16,
      maxLength: of === 4 ? 4 : 16,
    })
    .map((bytes) => IpAddress.fromBytes(bytes));

describe('PrefixTable', () => {
  test('finds what a search through all prefixes finds', () => {
    const entry = family.chain((of) =>
      fc.record({ network: address(of), prefixLength: fc.nat(of === 4 ? 32 : 128) }),
    );
    const asked = family.chain(address);
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), fc.array(asked), (entries, queries) => {
        const table = new PrefixTable<number>();
        for (const [value, { network, prefixLength }] of entries.entries()) {
          table.set(network, prefixLength, value);
        }
        for (const query of queries) {
          let best: { prefixLength: number; value: number } | undefined;
          for (const [value, { network, prefixLength }] of entries.entries()) {
            const isInside =
              network.family === query.family &&
              bitsOf(network).slice(0, prefixLength) === bitsOf(query).slice(0, prefixLength);
            if (isInside && prefixLength >= (best?.prefixLength ?? 0))
              best = { prefixLength, value };
          }
          expect(table.find(query)).toBe(best?.value);
        }
      }),
    );
  });

  test('knows what stands at a prefix itself', () => {
    const table = new PrefixTable<string>();
    const network = IpAddress.ipv4(0x0a00_0000);
    table.set(network, 8, 'ten');
    expect([
      table.at(network, 8),
      table.at(network, 9),
      table.find(IpAddress.ipv4(0x0a01_0203)),
    ]).toEqual(['ten', undefined, 'ten']);
  });
});
