import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { Ipv4Flag, parseIpv4, writeIpv4 } from '../../src/netstack/ipv4.ts';
import { address } from '../sim/netstack-pair.ts';
import { capturedIpPackets } from './captured-packets.ts';

/** A real ping (vectors/01-plain-udp-aes256gcm, frame 15), header only. */
const CAPTURED = '45000044ea0b400040013c9b0a0800020a080001';

function packetOf(header: string, payloadBytes: number): Buffer {
  const packet = Buffer.concat([Buffer.from(header, 'hex'), Buffer.alloc(payloadBytes)]);
  packet.writeUInt16BE(0, 10);
  const headerBytes = Math.min(((packet[0] ?? 0) & 15) * 4, packet.length);
  packet.writeUInt16BE(checksumOf(sumBytes(packet, 0, headerBytes)), 10);
  return packet;
}

describe('parseIpv4', () => {
  test('reads a captured header', () => {
    const header = new IpHeader();
    const packet = Buffer.concat([Buffer.from(CAPTURED, 'hex'), Buffer.alloc(48)]);
    expect(parseIpv4(packet, header)).toBe(Drop.NONE);
    expect(header).toMatchObject({
      family: 4,
      protocol: IpProtocol.ICMP,
      hopLimit: 64,
      payloadAt: 20,
      payloadLength: 48,
      fragment: false,
      identification: 0xea0b,
    });
    expect(String(header.source())).toBe('10.8.0.2');
    expect(String(header.destination())).toBe('10.8.0.1');
  });

  test('accepts every IPv4 packet of the captures', () => {
    const packets = capturedIpPackets().filter((packet) => (packet[0] ?? 0) >>> 4 === 4);
    expect(packets.length).toBeGreaterThan(100);
    for (const packet of packets) expect(parseIpv4(packet, new IpHeader())).toBe(Drop.NONE);
  });

  const rest = '00004000400100000a0800020a080001';
  // biome-ignore format: one case a line
  test.each([
    { name: 'a whole packet', header: `45000044${rest}`, payload: 48, drop: Drop.NONE },
    { name: 'bytes behind the total length', header: `45000044${rest}`, payload: 60, drop: Drop.NONE },
    { name: 'no payload', header: `45000014${rest}`, payload: 0, drop: Drop.NONE },
    { name: 'header length under 20', header: `44000044${rest}`, payload: 48, drop: Drop.MALFORMED },
    { name: 'total length under the header', header: `45000013${rest}`, payload: 48, drop: Drop.MALFORMED },
    { name: 'total length over the packet', header: `45000045${rest}`, payload: 48, drop: Drop.MALFORMED },
    { name: 'header length over the total length', header: `4f000020${rest}`, payload: 48, drop: Drop.MALFORMED },
    { name: 'options that are skipped', header: `4700001c${rest}0101019404000000`, payload: 0, drop: Drop.NONE },
    { name: 'router alert', header: `4600001c${rest}94040000`, payload: 4, drop: Drop.NONE },
    { name: 'end of options before rubbish', header: `4600001c${rest}0089ffff`, payload: 4, drop: Drop.NONE },
    { name: 'loose source route', header: `4700001c${rest}8307040a08000100`, payload: 0, drop: Drop.MARTIAN },
    { name: 'strict source route', header: `4700001c${rest}018907040a080001`, payload: 0, drop: Drop.MARTIAN },
    { name: 'option of length 0', header: `46000018${rest}44000000`, payload: 0, drop: Drop.MALFORMED },
    { name: 'option of length 1', header: `46000018${rest}44010000`, payload: 0, drop: Drop.MALFORMED },
    { name: 'option longer than the header', header: `46000018${rest}44050000`, payload: 0, drop: Drop.MALFORMED },
    { name: 'option without its length', header: `46000018${rest}01010144`, payload: 0, drop: Drop.MALFORMED },
  ])('$name', ({ header, payload, drop }) => {
    expect(parseIpv4(packetOf(header, payload), new IpHeader())).toBe(drop);
  });

  test('refuses any header with one bit flipped, and any cut', () => {
    const packet = Buffer.from(CAPTURED + '00'.repeat(48), 'hex');
    for (let bit = 0; bit < 160; bit += 1) {
      const damaged = Buffer.from(packet);
      damaged[bit >>> 3] = (damaged[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      expect(parseIpv4(damaged, new IpHeader())).not.toBe(Drop.NONE);
    }
    for (let length = 0; length < packet.length; length += 1) {
      expect(parseIpv4(packet.subarray(0, length), new IpHeader())).toBe(Drop.MALFORMED);
    }
  });

  test.each([
    { flags: 0x4000, fragment: false, more: false, offset: 0 },
    { flags: 0x2000, fragment: true, more: true, offset: 0 },
    { flags: 0x2001, fragment: true, more: true, offset: 8 },
    { flags: 0x1fff, fragment: true, more: false, offset: 65_528 },
  ])('reads the fragment field $flags', ({ flags, fragment, more, offset }) => {
    const packet = Buffer.alloc(60);
    writeIpv4(packet, 17, address('10.8.0.1'), address('10.8.0.2'), 0xabcd, flags);
    const header = new IpHeader();
    expect(parseIpv4(packet, header)).toBe(Drop.NONE);
    expect(header).toMatchObject({
      fragment,
      moreFragments: more,
      fragmentOffset: offset,
      identification: 0xabcd,
    });
  });
});

describe('writeIpv4', () => {
  test('writes a captured header byte for byte', () => {
    const packet = Buffer.alloc(0x44);
    const { DONT_FRAGMENT } = Ipv4Flag;
    writeIpv4(packet, 1, address('10.8.0.2'), address('10.8.0.1'), 0xea0b, DONT_FRAGMENT);
    expect(packet.subarray(0, 20).toString('hex')).toBe(CAPTURED);
  });

  test('is read back as it was written', () => {
    const word = fc.uint8Array({ minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(
        fc.nat(1500),
        fc.nat(255),
        word,
        word,
        fc.nat(0xffff),
        (length, protocol, from, to, id) => {
          const [source, destination] = [address([...from].join('.')), address([...to].join('.'))];
          const packet = Buffer.alloc(20 + length);
          writeIpv4(packet, protocol, source, destination, id, 0);
          const header = new IpHeader();
          expect(parseIpv4(packet, header)).toBe(Drop.NONE);
          expect(header).toMatchObject({ protocol, payloadLength: length, identification: id });
          expect(header.source().equals(source)).toBe(true);
          expect(header.destination().equals(destination)).toBe(true);
        },
      ),
    );
  });
});
