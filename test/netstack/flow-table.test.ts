import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FlowKey } from '../../src/netstack/flow-key.ts';
import { FlowTable, type Keyed } from '../../src/netstack/flow-table.ts';
import type { FlowTuple } from '../../src/netstack/flow-tuple.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { address } from '../sim/netstack-pair.ts';

class Entry implements Keyed<Entry> {
  readonly key: FlowKey;
  nextInBucket: Entry | undefined;

  constructor(key: FlowKey) {
    this.key = key;
  }
}

/** A key whose hash is always the same: everything stands in one bucket. */
class CollidingKey extends FlowKey {
  override hash(): number {
    return 7;
  }
}

function tuple(remotePort: number, remote = '10.8.0.1'): FlowTuple {
  const local = remote.includes(':') ? 'fd00::2' : '10.8.0.2';
  return {
    localAddress: address(local),
    localPort: 40_000,
    remoteAddress: address(remote),
    remotePort,
  };
}

describe('FlowTable', () => {
  test('finds what was added, by a key of its own', () => {
    const table = new FlowTable<Entry>(1);
    const v4 = new Entry(new FlowKey().readTuple(tuple(80)));
    const v6 = new Entry(new FlowKey().readTuple(tuple(80, 'fd00::1')));
    table.add(v4);
    table.add(v6);
    expect(table.find(new FlowKey().readTuple(tuple(80)))).toBe(v4);
    expect(table.find(new FlowKey().readTuple(tuple(80, 'fd00::1')))).toBe(v6);
    expect(table.find(new FlowKey().readTuple(tuple(81)))).toBeUndefined();
  });

  test('forgets the last found one when it is removed', () => {
    const table = new FlowTable<Entry>(1);
    const entry = new Entry(new FlowKey().readTuple(tuple(80)));
    table.add(entry);
    table.find(entry.key);
    table.remove(entry);
    table.remove(entry);
    expect(table.find(entry.key)).toBeUndefined();
    expect(table.size).toBe(0);
  });

  test.each([
    { name: 'spread keys', make: () => new FlowKey() },
    { name: 'keys of one bucket', make: () => new CollidingKey() },
  ])('equals a map under any adding and removing: $name', ({ make }) => {
    const actions = fc.array(fc.tuple(fc.nat(15), fc.boolean()), { maxLength: 100 });
    fc.assert(
      fc.property(actions, (steps) => {
        const table = new FlowTable<Entry>(99);
        const model = new Map<number, Entry>();
        for (const [port, adds] of steps) {
          const existing = model.get(port);
          if (adds && existing === undefined) {
            const entry = new Entry(make().readTuple(tuple(port)));
            table.add(entry);
            model.set(port, entry);
          } else if (!adds && existing !== undefined) {
            table.remove(existing);
            model.delete(port);
          }
          expect(table.find(make().readTuple(tuple(port)))).toBe(model.get(port));
          expect(table.size).toBe(model.size);
        }
        expect(new Set(table.all())).toEqual(new Set(model.values()));
      }),
    );
  });
});

describe('FlowKey', () => {
  test('hashes of neighbouring tuples spread over the buckets, whatever the seed', () => {
    for (const seed of [0, 1, -5, 0x1234_5678]) {
      const used = new Set<number>();
      for (let port = 0; port < 4096; port += 1) {
        used.add(new FlowKey().readTuple(tuple(port)).hash(seed) & 0xfff);
      }
      expect(used.size).toBeGreaterThan(4096 * 0.55);
    }
  });

  test('tells every field apart', () => {
    const base = tuple(80, 'fd00::1');
    const key = new FlowKey().readTuple(base);
    const flipped = (bytes: Buffer, at: number) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return IpAddress.fromBytes(bytes);
    };
    for (let at = 0; at < 16; at += 1) {
      const local = { ...base, localAddress: flipped(base.localAddress.bytes, at) };
      const remote = { ...base, remoteAddress: flipped(base.remoteAddress.bytes, at) };
      expect(new FlowKey().readTuple(local).equals(key)).toBe(false);
      expect(new FlowKey().readTuple(remote).equals(key)).toBe(false);
    }
    expect(new FlowKey().readTuple({ ...base, localPort: 1 }).equals(key)).toBe(false);
    expect(new FlowKey().readTuple({ ...base, remotePort: 1 }).equals(key)).toBe(false);
    expect(new FlowKey().readTuple(base).equals(key)).toBe(true);
  });
});
