import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clampMss } from '../../src/tun/mss-clamp.ts';
import { ACK, hasGoodChecksum, SYN, tcpOffsetOf, tcpPacket } from './tcp-packets.ts';

const MSS_1460 = [2, 4, 0x05, 0xb4];
const MSS_1440 = [2, 4, 0x05, 0xa0];
const NOP = 1;
const END = 0;
const WINDOW_SCALE = [3, 3, 7];

describe('clampMss', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'IPv4                    ', input: { options: MSS_1460 }, at: 20, mss: 1400 },
    { name: 'IPv4 with IP options    ', input: { options: MSS_1460, ipOptionWords: 5 }, at: 20, mss: 1400 },
    { name: 'IPv6, 20 bytes less     ', input: { version: 6, options: MSS_1440 }, at: 20, mss: 1380 },
    { name: 'SYN and ACK             ', input: { flags: SYN | ACK, options: MSS_1460 }, at: 20, mss: 1400 },
    { name: 'behind other options    ', input: { options: [NOP, ...WINDOW_SCALE, ...MSS_1460] }, at: 24, mss: 1400 },
    { name: 'behind SACK permitted   ', input: { options: [4, 2, ...MSS_1460] }, at: 22, mss: 1400 },
    { name: 'at an odd offset        ', input: { options: [NOP, ...MSS_1460] }, at: 21, mss: 1400 },
    { name: 'odd, last of the options', input: { options: [...WINDOW_SCALE, ...MSS_1460] }, at: 23, mss: 1400 },
    { name: 'with data               ', input: { options: MSS_1460, payload: Buffer.from('fast open') }, at: 20, mss: 1400 },
  ] as const)('lowers the MSS and keeps the checksum right: $name', ({ input, at, mss }) => {
    const packet = tcpPacket(input);
    const before = Buffer.from(packet);
    clampMss(packet, 1400);
    const tcpAt = tcpOffsetOf(packet);
    expect(packet.readUInt16BE(tcpAt + at + 2)).toBe(mss);
    expect(hasGoodChecksum(packet)).toBe(true);
    for (const field of [tcpAt + at + 2, tcpAt + 16]) before.copy(packet, field, field, field + 2);
    expect(packet).toEqual(before);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'an MSS at the limit         ', packet: tcpPacket({ options: [2, 4, 0x05, 0x78] }) },
    { name: 'an MSS below the limit      ', packet: tcpPacket({ options: [2, 4, 0x02, 0x18] }) },
    { name: 'a segment without SYN       ', packet: tcpPacket({ flags: ACK, options: MSS_1460 }) },
    { name: 'a SYN without options       ', packet: tcpPacket() },
    { name: 'a SYN without MSS           ', packet: tcpPacket({ options: WINDOW_SCALE }) },
    { name: 'an MSS behind the end       ', packet: tcpPacket({ options: [END, ...MSS_1460] }) },
    { name: 'an MSS of a wrong length    ', packet: tcpPacket({ options: [2, 6, 0x05, 0xb4, 0, 0] }) },
    { name: 'an option of length 0       ', packet: tcpPacket({ options: [3, 0, ...MSS_1460] }) },
    { name: 'an option of length 1       ', packet: tcpPacket({ options: [3, 1, ...MSS_1460] }) },
    { name: 'an option beyond the header ', packet: tcpPacket({ options: [3, 9, 0, 0] }) },
    { name: 'a kind without a length     ', packet: tcpPacket({ options: [NOP, NOP, NOP, 2] }) },
    { name: 'UDP over IPv4               ', packet: changed(tcpPacket({ options: MSS_1460 }), 9, 17) },
    { name: 'UDP over IPv6               ', packet: changed(tcpPacket({ version: 6, options: MSS_1460 }), 6, 17) },
    { name: 'a later fragment            ', packet: changed(tcpPacket({ options: MSS_1460 }), 7, 1) },
    { name: 'an IHL below 5              ', packet: changed(tcpPacket({ options: MSS_1460 }), 0, 0x44) },
    { name: 'a data offset below 5       ', packet: changed(tcpPacket({ options: MSS_1460 }), 32, 0x40) },
    { name: 'nothing                     ', packet: Buffer.alloc(0) },
  ])('leaves alone $name', ({ packet }) => {
    const before = Buffer.from(packet);
    clampMss(packet, 1400);
    expect(packet).toEqual(before);
  });

  test('clamps the first of several fragments', () => {
    const packet = changed(tcpPacket({ options: MSS_1460 }), 6, 0x20);
    clampMss(packet, 1400);
    expect(packet.readUInt16BE(42)).toBe(1400);
  });

  test('no truncation makes it read or write beyond the end', () => {
    for (const version of [4, 6] as const) {
      const whole = tcpPacket({ version, options: [...WINDOW_SCALE, ...MSS_1460] });
      const room = Buffer.alloc(whole.length, 0xaa);
      for (let length = 0; length < whole.length; length += 1) {
        whole.copy(room);
        room.fill(0xaa, length);
        clampMss(room.subarray(0, length), 1400);
        expect(room.subarray(length).every((byte) => byte === 0xaa)).toBe(true);
      }
    }
  });

  test('whatever the options are, the length stays and the checksum stays right', () => {
    const options = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4), fc.nat(255)), {
      maxLength: 40,
    });
    const version = fc.constantFrom<4 | 6>(4, 6);
    fc.assert(
      fc.property(options, version, fc.integer({ min: 100, max: 2000 }), (bytes, family, limit) => {
        const packet = tcpPacket({ version: family, options: bytes });
        clampMss(packet, limit);
        return hasGoodChecksum(packet);
      }),
    );
  });

  test('any MSS and limit, at even and odd offsets', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff),
        fc.integer({ min: 1, max: 0xffff }),
        fc.nat(3),
        (mss, limit, pad) => {
          const options = [...new Array<number>(pad).fill(NOP), 2, 4, mss >>> 8, mss & 0xff];
          const packet = tcpPacket({ options });
          clampMss(packet, limit);
          return (
            packet.readUInt16BE(40 + pad + 2) === Math.min(mss, limit) && hasGoodChecksum(packet)
          );
        },
      ),
    );
  });
});

function changed(packet: Buffer, at: number, value: number): Buffer {
  packet.writeUInt8(value, at);
  return packet;
}
