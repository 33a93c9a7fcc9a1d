import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { parseIpv4, writeIpv4 } from '../../src/netstack/ipv4.ts';
import { parseIpv6, writeIpv6 } from '../../src/netstack/ipv6.ts';
import { buildUdp, checkUdp, udpPayload } from '../../src/netstack/udp.ts';
import { address } from '../sim/netstack-pair.ts';

/** The datagram in an IP packet from `…1` to `…2`, and its headers. */
function inPacket(family: 4 | 6, udp: Buffer): { packet: Buffer; header: IpHeader } {
  const header = new IpHeader();
  const packet = Buffer.concat([Buffer.alloc(family === 4 ? 20 : 40), udp]);
  if (family === 4) {
    writeIpv4(packet, IpProtocol.UDP, address('10.8.0.1'), address('10.8.0.2'), 0, 0);
    parseIpv4(packet, header);
  } else {
    writeIpv6(packet, IpProtocol.UDP, address('fd00::1'), address('fd00::2'), 0);
    parseIpv6(packet, header);
  }
  return { packet, header };
}

/** Sums worked out apart from this code, with `struct` and `socket` of Python. */
// biome-ignore format: one case a line
const VECTORS = [
  { name: 'IPv4, odd length', family: 4, payload: '68656c6c6f2121', udp: '00359c40000fea5468656c6c6f2121' },
  { name: 'IPv6, odd length', family: 6, payload: '68656c6c6f2121', udp: '00359c40000f046368656c6c6f2121' },
  { name: 'a sum of zero', family: 4, payload: '4f52', udp: '00359c40000affff4f52' },
] as const;

describe('buildUdp', () => {
  test.each(VECTORS)('$name', ({ family, payload, udp }) => {
    const [from, to] = family === 4 ? ['10.8.0.1', '10.8.0.2'] : ['fd00::1', 'fd00::2'];
    const packet = buildUdp(address(from), 53, address(to), 40_000, Buffer.from(payload, 'hex'));
    expect(packet.subarray(family === 4 ? 20 : 40).toString('hex')).toBe(udp);
  });
});

describe('checkUdp', () => {
  test.each(VECTORS)('accepts $name', ({ family, payload, udp }) => {
    const { packet, header } = inPacket(family, Buffer.from(udp, 'hex'));
    expect(checkUdp(packet, header)).toBe(Drop.NONE);
    expect(udpPayload(packet, header).toString('hex')).toBe(payload);
  });

  // biome-ignore format: one case a line
  test.each([
    { name: 'no checksum over IPv4', family: 4, udp: '00359c40000b0000616263', drop: Drop.NONE },
    { name: 'no checksum over IPv6', family: 6, udp: '00359c40000b0000616263', drop: Drop.BAD_CHECKSUM },
    { name: 'a wrong checksum over IPv4', family: 4, udp: '00359c40000fea5568656c6c6f2121', drop: Drop.BAD_CHECKSUM },
    { name: 'a wrong checksum over IPv6', family: 6, udp: '00359c40000f046468656c6c6f2121', drop: Drop.BAD_CHECKSUM },
    { name: 'a length under 8', family: 4, udp: '00359c4000070000616263', drop: Drop.MALFORMED },
    { name: 'a length over the packet', family: 4, udp: '00359c40000c0000616263', drop: Drop.MALFORMED },
    { name: 'a header that is cut', family: 4, udp: '00359c400008', drop: Drop.MALFORMED },
  ] as const)('judges $name', ({ family, udp, drop }) => {
    const { packet, header } = inPacket(family, Buffer.from(udp, 'hex'));
    expect(checkUdp(packet, header)).toBe(drop);
  });

  test('bytes behind the length are no payload', () => {
    const { packet, header } = inPacket(
      4,
      Buffer.from('00359c40000fea5468656c6c6f2121ffff', 'hex'),
    );
    expect(checkUdp(packet, header)).toBe(Drop.NONE);
    expect(String(udpPayload(packet, header))).toBe('hello!!');
  });

  test('accepts whatever buildUdp makes, and no flipped bit of it', () => {
    const port = fc.nat(0xffff);
    fc.assert(
      fc.property(
        port,
        port,
        fc.uint8Array({ maxLength: 99 }),
        fc.nat(),
        fc.boolean(),
        (from, to, payload, bit, six) => {
          const [source, destination] = six ? ['fd00::1', 'fd00::2'] : ['10.8.0.1', '10.8.0.2'];
          const built = buildUdp(address(source), from, address(destination), to, payload);
          const { packet, header } = inPacket(six ? 6 : 4, built.subarray(six ? 40 : 20));
          expect(checkUdp(packet, header)).toBe(Drop.NONE);
          const at = header.payloadAt + (bit % header.payloadLength);
          packet[at] = (packet[at] ?? 0) ^ 0x10;
          expect(checkUdp(packet, header)).not.toBe(Drop.NONE);
        },
      ),
    );
  });
});
