import { describe, expect, test } from 'vitest';
import { checksumOf, sumBytes } from '../../src/netstack/checksum.ts';
import { IpHeader, IpProtocol } from '../../src/netstack/ip-header.ts';
import { parseIpv4 } from '../../src/netstack/ipv4.ts';
import { parseIpv6 } from '../../src/netstack/ipv6.ts';
import { incomingPseudoSum } from '../../src/netstack/pseudo-header.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { cut } from './fragments.ts';
import { icmpError } from './icmp-error.ts';
import { EchoLog, FAMILIES, UdpLog, udpPacket } from './socket-logs.ts';
import { serve } from './tcp-ends.ts';

/** Packets a family. */
const PACKETS = 30_000;
/** Where the checksum of a message stands, by protocol. */
const SUM_AT: Readonly<Record<number, number>> = {
  [IpProtocol.TCP]: 16,
  [IpProtocol.UDP]: 6,
  [IpProtocol.ICMP]: 2,
  [IpProtocol.ICMPV6]: 2,
};

/** Makes the checksums right again, as far as headers can be followed. */
function mend(packet: Buffer): void {
  const header = new IpHeader();
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4 && packet.length >= 20) {
    const headerBytes = Math.min(((packet[0] ?? 0) & 15) * 4, packet.length);
    packet.writeUInt16BE(0, 10);
    packet.writeUInt16BE(checksumOf(sumBytes(packet, 0, headerBytes)), 10);
  }
  if ((version === 4 ? parseIpv4 : parseIpv6)(packet, header) !== 0 || header.fragment) return;
  const { protocol, payloadAt, payloadLength, family } = header;
  const sumAt = SUM_AT[protocol];
  if (sumAt === undefined || payloadLength < sumAt + 2) return;
  packet.writeUInt16BE(0, payloadAt + sumAt);
  const bare = protocol === IpProtocol.ICMP && family === 4;
  const pseudo = bare ? 0 : incomingPseudoSum(header, protocol) + payloadLength;
  packet.writeUInt16BE(
    checksumOf(pseudo + sumBytes(packet, payloadAt, payloadLength)),
    payloadAt + sumAt,
  );
}

describe.each(FAMILIES)('damaged packets over IPv$family', ({ family, left, right }) => {
  test('with right checksums, into a stack in use: never throw, never pile up', () => {
    const random = new SeededRandom(40 + family);
    const templates: Buffer[] = [];
    let recording = true;
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (recording && from === 'left') templates.push(Buffer.from(packet));
        return packet;
      },
    });
    // Everything that a stack can have open, with its traffic as the seeds.
    serve(pair, 80, 5000);
    const client = new StreamEnd(20_000, 1);
    client.start(pair.left.connectTcp(address(right), 80, client));
    const open = new StreamEnd(0);
    open.connection = pair.left.connectTcp(address(right), 80, open);
    const udp = pair.right.openUdp({ family, port: 9 }, new UdpLog());
    pair.left.openUdp({ family }, new UdpLog()).send(Buffer.alloc(4000), address(right), 9);
    pair.left.openEcho(address(right), new EchoLog()).send(1, 3000);
    pair.right.openEcho(address(left), new EchoLog()).send(1, 30);
    udp.send(Buffer.alloc(1), address(left), 1);
    pair.advance(500);
    recording = false;
    templates.push(
      ...cut(family, random.bytes(4000), 1280),
      icmpError(udpPacket(right, 9, left, 1), {
        typeAndCode: family === 4 ? 0x0303 : 0x0104,
        from: left,
        to: right,
      }),
    );
    expect(templates.length).toBeGreaterThan(20);
    const before = pair.right.stats();
    for (let sent = 0; sent < PACKETS; sent += 1) {
      const template = templates[random.uint32() % templates.length] ?? Buffer.alloc(0);
      const packet = Buffer.from(random.chance(3) ? random.bytes(random.uint32() % 200) : template);
      const reach = random.chance(70) ? Math.min(packet.length, 100) : packet.length;
      for (let damage = random.uint32() % 5; damage > 0 && reach > 0; damage -= 1) {
        packet[random.uint32() % reach] = random.uint32();
      }
      const length = random.chance(10) ? random.uint32() % (packet.length + 1) : packet.length;
      const injected = packet.subarray(0, length);
      if (random.chance(90)) mend(injected);
      pair.rightTun.inject(injected);
      if (sent % 16 === 0) pair.advance(random.uint32() % 20);
    }
    pair.settle();
    const after = pair.right.stats();
    expect(after.packetsIn - before.packetsIn).toBeGreaterThanOrEqual(PACKETS);
    expect(after.udpEndpoints).toBe(1);
    // A listener was there to be called: its queue of half-open flows is bounded.
    expect(after.tcpFlows).toBeLessThan(2000);
    // Hours later nothing of it is left.
    pair.advance(7_200_000);
    expect(pair.right.stats().tcpFlows).toBeLessThanOrEqual(before.tcpFlows);
    const log = new UdpLog();
    pair.right.openUdp({ family, port: 10 }, log);
    pair.left.openUdp({ family }, new UdpLog()).send(Buffer.alloc(5000), address(right), 10);
    pair.settle();
    expect(log.received[0]?.payload.length).toBe(5000);
  });
});
