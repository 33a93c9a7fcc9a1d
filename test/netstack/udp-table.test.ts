import { describe, expect, test } from 'vitest';
import { buildError } from '../../src/netstack/icmp.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

import { codeOf, FAMILIES, ip, UdpLog, udpPacket } from './socket-logs.ts';

describe.each(FAMILIES)('UDP over IPv$family', ({ family, left, right, loopback }) => {
  test('datagrams go both ways, with their sender', () => {
    const pair = new NetstackPair();
    const [ours, theirs] = [new UdpLog(), new UdpLog()];
    const server = pair.right.openUdp({ family, port: 53 }, theirs);
    const client = pair.left.openUdp({ family }, ours);
    expect(client.send(Buffer.from('ask'), address(right), 53)).toBe(true);
    pair.settle();
    expect(theirs.received).toMatchObject([{ from: left, port: client.localPort }]);
    server.send(Buffer.alloc(0), address(left), client.localPort);
    pair.settle();
    expect(ours.received).toEqual([{ payload: Buffer.alloc(0), from: right, port: 53 }]);
    expect(client.localPort).toBeGreaterThanOrEqual(32_768);
    expect(client.localPort).toBeLessThanOrEqual(60_999);
    expect(String(client.localAddress)).toBe(left);
  });

  test.each([1472, 1473, 3000, 9000, 65_507])('a datagram of %i bytes arrives whole', (size) => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    pair.right.openUdp({ family, port: 9 }, log);
    const payload = new SeededRandom(size).bytes(size);
    pair.left.openUdp({ family }, new UdpLog()).send(payload, address(right), 9);
    pair.settle();
    expect(log.received[0]?.payload.equals(payload)).toBe(true);
  });

  test('a connected endpoint hears its peer only, and wins over one that is not connected', () => {
    const pair = new NetstackPair();
    const [connected, other] = [new UdpLog(), new UdpLog()];
    const remote = { address: address(right), port: 7 };
    const endpoint = pair.left.openUdp({ family, remote }, connected);
    pair.left.openUdp({ family, port: 5000 }, other);
    pair.leftTun.inject(udpPacket(right, 7, left, endpoint.localPort, 'peer'));
    pair.leftTun.inject(udpPacket(right, 8, left, endpoint.localPort, 'stranger'));
    pair.leftTun.inject(udpPacket(right, 8, left, 5000, 'anybody'));
    pair.settle();
    expect(connected.received.map(({ payload }) => String(payload))).toEqual(['peer']);
    expect(other.received.map(({ payload }) => String(payload))).toEqual(['anybody']);
  });

  test('a port where nobody listens is refused to the connected sender', () => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    const remote = { address: address(right), port: 81 };
    const endpoint = pair.left.openUdp({ family, remote }, log);
    endpoint.send(Buffer.from('x'), address(right), 81);
    pair.settle();
    expect(log.failures).toEqual(['port-unreachable']);
    endpoint.send(Buffer.alloc(4000), address(right), 81);
    pair.settle();
    expect(log.failures).toEqual(['port-unreachable', 'port-unreachable']);
  });

  test('an error that quotes another port is not believed', () => {
    const pair = new NetstackPair({ filter: () => undefined });
    const log = new UdpLog();
    const remote = { address: address(right), port: 81 };
    const endpoint = pair.left.openUdp({ family, remote }, log);
    const protocol = family === 4 ? IpProtocol.ICMP : IpProtocol.ICMPV6;
    const inject = (from: number, to: number, destination: string) => {
      const quoted = udpPacket(left, from, destination, to);
      const error = buildError('port-unreachable', quoted, 6, address(right), address(left));
      pair.leftTun.inject(ip(error, protocol, right, left));
      pair.settle();
    };
    inject(endpoint.localPort, 82, right);
    inject(endpoint.localPort + 1, 81, right);
    inject(endpoint.localPort, 81, family === 4 ? '10.8.0.3' : 'fd00::3');
    expect(log.failures).toEqual([]);
    inject(endpoint.localPort, 81, right);
    expect(log.failures).toEqual(['port-unreachable']);
  });

  test('refuses at most 100 datagrams a second', () => {
    const pair = new NetstackPair();
    for (let sent = 0; sent < 200; sent += 1) pair.rightTun.inject(udpPacket(left, 1, right, 2));
    pair.settle();
    expect(pair.right.stats().packetsOut).toBe(100);
    pair.advance(1000);
    pair.rightTun.inject(udpPacket(left, 1, right, 2));
    pair.settle();
    expect(pair.right.stats().packetsOut).toBe(101);
  });

  test('speaks to ourselves over our address and over loopback', () => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    pair.left.openUdp({ family, port: 53 }, log);
    const client = pair.left.openUdp({ family }, new UdpLog());
    client.send(Buffer.from('a'), address(left), 53);
    client.send(Buffer.from('b'), address(loopback), 53);
    pair.settle();
    expect(log.received.map(({ from }) => from)).toEqual([left, loopback]);
    expect(pair.right.stats().packetsIn).toBe(0);
  });

  test('is held back while the tunnel is full, says when there is room, loses nothing', () => {
    const pair = new NetstackPair({ slots: 16 });
    const [ours, theirs] = [new UdpLog(), new UdpLog()];
    pair.right.openUdp({ family, port: 9 }, theirs);
    const client = pair.left.openUdp({ family }, ours);
    let accepted = 0;
    while (client.send(Buffer.from([accepted]), address(right), 9)) accepted += 1;
    expect(accepted).toBe(128);
    pair.settle();
    expect(ours.drains).toBe(1);
    expect(theirs.received.map(({ payload }) => payload[0])).toEqual([...Array(128).keys()]);
  });

  test('what was sent before close still leaves; the port is free again', () => {
    const pair = new NetstackPair();
    const log = new UdpLog();
    pair.right.openUdp({ family, port: 9 }, log);
    const client = pair.left.openUdp({ family, port: 1234 }, new UdpLog());
    client.send(Buffer.from('bye'), address(right), 9);
    client.close();
    client.close();
    pair.settle();
    expect(log.received.length).toBe(1);
    expect(codeOf(() => client.send(Buffer.alloc(1), address(right), 9))).toBe('ENETDOWN');
    expect(pair.left.openUdp({ family, port: 1234 }, new UdpLog()).localPort).toBe(1234);
  });

  test('a port of an address is given once', () => {
    const pair = new NetstackPair();
    const open = (text?: string) => () =>
      pair.left.openUdp(
        { family, port: 500, ...(text === undefined ? {} : { address: address(text) }) },
        new UdpLog(),
      );
    open(left)();
    expect(codeOf(open(left))).toBe('EADDRINUSE');
    expect(codeOf(open())).toBe('EADDRINUSE');
    expect(codeOf(open(loopback))).toBe('nothing');
    expect(codeOf(open(right))).toBe('EADDRNOTAVAIL');
  });

  test('an endpoint of one address hears and speaks from this address only', () => {
    const pair = new NetstackPair();
    const [inside, outside] = [new UdpLog(), new UdpLog()];
    pair.left.openUdp({ family, port: 500, address: address(loopback) }, inside);
    pair.left.openUdp({ family, port: 500, address: address(left) }, outside);
    const client = pair.left.openUdp({ family, address: address(left) }, new UdpLog());
    client.send(Buffer.from('in'), address(loopback), 500);
    client.send(Buffer.from('out'), address(left), 500);
    pair.settle();
    expect(inside.received).toMatchObject([{ payload: Buffer.from('in'), from: left }]);
    expect(outside.received).toMatchObject([{ payload: Buffer.from('out'), from: left }]);
  });

  test('more than a datagram holds is refused', () => {
    const pair = new NetstackPair();
    const client = pair.left.openUdp({ family }, new UdpLog());
    expect(codeOf(() => client.send(Buffer.alloc(65_508), address(right), 9))).toBe('EMSGSIZE');
    expect(
      codeOf(() => client.send(Buffer.alloc(1), address(family === 4 ? 'fd00::2' : '10.8.0.2'), 9)),
    ).toBe('ENETUNREACH');
  });

  test('one bulk sender does not starve another', () => {
    const pair = new NetstackPair();
    const order: number[] = [];
    pair.right.openUdp(
      { family, port: 9 },
      {
        ...new UdpLog(),
        datagram: (_, __, port) => order.push(port),
        failed: () => {},
        drained: () => {},
      },
    );
    const bulk = pair.left.openUdp({ family }, new UdpLog());
    const small = pair.left.openUdp({ family }, new UdpLog());
    for (let sent = 0; sent < 100; sent += 1) bulk.send(Buffer.alloc(1400), address(right), 9);
    small.send(Buffer.alloc(1), address(right), 9);
    pair.settle();
    expect(order.indexOf(small.localPort)).toBeLessThan(10);
  });
});
