import { describe, expect, test } from 'vitest';
import { Netstack } from '../../src/netstack/netstack.ts';
import { QUANTUM_BYTES } from '../../src/netstack/round-robin.ts';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents } from '../../src/netstack/tcp/tcp-events.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { digestOf, StreamEnd } from '../sim/stream-end.ts';
import { tunPair } from '../sim/tun-pair.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { EchoLog, UdpLog, udpPacket } from './socket-logs.ts';
import { serve } from './tcp-ends.ts';

const RIGHT = '10.8.0.2';
const FLOWS = 50;

/** Somebody who never ends a connection. */
const QUIET: TcpEvents = {
  connected() {},
  readable() {},
  writable() {},
  closed() {},
};

/** A TCP connection from the left that is open and idle. */
function idle(pair: NetstackPair): TcpConnection {
  return pair.left.connectTcp(address(RIGHT), 80, QUIET);
}

describe('a bulk flow', () => {
  test('lets 50 others in within one turn of everybody', () => {
    const log: { port: number; bytes: number }[] = [];
    const pair = new NetstackPair({
      slots: 4,
      filter: (packet, from) => {
        if (from === 'left') log.push({ port: packet.readUInt16BE(20), bytes: packet.length });
        return packet;
      },
    });
    serve(pair, 80);
    const bulk = idle(pair);
    const others = Array.from({ length: FLOWS }, () => idle(pair));
    pair.advance(1000);
    const bulkPort = log[0]?.port ?? 0;
    // The bulk flow opens its window first, so that it has much to send at once.
    bulk.write(Buffer.alloc(1_000_000));
    pair.advance(150);
    log.length = 0;
    bulk.write(Buffer.alloc(1_000_000));
    for (const other of others) other.write(Buffer.alloc(100));
    pair.advance(1000);
    const firstOf = new Map<number, number>();
    let bulkBytes = 0;
    for (const { port, bytes } of log) {
      if (port === bulkPort) bulkBytes += bytes;
      else if (!firstOf.has(port)) firstOf.set(port, bulkBytes);
    }
    expect(firstOf.size).toBe(FLOWS);
    expect(bulkBytes).toBeGreaterThan(20 * QUANTUM_BYTES);
    expect(Math.max(...firstOf.values())).toBeLessThanOrEqual(2 * QUANTUM_BYTES);
    expect(pair.left.stats().drops).toEqual({});
    expect(pair.right.stats().drops).toEqual({});
  });

  test('shares a narrow link evenly with another', () => {
    const bytes = new Map<number, number>();
    const pair = new NetstackPair({
      slots: 2,
      filter: (packet, from) => {
        const port = packet.readUInt16BE(20);
        if (from === 'left') bytes.set(port, (bytes.get(port) ?? 0) + packet.length);
        return packet;
      },
    });
    serve(pair, 80);
    const flows = [idle(pair), idle(pair), idle(pair)];
    pair.advance(1000);
    bytes.clear();
    for (const flow of flows) flow.write(Buffer.alloc(1_000_000));
    // One turn of the event loop: nobody is done yet.
    pair.left.moveDownWorker(1000);
    for (let turn = 0; turn < 100; turn += 1) {
      pair.right.moveUpWorker(1000);
      pair.right.endOfBurst(1000);
      pair.right.moveDownWorker(1000);
      pair.left.moveUpWorker(1000);
      pair.left.endOfBurst(1000);
      pair.left.moveDownWorker(1000);
    }
    const shares = [...bytes.values()];
    expect(shares).toHaveLength(3);
    expect(Math.min(...shares)).toBeGreaterThan(20_000);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2 * QUANTUM_BYTES);
  });
});

describe('a slow link', () => {
  test('holds everybody back, and nothing is lost or sent twice', () => {
    let dataBytes = 0;
    const pair = new NetstackPair({
      slots: 1,
      filter: (packet, from) => {
        if (from === 'left' && packet[9] === 6) {
          dataBytes += packet.length - 20 - ((packet[32] ?? 0) >>> 4) * 4;
        }
        return packet;
      },
    });
    const servers = serve(pair, 80);
    const datagrams = new UdpLog();
    pair.right.openUdp({ family: 4, port: 9 }, datagrams);
    let sent = 0;
    const udp = pair.left.openUdp(
      { family: 4 },
      { datagram: () => {}, failed: () => {}, drained: () => sendAll() },
    );
    const sendAll = () => {
      while (sent < 1000 && udp.send(Buffer.from(`${sent}`), address(RIGHT), 9)) sent += 1;
    };
    const clients = Array.from({ length: FLOWS }, () => {
      const end = new StreamEnd(100_000, 1);
      return end.start(pair.left.connectTcp(address(RIGHT), 80, end));
    });
    sendAll();
    pair.settle();
    expect(servers.map(({ digest }) => digest)).toEqual(Array(FLOWS).fill(digestOf(100_000, 1)));
    expect(datagrams.received.map(({ payload }) => `${payload}`)).toEqual(
      Array.from({ length: 1000 }, (_, index) => `${index}`),
    );
    expect(clients.flatMap(({ closings }) => closings).filter((why) => why !== undefined)).toEqual(
      [],
    );
    expect(dataBytes).toBe(FLOWS * 100_000);
    expect(pair.left.stats().drops).toEqual({});
    expect(pair.right.stats().drops).toEqual({});
  });
});

describe('a link that takes nothing', () => {
  /** A netstack whose tunnel is full until `open` is called. */
  function blocked() {
    const { left, right } = tunPair({ slots: 1 });
    const clock = new VirtualClock();
    const netstack = new Netstack({
      tun: left,
      ipv4: { address: '10.8.0.1', prefixLength: 24 },
      random: new SeededRandom(1),
      clock,
      wake: () => {},
    });
    right.inject(Buffer.alloc(1));
    const round = () => {
      netstack.moveUpWorker(clock.now());
      netstack.endOfBurst(clock.now());
      return netstack.moveDownWorker(clock.now());
    };
    return { netstack, tun: left, far: right, round };
  }

  test('leaves every packet with its source, and answers wait within bounds', () => {
    const { netstack, tun, far, round } = blocked();
    const end = new StreamEnd(1000);
    end.start(netstack.connectTcp(address(RIGHT), 80, end));
    netstack.openEcho(address(RIGHT), new EchoLog()).send(1, 8);
    netstack.openUdp({ family: 4 }, new UdpLog()).send(Buffer.alloc(1), address(RIGHT), 9);
    for (let sent = 0; sent < 500; sent += 1) {
      tun.inject(udpPacket(RIGHT, 1, '10.8.0.1', 2));
      expect(round()).toBe(false);
    }
    expect(netstack.stats().packetsOut).toBe(0);
    // 100 ICMP errors a second; each waits, beside the three packets of ours.
    let left = 0;
    while (far.read() !== undefined) {
      round();
      left += 1;
    }
    expect(left).toBe(1 + 100 + 3);
    expect(netstack.stats()).toMatchObject({
      packetsOut: 103,
      drops: { 'no-socket': 100, 'rate-limited': 400 },
    });
  });
});
