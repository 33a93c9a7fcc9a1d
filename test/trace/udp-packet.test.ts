import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_UDP_PAYLOAD, udpPacket } from '../../src/trace/udp-packet.ts';

/** The ones' complement sum of 16-bit words; 0xffff over a header or packet that is right. */
function sum16(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(parts);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes.readUInt8(at) * 256 + (at + 1 < bytes.length ? bytes.readUInt8(at + 1) : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

const CLIENT = { address: '192.0.2.1', port: 50_000 };
const SERVER = { address: '198.51.100.2', port: 1194 };
const CLIENT6 = { address: '2001:db8::1', port: 50_000 };
const SERVER6 = { address: '2001:db8::2', port: 1194 };

describe('udpPacket', () => {
  test('puts a payload into IPv4 and UDP', () => {
    const packet = udpPacket(CLIENT, SERVER, Buffer.from([0x38]));
    expect(packet.toString('hex', 0, 10)).toBe('4500001d000040004011');
    expect(packet.toString('hex', 12, 26)).toBe('c0000201c6336402c35004aa0009');
    expect(packet.toString('hex', 28)).toBe('38');
  });

  test('both checksums are right, whatever the payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
        const packet = udpPacket(CLIENT, SERVER, payload);
        expect(sum16(packet.subarray(0, 20))).toBe(0xffff);
        const pseudo = Buffer.from([0, 17, 0, 8 + payload.length]);
        expect(sum16(packet.subarray(12, 20), pseudo, packet.subarray(20))).toBe(0xffff);
        expect(packet.readUInt16BE(26)).not.toBe(0);

        const packet6 = udpPacket(CLIENT6, SERVER6, payload);
        expect(sum16(packet6.subarray(8, 40), pseudo, packet6.subarray(40))).toBe(0xffff);
      }),
    );
  });

  test('puts a payload into IPv6 and UDP', () => {
    const packet = udpPacket(SERVER6, CLIENT6, Buffer.alloc(3, 9));
    expect(packet.toString('hex', 0, 8)).toBe('60000000000b1140');
    expect(packet.toString('hex', 8, 24)).toBe('20010db8000000000000000000000002');
    expect([packet.readUInt16BE(40), packet.readUInt16BE(42), packet.readUInt16BE(44)]).toEqual([
      1194, 50_000, 11,
    ]);
    expect(packet.subarray(48)).toEqual(Buffer.alloc(3, 9));
  });

  test.each([
    { name: 'an IPv4 address as IPv6', address: '::ffff:192.0.2.1', version: 4 },
    { name: 'an address with a zone', address: 'fe80::1%eth0', version: 6 },
    { name: 'what is no address', address: 'a pipe', version: 4 },
  ])('takes $name', ({ address, version }) => {
    const other = version === 4 ? SERVER : SERVER6;
    expect(udpPacket({ address, port: 1 }, other, Buffer.alloc(1)).readUInt8(0) >> 4).toBe(version);
  });

  test('writes IPv4 beside IPv6 as IPv6', () => {
    const packet = udpPacket(CLIENT, SERVER6, Buffer.alloc(0));
    expect(packet.toString('hex', 8, 24)).toBe('00000000000000000000ffffc0000201');
  });

  test('takes the longest payload', () => {
    expect(udpPacket(CLIENT, SERVER, Buffer.alloc(MAX_UDP_PAYLOAD)).readUInt16BE(2)).toBe(65_535);
  });
});
