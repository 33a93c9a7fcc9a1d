import { describe, expect, test } from 'vitest';
import { buildError } from '../../src/netstack/icmp.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { writeIpv4 } from '../../src/netstack/ipv4.ts';
import { writeIpv6 } from '../../src/netstack/ipv6.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { StreamEnd } from '../sim/stream-end.ts';
import { FAMILIES } from './socket-logs.ts';
import { connect, serve } from './tcp-ends.ts';

describe.each(FAMILIES)(
  'ICMP errors about TCP over IPv$family',
  ({ family, left, right, headerBytes }) => {
    test('an unreachable error ends a handshake when it quotes its SYN, and only then', () => {
      const sent: Buffer[] = [];
      const pair = new NetstackPair({
        filter: (packet) => {
          sent.push(packet);
          return undefined;
        },
      });
      const client = connect(pair, right, 80);
      pair.settle();
      const [syn] = sent;
      if (syn === undefined) throw new Error('no SYN');
      const inject = (quoted: Buffer) => {
        const [from, to] = [address(right), address(left)];
        const error = buildError('port-unreachable', quoted, 6, from, to);
        if (family === 4) writeIpv4(error, IpProtocol.ICMP, from, to, 1, 0);
        else writeIpv6(error, IpProtocol.ICMPV6, from, to, 0);
        pair.leftTun.inject(error);
        pair.settle();
      };
      // Another port, then another sequence number, then an empty quote.
      for (const at of [headerBytes + 3, headerBytes + 5]) {
        const forged = Buffer.from(syn);
        forged[at] = (forged[at] ?? 0) ^ 0x20;
        inject(forged);
      }
      inject(syn.subarray(0, headerBytes + 7));
      expect(client.closings).toEqual([]);
      inject(syn);
      expect(client.closings).toEqual(['refused']);
      expect(pair.left.stats().tcpFlows).toBe(0);
    });

    test('unreachable errors do not end a connection that is open', () => {
      const sent: Buffer[] = [];
      let broken = false;
      const pair = new NetstackPair({
        filter: (packet, from) => {
          if (from === 'left') sent.push(packet);
          return broken ? undefined : packet;
        },
      });
      const servers = serve(pair, 80);
      const client = new StreamEnd(0);
      const connection = pair.left.connectTcp(address(right), 80, client);
      client.connection = connection;
      pair.advance(100);
      broken = true;
      connection.write(Buffer.alloc(500));
      pair.settle();
      const last = sent.at(-1);
      if (last === undefined) throw new Error('nothing sent');
      const error = buildError('port-unreachable', last, 6, address(right), address(left));
      if (family === 4) writeIpv4(error, IpProtocol.ICMP, address(right), address(left), 1, 0);
      else writeIpv6(error, IpProtocol.ICMPV6, address(right), address(left), 0);
      pair.leftTun.inject(error);
      pair.settle();
      broken = false;
      pair.advance(2000);
      expect(client.closings).toEqual([]);
      expect(servers[0]?.receivedBytes).toBe(500);
    });

    test('packet-too-big about what is not in flight changes nothing', () => {
      const sent: Buffer[] = [];
      const pair = new NetstackPair({
        filter: (packet, from) => {
          if (from === 'left') sent.push(packet);
          return packet;
        },
      });
      serve(pair, 80);
      const client = new StreamEnd(0);
      const connection = pair.left.connectTcp(address(right), 80, client);
      client.connection = connection;
      connection.write(Buffer.alloc(100_000));
      pair.advance(5_000);
      const { mss, state } = connection.info();
      const full = sent.filter((packet) => packet.length > 1400);
      expect(full.length).toBeGreaterThan(10);
      // All of it was acknowledged; then somebody guesses numbers beyond it.
      for (const packet of full) pair.leftTun.inject(tooBig(family, packet, 68));
      const guess = Buffer.from(full.at(-1) ?? Buffer.alloc(0));
      for (let high = 0; high < 256; high += 1) {
        guess.writeUInt8(high, headerBytes + 4);
        pair.leftTun.inject(tooBig(family, guess, 68));
      }
      pair.settle();
      expect(connection.info()).toMatchObject({ mss, state, unacknowledged: 0 });
      expect(client.closings).toEqual([]);
    });

    test('packet-too-big lowers the segment size and no further than the floor', () => {
      const floor = family === 4 ? 576 : 1280;
      const narrow = 1300;
      const forwarded: number[] = [];
      const pair = new NetstackPair({
        filter: (packet, from) => {
          if (from === 'left' && packet.length > narrow) {
            pair.leftTun.inject(tooBig(family, packet, narrow));
            return undefined;
          }
          if (from === 'left') forwarded.push(packet.length);
          return packet;
        },
      });
      const servers = serve(pair, 80);
      connect(pair, right, 80, 200_000);
      pair.advance(20_000);
      expect(servers[0]?.receivedBytes).toBe(200_000);
      expect(Math.max(...forwarded)).toBeLessThanOrEqual(narrow);
      expect(Math.max(...forwarded)).toBeGreaterThan(floor - 1);
    });
  },
);

/** The error of a router whose next link takes packets of `mtu` bytes only. */
function tooBig(family: 4 | 6, packet: Buffer, mtu: number): Buffer {
  const [from, to] = family === 4 ? ['10.9.9.9', '10.8.0.1'] : ['fd99::9', 'fd00::1'];
  const [source, destination] = [address(from), address(to)];
  const error = buildError('port-unreachable', packet, 0, source, destination);
  const at = family === 4 ? 20 : 40;
  // Another type and the MTU in the body; both move the checksum by what they add.
  const before = [error.readUInt16BE(at), error.readUInt16BE(at + 6)];
  error.writeUInt16BE(family === 4 ? 0x0304 : 0x0200, at);
  error.writeUInt16BE(mtu, at + 6);
  let sum = ~error.readUInt16BE(at + 2) & 0xffff;
  for (const word of before) sum += ~word & 0xffff;
  sum += error.readUInt16BE(at) + mtu;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  error.writeUInt16BE(~sum & 0xffff, at + 2);
  if (family === 4) writeIpv4(error, IpProtocol.ICMP, source, destination, 1, 0);
  else writeIpv6(error, IpProtocol.ICMPV6, source, destination, 0);
  return error;
}
