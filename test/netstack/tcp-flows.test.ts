import { describe, expect, test } from 'vitest';
import { address, NetstackPair } from '../sim/netstack-pair.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { digestOf, StreamEnd } from '../sim/stream-end.ts';
import { connect, serve } from './tcp-ends.ts';

describe('many flows', () => {
  test('a bulk flow does not starve the others', () => {
    const pair = new NetstackPair();
    const bulkAtEnd: number[] = [];
    const servers: StreamEnd[] = [];
    pair.right.listenTcp({ port: 80 }, (connection) => {
      const end = new StreamEnd(0).start(connection);
      servers.push(end);
      return end;
    });
    connect(pair, '10.8.0.2', 80, 8_000_000);
    for (let small = 0; small < 20; small += 1) {
      const end = connect(pair, '10.8.0.2', 80, 5000);
      end.closed = () => bulkAtEnd.push(servers[0]?.receivedBytes ?? 0);
    }
    pair.advance(100_000);
    expect(bulkAtEnd.length).toBe(20);
    expect(servers.map(({ receivedBytes }) => receivedBytes)).toEqual([
      8_000_000,
      ...Array(20).fill(5000),
    ]);
    expect(Math.max(...bulkAtEnd)).toBeLessThan(2_000_000);
  });

  test('10,000 that are open and idle cost nothing, and all still work', () => {
    const pair = new NetstackPair();
    const servers: StreamEnd[] = [];
    pair.right.listenTcp({ port: 80, backlog: 20_000 }, (connection) => {
      const end = new StreamEnd(0);
      end.connection = connection;
      servers.push(end);
      return end;
    });
    const clients = Array.from({ length: 10_000 }, () => {
      const end = new StreamEnd(0);
      end.connection = pair.left.connectTcp(address('10.8.0.2'), 80, end);
      return end;
    });
    pair.advance(5000);
    expect(clients.every(({ connects }) => connects === 1)).toBe(true);
    expect(pair.left.stats().tcpFlows).toBe(10_000);
    expect(pair.clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    const before = pair.left.stats().packetsOut + pair.right.stats().packetsOut;
    pair.advance(600_000);
    expect(pair.left.stats().packetsOut + pair.right.stats().packetsOut).toBe(before);
    for (const { connection } of clients) connection?.write(Buffer.from('x'));
    pair.advance(1000);
    expect(servers.every(({ receivedBytes }) => receivedBytes === 1)).toBe(true);
  }, 60_000);

  test.each(['10.8.0.2', 'fd00::2'])(
    'bytes reach %s whole over a line that loses packets',
    (to) => {
      const random = new SeededRandom(5);
      const pair = new NetstackPair({
        filter: (packet) => (random.chance(5) ? undefined : packet),
      });
      const servers = serve(pair, 80, 400_000);
      const client = connect(pair, to, 80, 300_000);
      pair.advance(600_000);
      expect(client.digest).toBe(digestOf(400_000, 2));
      expect(servers[0]?.digest).toBe(digestOf(300_000, 1));
      pair.advance(120_000);
      expect(pair.left.stats().tcpFlows + pair.right.stats().tcpFlows).toBe(0);
    },
  );

  test('hundreds of transfers at once keep their bytes apart', () => {
    const pair = new NetstackPair({ slots: 32 });
    const servers = serve(pair, 80, 20_000);
    const clients = Array.from({ length: 300 }, (_, index) =>
      connect(pair, index % 2 === 0 ? '10.8.0.2' : 'fd00::2', 80, 10_000),
    );
    pair.advance(60_000);
    expect(new Set(clients.map(({ digest }) => digest))).toEqual(new Set([digestOf(20_000, 2)]));
    expect(new Set(servers.map(({ digest }) => digest))).toEqual(new Set([digestOf(10_000, 1)]));
    expect(servers.length).toBe(300);
  });
});
