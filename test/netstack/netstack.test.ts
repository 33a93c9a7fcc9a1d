import { describe, expect, test } from 'vitest';
import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import { buildEchoRequest, buildError } from '../../src/netstack/icmp.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { Netstack } from '../../src/netstack/netstack.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { tunPair } from '../sim/tun-pair.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

import { codeOf, EchoLog, ip, UdpLog, udpPacket } from './socket-logs.ts';

describe('addresses', () => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'to us',                      from: '10.8.0.1',        to: '10.8.0.2',        drops: {} },
    { name: 'from another network',       from: '93.184.216.34',   to: '10.8.0.2',        drops: {} },
    { name: 'to somebody else',           from: '10.8.0.1',        to: '10.8.0.3',        drops: { martian: 1 } },
    { name: 'to loopback',                from: '10.8.0.1',        to: '127.0.0.1',       drops: { martian: 1 } },
    { name: 'to the subnet broadcast',    from: '10.8.0.1',        to: '10.8.0.255',      drops: { 'no-socket': 1 } },
    { name: 'to the limited broadcast',   from: '10.8.0.1',        to: '255.255.255.255', drops: { 'no-socket': 1 } },
    { name: 'to multicast',               from: '10.8.0.1',        to: '224.0.0.251',     drops: { 'no-socket': 1 } },
    { name: 'from our own address',       from: '10.8.0.2',        to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'from loopback',              from: '127.0.0.1',       to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'from 0/8',                   from: '0.0.0.0',         to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'from multicast',             from: '224.0.0.1',       to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'from class E',               from: '240.0.0.1',       to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'from a broadcast address',   from: '10.8.0.255',      to: '10.8.0.2',        drops: { martian: 1 } },
    { name: 'to us',                      from: 'fd00::1',         to: 'fd00::2',         drops: {} },
    { name: 'from another network',       from: '2001:db8::1',     to: 'fd00::2',         drops: {} },
    { name: 'to somebody else',           from: 'fd00::1',         to: 'fd00::3',         drops: { martian: 1 } },
    { name: 'to loopback',                from: 'fd00::1',         to: '::1',             drops: { martian: 1 } },
    { name: 'to multicast',               from: 'fd00::1',         to: 'ff02::1',         drops: { 'no-socket': 1 } },
    { name: 'from our own address',       from: 'fd00::2',         to: 'fd00::2',         drops: { martian: 1 } },
    { name: 'from loopback',              from: '::1',             to: 'fd00::2',         drops: { martian: 1 } },
    { name: 'from ::',                    from: '::',              to: 'fd00::2',         drops: { martian: 1 } },
    { name: 'from multicast',             from: 'ff02::1',         to: 'fd00::2',         drops: { martian: 1 } },
  ])('$from to $to, $name', ({ from, to, drops }) => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    pair.right.openUdp({ family: from.includes(':') ? 6 : 4, port: 9 }, log);
    pair.rightTun.inject(udpPacket(from, 1, to, 9));
    pair.settle();
    expect(pair.right.stats().drops).toEqual(drops);
    expect(log.received.length).toBe(Object.keys(drops).length === 0 ? 1 : 0);
    // What is dropped is never answered.
    expect(pair.right.stats().packetsOut).toBe(0);
  });

  test('a family without an address has no way out, but loopback', () => {
    const { left } = tunPair();
    const clock = new VirtualClock();
    const options = { tun: left, random: new SeededRandom(1), clock, wake: () => {} };
    const netstack = new Netstack({ ...options, ipv4: { address: '10.8.0.2', prefixLength: 24 } });
    const six = { family: 6 } as const;
    const remote = { address: address('fd00::1'), port: 1 };
    expect(codeOf(() => netstack.openEcho(address('fd00::1'), new EchoLog()))).toBe('ENETUNREACH');
    expect(codeOf(() => netstack.openUdp({ ...six, remote }, new UdpLog()))).toBe('ENETUNREACH');
    expect(codeOf(() => netstack.openUdp(six, new UdpLog()))).toBe('EADDRNOTAVAIL');
    expect(codeOf(() => netstack.openUdp({ ...six, address: address('::1') }, new UdpLog()))).toBe(
      'nothing',
    );
    expect(netstack.localAddressFor(address('fd00::1'))).toBeUndefined();
    expect(String(netstack.localAddressFor(address('::1')))).toBe('::1');
    expect(String(netstack.localAddressFor(address('8.8.8.8')))).toBe('10.8.0.2');
    expect(netstack.ipv6).toBeUndefined();
    expect(
      () => new Netstack({ ...options, ipv6: { address: '10.8.0.2', prefixLength: 24 } }),
    ).toThrow('expected an IPv6 address');
  });
});

