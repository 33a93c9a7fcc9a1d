import { describe, expect, test } from 'vitest';
import { LAST_PACKET_ID, PacketIdSource } from '../../src/datachannel/packet-id-source.ts';

describe('PacketIdSource', () => {
  test('counts from 1', () => {
    const source = new PacketIdSource();
    expect([source.last, source.next(), source.next(), source.last]).toEqual([0, 1, 2, 2]);
  });

  test('stops at a lower limit, never goes beyond the field’s width', () => {
    const low = new PacketIdSource(2);
    expect([low.next(), low.next(), low.next()]).toEqual([1, 2, 0]);
    const high = new PacketIdSource(2 ** 40, LAST_PACKET_ID);
    expect([high.exhausted, high.next()]).toEqual([true, 0]);
  });

  test('never wraps', () => {
    const source = new PacketIdSource(LAST_PACKET_ID, LAST_PACKET_ID - 1);
    expect(source.exhausted).toBe(false);
    expect(source.next()).toBe(0xffff_ffff);
    expect(source.exhausted).toBe(true);
    expect([source.next(), source.next(), source.last]).toEqual([0, 0, 0xffff_ffff]);
  });
});
