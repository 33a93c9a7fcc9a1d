import { describe, expect, test } from 'vitest';
import { buildEchoReply, buildEchoRequest, buildError } from '../../src/netstack/icmp.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { headerOf } from './fragments.ts';

import { EchoLog, FAMILIES, ip } from './socket-logs.ts';

describe.each(FAMILIES)(
  'echo over IPv$family',
  ({ family, left, right, loopback, headerBytes }) => {
    test('a ping is answered, with sequence, size and hop limit', () => {
      const pair = new NetstackPair();
      const log = new EchoLog();
      const client = pair.left.openEcho(address(right), log);
      client.send(1, 56);
      pair.settle();
      pair.advance(5);
      client.send(2, 0);
      pair.settle();
      expect(log.replies).toMatchObject([
        { sequence: 1, bytes: 56, ttl: 64, receivedAt: 0 },
        { sequence: 2, bytes: 0, ttl: 64, receivedAt: 5 },
      ]);
      expect(String(log.replies[0]?.from)).toBe(right);
    });

    test('a ping larger than the MTU goes and comes in fragments', () => {
      let packets = 0;
      const pair = new NetstackPair({
        filter: (packet) => {
          packets += 1;
          expect(packet.length).toBeLessThanOrEqual(1500);
          return packet;
        },
      });
      const log = new EchoLog();
      pair.left.openEcho(address(right), log).send(9, 8000);
      pair.settle();
      expect(log.replies).toMatchObject([{ sequence: 9, bytes: 8000 }]);
      expect(packets).toBe(12);
    });

    test('pinging ourselves stays inside', () => {
      const pair = new NetstackPair();
      const log = new EchoLog();
      pair.left.openEcho(address(left), log).send(1, 8);
      pair.left.openEcho(address(loopback), log).send(2, 8);
      pair.settle();
      expect(log.replies.map(({ sequence }) => sequence)).toEqual([1, 2]);
      expect(pair.right.stats().packetsIn).toBe(0);
    });

    test('clients have their own identifiers, and a closed one hears nothing', () => {
      const pair = new NetstackPair();
      const logs = [new EchoLog(), new EchoLog()];
      const clients = logs.map((log) => pair.left.openEcho(address(right), log));
      for (const client of clients) client.send(3, 8);
      clients[0]?.close();
      clients[0]?.send(4, 8);
      pair.settle();
      expect(logs.map(({ replies }) => replies.length)).toEqual([0, 1]);
      expect(pair.left.stats().drops).toEqual({ 'no-socket': 1 });
    });

    test('a reply counts only when it comes from where the request went', () => {
      const sent: Buffer[] = [];
      const filter = (packet: Buffer) => {
        sent.push(packet);
        return undefined;
      };
      const pair = new NetstackPair({ filter });
      const log = new EchoLog();
      pair.left.openEcho(address(right), log).send(1, 8);
      pair.settle();
      const [request = Buffer.alloc(0)] = sent;
      const protocol = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
      const reply = (from: string) => {
        const built = buildEchoReply(request, headerOf(request), address(from), address(left));
        pair.leftTun.inject(ip(built, protocol, from, left));
        pair.settle();
      };
      reply(family === 4 ? '10.8.0.9' : 'fd00::9');
      expect(log.replies).toEqual([]);
      expect(pair.left.stats().drops).toEqual({ 'no-socket': 1 });
      reply(right);
      expect(log.replies).toMatchObject([{ sequence: 1 }]);
    });

    test('answers at most 1000 pings a second', () => {
      const pair = new NetstackPair();
      const request = buildEchoRequest(address(left), address(right), 1, 1, Buffer.alloc(8));
      ip(request, family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6, left, right);
      let replies = 0;
      pair.leftTun.onReadable = () => {};
      for (let sent = 0; sent < 1500; sent += 1) {
        pair.rightTun.inject(Buffer.from(request));
        pair.settle();
        while (pair.leftTun.read() !== undefined) replies += 1;
      }
      expect(replies).toBe(1000);
      expect(pair.right.stats().drops).toEqual({ 'rate-limited': 500 });
    });

    test('an error about a ping of ours is told, one about a forged ping is not', () => {
      const sent: Buffer[] = [];
      const filter = (packet: Buffer) => {
        sent.push(packet);
        return undefined;
      };
      const pair = new NetstackPair({ filter });
      const log = new EchoLog();
      pair.left.openEcho(address(right), log).send(7, 16);
      pair.settle();
      const [request = Buffer.alloc(0)] = sent;
      const router = family === 4 ? '10.9.9.9' : 'fd99::9';
      const protocol = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
      const inject = (quoted: Buffer) => {
        const error = buildError('port-unreachable', quoted, 6, address(router), address(left));
        pair.leftTun.inject(ip(error, protocol, router, left));
        pair.settle();
      };
      const stranger = Buffer.from(request);
      stranger.writeUInt16BE(request.readUInt16BE(headerBytes + 4) ^ 1, headerBytes + 4);
      inject(stranger);
      const elsewhere = Buffer.from(request);
      elsewhere[headerBytes - 1] = 77;
      inject(elsewhere);
      inject(request.subarray(0, headerBytes + 7));
      expect(log.errors).toEqual([]);
      inject(request);
      expect(log.errors).toMatchObject([{ sequence: 7, kind: 'port-unreachable' }]);
      expect(String(log.errors[0]?.from)).toBe(router);
    });
  },
);