describe('packets that nobody takes', () => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'an unknown protocol over IPv4',   from: '10.8.0.1', to: '10.8.0.2', protocol: 132, answer: '0302' },
    { name: 'an unknown protocol over IPv6',   from: 'fd00::1',  to: 'fd00::2',  protocol: 132, answer: '0401' },
    { name: 'IPv6 with no next header',        from: 'fd00::1',  to: 'fd00::2',  protocol: 59,  answer: undefined },
    { name: 'ICMPv6 over IPv4',                from: '10.8.0.1', to: '10.8.0.2', protocol: 58,  answer: '0302' },
  ])('$name', ({ from, to, protocol, answer }) => {
    const pair = new NetstackPair();
    pair.leftTun.onReadable = () => {};
    const headerBytes = from.includes(':') ? 40 : 20;
    pair.rightTun.inject(ip(Buffer.alloc(headerBytes + 20), protocol, from, to));
    pair.settle();
    const reply = pair.leftTun.read();
    expect(reply?.subarray(headerBytes, headerBytes + 2).toString('hex')).toBe(answer);
  });

  test('an error is never answered with an error', () => {
    const pair = new NetstackPair();
    for (const type of [3, 4, 5, 11, 12, 13, 99]) {
      const packet = Buffer.alloc(20 + 36);
      packet.writeUInt8(type, 20);
      packet.writeUInt16BE(checksumOf(sumBytes(packet, 20, 36)), 22);
      pair.rightTun.inject(ip(packet, IpProtocol.ICMP, '10.8.0.1', '10.8.0.2'));
    }
    pair.settle();
    expect(pair.right.stats().packetsOut).toBe(0);
  });

  test('random and damaged packets never throw, and open nothing', () => {
    const random = new SeededRandom(12);
    const pair = new NetstackPair();
    pair.leftTun.onReadable = () => {};
    pair.right.openUdp({ family: 4, port: 9 }, new UdpLog());
    const seeds = [
      udpPacket('10.8.0.1', 1, '10.8.0.2', 9, 'seed'),
      udpPacket('fd00::1', 1, 'fd00::2', 9, 'seed'),
      ip(
        buildEchoRequest(address('10.8.0.1'), address('10.8.0.2'), 1, 1, Buffer.alloc(40)),
        1,
        '10.8.0.1',
        '10.8.0.2',
      ),
      ip(
        buildError(
          'port-unreachable',
          udpPacket('10.8.0.2', 9, '10.8.0.1', 1),
          0,
          address('10.8.0.1'),
          address('10.8.0.2'),
        ),
        1,
        '10.8.0.1',
        '10.8.0.2',
      ),
      ip(Buffer.alloc(60), IpProtocol.TCP, '10.8.0.1', '10.8.0.2'),
    ];
    for (let sent = 0; sent < 20_000; sent += 1) {
      const seed = seeds[sent % seeds.length] ?? Buffer.alloc(0);
      const packet = random.chance(10) ? random.bytes(random.uint32() % 100) : Buffer.from(seed);
      for (let flips = random.uint32() % 6; flips > 0 && packet.length > 0; flips -= 1) {
        packet[random.uint32() % packet.length] = random.uint32();
      }
      const mended = random.chance(70) && packet.length >= 20 && (packet[0] ?? 0) >>> 4 === 4;
      if (mended) {
        packet.writeUInt16BE(0, 10);
        const headerBytes = Math.min(((packet[0] ?? 0) & 15) * 4, packet.length);
        packet.writeUInt16BE(checksumOf(sumBytes(packet, 0, headerBytes)), 10);
      }
      pair.rightTun.inject(
        packet.subarray(0, random.chance(20) ? random.uint32() % 60 : packet.length),
      );
      pair.settle();
      while (pair.leftTun.read() !== undefined);
    }
    const { tcpFlows, udpEndpoints, packetsIn } = pair.right.stats();
    expect({ tcpFlows, udpEndpoints, packetsIn }).toEqual({
      tcpFlows: 0,
      udpEndpoints: 1,
      packetsIn: 20_000,
    });
  });
});

describe('stop', () => {
  test('ends all sockets, and later calls are refused', () => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    const endpoint = pair.left.openUdp({ family: 4 }, log);
    const echo = pair.left.openEcho(address('10.8.0.2'), new EchoLog());
    endpoint.send(Buffer.alloc(1), address('10.8.0.2'), 9);
    pair.left.stop();
    pair.left.stop();
    echo.send(1, 1);
    pair.settle();
    expect(log.failures).toEqual(['network-down']);
    expect(pair.left.stats()).toMatchObject({ tcpFlows: 0, udpEndpoints: 0, packetsOut: 0 });
    expect(pair.left.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(codeOf(() => pair.left.openUdp({ family: 4 }, log))).toBe('ENETDOWN');
    expect(codeOf(() => pair.left.openEcho(address('10.8.0.2'), new EchoLog()))).toBe('ENETDOWN');
  });
});
