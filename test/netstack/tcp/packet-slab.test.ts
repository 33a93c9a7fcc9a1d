import { describe, expect, test } from 'vitest';
import { PacketSlab } from '../../../src/netstack/tcp/packet-slab.ts';

describe('PacketSlab', () => {
  test('gives packets that do not overlap', () => {
    const slab = new PacketSlab();
    const packets = Array.from({ length: 500 }, (_, index) => slab.allocate(1 + index).fill(index));
    for (const [index, packet] of packets.entries()) {
      expect(packet).toEqual(Buffer.alloc(1 + index, index));
    }
  });

  test('gives a packet larger than a slab too', () => {
    expect(new PacketSlab().allocate(70_000)).toHaveLength(70_000);
  });
});
