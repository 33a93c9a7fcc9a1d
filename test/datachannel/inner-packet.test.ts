import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { trimInnerPacket } from '../../src/datachannel/inner-packet.ts';
import { ipv4Packet, ipv6Packet } from './fixtures.ts';

describe('trimInnerPacket', () => {
  test.each([
    { name: 'IPv4, exact              ', packet: ipv4Packet(60), length: 60 },
    { name: 'IPv4, header only        ', packet: ipv4Packet(20), length: 20 },
    { name: 'IPv4, with a tail        ', packet: tailed(ipv4Packet(60), 7), length: 60 },
    { name: 'IPv4, with options       ', packet: withByte(ipv4Packet(60), 0, 0x4f), length: 60 },
    { name: 'IPv6, exact              ', packet: ipv6Packet(100), length: 100 },
    { name: 'IPv6, no payload         ', packet: ipv6Packet(40), length: 40 },
    { name: 'IPv6, with a tail        ', packet: tailed(ipv6Packet(48), 1), length: 48 },
  ])('$name', ({ packet, length }) => {
    expect(trimInnerPacket(packet)).toEqual(packet.subarray(0, length));
  });

  test.each([
    { name: 'nothing                     ', packet: Buffer.alloc(0) },
    { name: 'IPv4 shorter than a header  ', packet: ipv4Packet(60).subarray(0, 19) },
    { name: 'IPv4 longer than received   ', packet: ipv4Packet(60).subarray(0, 59) },
    { name: 'IPv4, IHL 4                 ', packet: withByte(ipv4Packet(60), 0, 0x44) },
    { name: 'IPv4, IHL beyond its length ', packet: withByte(ipv4Packet(56), 0, 0x4f) },
    { name: 'IPv4, total length 0        ', packet: withByte(ipv4Packet(20), 3, 0) },
    { name: 'IPv6 shorter than a header  ', packet: ipv6Packet(40).subarray(0, 39) },
    { name: 'IPv6 longer than received   ', packet: ipv6Packet(60).subarray(0, 59) },
    { name: 'version 5                   ', packet: withByte(ipv4Packet(60), 0, 0x55) },
    { name: 'an Ethernet frame           ', packet: Buffer.alloc(60, 0xff) },
  ])('refuses $name', ({ packet }) => {
    expect(trimInnerPacket(packet)).toBe(Drop.MARTIAN);
  });

  test('never gives more than there is, nor throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(4, 6), (bytes, version) => {
        const packet = Buffer.from(bytes);
        if (packet.length > 0) packet.writeUInt8((version << 4) | (packet.readUInt8(0) & 0xf), 0);
        const trimmed = trimInnerPacket(packet);
        return (
          trimmed === Drop.MARTIAN || (typeof trimmed !== 'number' && isPrefix(trimmed, packet))
        );
      }),
    );
  });
});

function isPrefix(part: Buffer, whole: Buffer): boolean {
  return part.length >= 20 && whole.subarray(0, part.length).equals(part);
}

function tailed(packet: Buffer, length: number): Buffer {
  return Buffer.concat([packet, Buffer.alloc(length, 0xee)]);
}

function withByte(packet: Buffer, at: number, value: number): Buffer {
  packet.writeUInt8(value, at);
  return packet;
}
