import { describe, expect, test } from 'vitest';
import type { FlowTuple } from '../../src/netstack/flow-tuple.ts';
import { TcpState } from '../../src/netstack/tcp/state.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { digestOf, StreamEnd } from '../sim/stream-end.ts';
import { codeOf, FAMILIES } from './socket-logs.ts';
import { connect, serve } from './tcp-ends.ts';

const FLAGS_AT = 13;

describe.each(FAMILIES)('TCP over IPv$family', ({ family, left, right, loopback, headerBytes }) => {
  test('carries both directions whole, and ends in order', () => {
    const sizes = new Set<number>();
    const pair = new NetstackPair({
      filter: (packet) => {
        sizes.add(packet.length);
        // Don't Fragment, no identification.
        if (family === 4) expect(packet.readUInt32BE(4)).toBe(0x0000_4000);
        return packet;
      },
    });
    const [up, down] = [3_000_001, 2_000_003];
    const servers = serve(pair, 80, down);
    const client = connect(pair, right, 80, up);
    pair.advance(10_000);
    const [server] = servers;
    expect(server?.receivedBytes).toBe(up);
    expect(server?.digest).toBe(digestOf(up, 1));
    expect(client.digest).toBe(digestOf(down, 2));
    expect(client.ended && server?.ended).toBe(true);
    expect(client.closings).toEqual([undefined]);
    expect(server?.closings).toEqual([undefined]);
    expect(Math.max(...sizes)).toBe(1500);
    expect(pair.left.stats().drops).toEqual({});
    // One side rests in TIME-WAIT for a minute, then nothing is left.
    expect(pair.left.stats().tcpFlows + pair.right.stats().tcpFlows).toBeGreaterThan(0);
    pair.advance(61_000);
    expect(pair.left.stats().tcpFlows + pair.right.stats().tcpFlows).toBe(0);
    expect(pair.left.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(pair.clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('tells the listener who called', () => {
    const pair = new NetstackPair();
    const tuples: FlowTuple[] = [];
    pair.right.listenTcp({ port: 80 }, (_, tuple) => {
      tuples.push(tuple);
      return new StreamEnd(0);
    });
    pair.left.connectTcp(address(right), 80, new StreamEnd(0), { localPort: 4321 });
    pair.settle();
    const [tuple] = tuples;
    expect(`${tuple?.remoteAddress} ${tuple?.remotePort}`).toBe(`${left} 4321`);
    expect(`${tuple?.localAddress} ${tuple?.localPort}`).toBe(`${right} 80`);
  });

  test('a port where nobody listens resets', () => {
    const pair = new NetstackPair();
    const client = connect(pair, right, 81, 10);
    pair.settle();
    expect(client.closings).toEqual(['refused']);
    expect(client.connects).toBe(0);
    expect(pair.left.stats().tcpFlows).toBe(0);
  });

  test('resets at most 10 a second', () => {
    const pair = new NetstackPair();
    const clients = Array.from({ length: 30 }, (_, port) => connect(pair, right, 1000 + port));
    pair.settle();
    expect(clients.filter(({ closings }) => closings[0] === 'refused').length).toBe(10);
    expect(pair.right.stats().drops).toEqual({ 'no-socket': 10, 'rate-limited': 20 });
  });

  test('a damaged segment to a closed port is not answered', () => {
    const pair = new NetstackPair({
      filter: (packet) => {
        packet[headerBytes + 4] = (packet[headerBytes + 4] ?? 0) ^ 1;
        return packet;
      },
    });
    connect(pair, right, 81);
    pair.settle();
    expect(pair.right.stats()).toMatchObject({ packetsOut: 0, drops: { 'bad-checksum': 1 } });
  });

  test('speaks to itself over its own address and over loopback', () => {
    const pair = new NetstackPair();
    const received: number[] = [];
    const ends: StreamEnd[] = [];
    pair.left.listenTcp({ port: 80 }, (connection) => {
      const end = new StreamEnd(0).start(connection);
      ends.push(end);
      return end;
    });
    for (const to of [left, loopback]) {
      const client = new StreamEnd(100_000);
      client.start(pair.left.connectTcp(address(to), 80, client));
    }
    pair.advance(5000);
    for (const end of ends) received.push(end.receivedBytes);
    expect(received).toEqual([100_000, 100_000]);
    expect(pair.right.stats().packetsIn).toBe(0);
  });

  test('a listener of one address hears calls to this address only', () => {
    const pair = new NetstackPair();
    pair.left.listenTcp({ port: 80, address: address(loopback) }, () => new StreamEnd(0));
    const listen = (text?: string) => () =>
      pair.left.listenTcp(
        { port: 80, ...(text === undefined ? {} : { address: address(text) }) },
        () => new StreamEnd(0),
      );
    const [inside, outside] = [loopback, left].map((to) => {
      const end = new StreamEnd(0);
      pair.left.connectTcp(address(to), 80, end);
      return end;
    });
    pair.settle();
    expect(inside?.connects).toBe(1);
    expect(outside?.closings).toEqual(['refused']);
    expect(codeOf(listen(loopback))).toBe('EADDRINUSE');
    expect(codeOf(listen())).toBe('EADDRINUSE');
    expect(codeOf(listen(right))).toBe('EADDRNOTAVAIL');
    expect(codeOf(listen(left))).toBe('nothing');
  });

  test('a closed listener refuses, and what it accepted lives on', () => {
    const pair = new NetstackPair();
    const ends: StreamEnd[] = [];
    const listening = pair.right.listenTcp({ port: 0 }, (connection) => {
      const end = new StreamEnd(0);
      end.connection = connection;
      ends.push(end);
      return end;
    });
    expect(listening.port).toBeGreaterThanOrEqual(32_768);
    const first = new StreamEnd(0);
    const connection = pair.left.connectTcp(address(right), listening.port, first);
    pair.settle();
    listening.close();
    listening.close();
    const second = connect(pair, right, listening.port);
    connection.write(Buffer.from('still'));
    pair.settle();
    expect(second.closings).toEqual(['refused']);
    expect(ends[0]?.receivedBytes).toBe(5);
  });

  test('refuses what cannot be connected', () => {
    const pair = new NetstackPair();
    const to = (text: string, port = 80, options = {}) =>
      codeOf(() => pair.left.connectTcp(address(text), port, new StreamEnd(0), options));
    expect(to(family === 4 ? '224.0.0.1' : 'ff02::1')).toBe('ENETUNREACH');
    expect(to(family === 4 ? '0.0.0.0' : '::')).toBe('EADDRNOTAVAIL');
    expect(to(right, 0)).toBe('EADDRNOTAVAIL');
    expect(to(right, 80, { localAddress: address(right) })).toBe('EADDRNOTAVAIL');
    expect(to(right, 80, { localPort: 777 })).toBe('nothing');
    expect(to(right, 80, { localPort: 777 })).toBe('EADDRINUSE');
    expect(to(right, 81, { localPort: 777 })).toBe('nothing');
  });

  test('stop tells every owner that the network is gone, once, and leaves nothing', () => {
    const pair = new NetstackPair();
    serve(pair, 80);
    const open = new StreamEnd(0);
    pair.left.connectTcp(address(right), 80, open);
    pair.settle();
    const opening = connect(pair, right, 80);
    pair.left.stop();
    pair.advance(1000);
    expect(open.closings).toEqual(['network-unreachable']);
    expect(opening.closings).toEqual(['network-unreachable']);
    expect(pair.left.stats().tcpFlows).toBe(0);
    expect(pair.left.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    expect(codeOf(() => pair.left.connectTcp(address(right), 80, open))).toBe('ENETDOWN');
    expect(codeOf(() => pair.left.listenTcp({ port: 1 }, () => open))).toBe('ENETDOWN');
  });

  test('a port is not given again while its tuple rests in TIME-WAIT', () => {
    const pair = new NetstackPair();
    serve(pair, 80);
    const client = new StreamEnd(0);
    const again = () => pair.left.connectTcp(address(right), 80, client, { localPort: 5555 }).state;
    client.start(pair.left.connectTcp(address(right), 80, client, { localPort: 5555 }));
    pair.advance(1000);
    expect(client.connection?.state).toBe(TcpState.TIME_WAIT);
    expect(codeOf(again)).toBe('EADDRINUSE');
    pair.advance(60_000);
    expect(codeOf(again)).toBe('nothing');
  });
});

describe('segment flags', () => {
  test('a reset is never answered with a reset', () => {
    const pair = new NetstackPair({
      filter: (packet, from) => {
        if (from === 'right') throw new Error('answered');
        const reset = Buffer.from(packet);
        reset[20 + FLAGS_AT] = 0x04;
        // The checksum moves by what the flags lost: SYN.
        reset.writeUInt16BE(packet.readUInt16BE(36) + 0x02 - 0x04, 36);
        return reset;
      },
    });
    connect(pair, '10.8.0.2', 81);
    pair.settle();
    expect(pair.right.stats().drops).toEqual({ 'no-socket': 1 });
  });
});
