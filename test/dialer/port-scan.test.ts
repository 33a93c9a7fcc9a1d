import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { checksumOf, sumBytes, updateChecksum } from '../../src/netstack/checksum.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { IpPath } from '../../src/netstack/ip-path.ts';
import { ip, udpPacket } from '../netstack/socket-logs.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { CLIENT, tunnelPair } from './tunnel-pair.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const PORTS = 65_536;

/** `packet` to another port; `sumAt` says where its checksum is, `portAt` the port. */
function toPort(packet: Buffer, portAt: number, sumAt: number, port: number): Buffer {
  const copy = Buffer.from(packet);
  copy.writeUInt16BE(port, portAt);
  const before = packet.readUInt16BE(portAt);
  // Zero would say that there is none.
  copy.writeUInt16BE(updateChecksum(packet.readUInt16BE(sumAt), before, port) || 0xffff, sumAt);
  return copy;
}

/** A SYN to port 1. */
function syn(from: string, to: string): Buffer {
  const path = new IpPath(address(from), address(to), 0);
  const packet = Buffer.alloc(path.ipHeaderBytes + 20);
  const at = path.ipHeaderBytes;
  packet.writeUInt16BE(40_000, at);
  packet.writeUInt16BE(1, at + 2);
  packet.writeUInt32BE(1234, at + 4);
  packet.writeUInt16BE(0x5002, at + 12);
  packet.writeUInt16BE(0xffff, at + 14);
  const sum = path.pseudoHeaderSum + 20 + sumBytes(packet, at, 20);
  packet.writeUInt16BE(checksumOf(sum), at + 16);
  return ip(packet, IpProtocol.TCP, from, to);
}

test.each([
  { family: 4, from: '10.8.0.1', to: '10.8.0.2', headerBytes: 20 },
  { family: 6, from: 'fd00::1', to: 'fd00::2', headerBytes: 40 },
])(
  'a scan of all ports over IPv$family reaches no socket of the host',
  async ({ from, to, headerBytes }) => {
    // What a forwarder would hand the probes to: services on the loopback address of the host.
    const touched: string[] = [];
    const tcp = net.createServer(() => touched.push('tcp')).listen(0, '127.0.0.1');
    const udp = dgram.createSocket('udp4', () => touched.push('udp')).bind(0, '127.0.0.1');
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    const hostCalls = [
      vi.spyOn(net.Socket.prototype, 'connect'),
      vi.spyOn(dgram.Socket.prototype, 'send'),
      vi.spyOn(dgram.Socket.prototype, 'connect'),
      vi.spyOn(dgram.Socket.prototype, 'bind'),
    ];
    const pair = new NetstackPair();
    const { right, rightTun, leftTun } = pair;
    leftTun.onReadable = () => {};
    const answers = { resets: 0, errors: 0 };
    const tcpProbe = syn(from, to);
    const udpProbe = udpPacket(from, 40_000, to, 1);
    for (let port = 0; port < PORTS; port += 1) {
      rightTun.inject(toPort(tcpProbe, headerBytes + 2, headerBytes + 16, port));
      rightTun.inject(toPort(udpProbe, headerBytes + 2, headerBytes + 6, port));
      if (port % 64 !== 0) continue;
      pair.settle();
      for (let packet = leftTun.read(); packet !== undefined; packet = leftTun.read()) {
        const isTcp = packet[headerBytes === 20 ? 9 : 6] === IpProtocol.TCP;
        answers[isTcp ? 'resets' : 'errors'] += 1;
        if (isTcp) expect((packet[headerBytes + 13] ?? 0) & 0x04).toBe(0x04);
      }
    }
    pair.settle();
    // One second of the rate limits, since time stands still.
    expect(answers).toEqual({ resets: 10, errors: 100 });
    expect(right.stats()).toMatchObject({
      packetsIn: 2 * PORTS,
      tcpFlows: 0,
      udpEndpoints: 0,
      drops: { 'no-socket': 110, 'rate-limited': 2 * PORTS - 110 },
    });
    expect(hostCalls.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0, 0]);
    expect(touched).toEqual([]);
    tcp.close();
    udp.close();
  },
);

test('a dialer listens nowhere until it is asked to', async () => {
  await using pair = tunnelPair();
  const refused = pair.server.connect({ host: CLIENT, port: 22 });
  const [error] = await once(refused, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(pair.client.stats).toMatchObject({ tcpFlows: 0, udpEndpoints: 0 });
});
