import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { TcpPair } from './tcp-pair.ts';

/** Where sequence numbers wrap around, and where their sign changes. */
const BEGINNINGS = [
  { name: '0xfffffff0', initialSequence: 0xffff_fff0 },
  { name: '0x7ffffff0', initialSequence: 0x7fff_fff0 },
  { name: '0xffffffff', initialSequence: 0xffff_ffff },
  { name: '0', initialSequence: 0 },
] as const;

/** Timestamps that wrap around half a second after the start. */
const TIMESTAMP_OFFSET = 0xffff_fe00;

describe.each(BEGINNINGS)('beginning at $name', ({ initialSequence }) => {
  const end = { initialSequence, timestampOffset: TIMESTAMP_OFFSET };

  test.each([
    { name: 'a clean line', link: { delayMs: 10 } },
    { name: 'loss', link: { delayMs: 20, lossPercent: 5 } },
    { name: 'reordering', link: { delayMs: 20, reorderPercent: 20 } },
    {
      name: 'all at once',
      link: { delayMs: 5, lossPercent: 3, reorderPercent: 5, duplicatePercent: 5 },
    },
  ])('streams cross whole over $name', ({ link }) => {
    for (const seed of [1, 2, 3]) {
      const pair = new TcpPair({ seed, link, client: end, server: end }).connect();
      const random = new SeededRandom(seed);
      pair.client.send(random.bytes(300_000), { finish: true });
      pair.runUntil(() => pair.client.log.length > 0);
      pair.server.send(random.bytes(200_000), { finish: true });
      expect(pair.runUntil(() => pair.bothClosed)).toBe(true);
      expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
      expect(pair.server.receivedHash).toBe(pair.client.sentHash);
      expect(pair.client.receivedHash).toBe(pair.server.sentHash);
    }
  });

  test.each([0, 10, 30])('SYNs cross, %i %% of packets lost', (lossPercent) => {
    const link = { delayMs: 10, lossPercent };
    const pair = new TcpPair({ seed: 5, link, client: end, server: end }).connect();
    pair.server.connection.connect(0);
    pair.client.send(Buffer.alloc(5000, 1), { finish: true });
    pair.server.send(Buffer.alloc(6000, 2), { finish: true });
    expect(pair.runUntil(() => pair.bothClosed)).toBe(true);
    expect([pair.client.failure, pair.server.failure]).toEqual([undefined, undefined]);
    expect(pair.server.receivedHash).toBe(pair.client.sentHash);
    expect(pair.client.receivedHash).toBe(pair.server.sentHash);
  });

  test('a window that closes and opens', () => {
    const server = {
      ...end,
      paused: true,
      receiveBufferBytes: 20_000,
      maxReceiveBufferBytes: 20_000,
    };
    const pair = new TcpPair({ link: { delayMs: 10 }, client: end, server }).connect();
    pair.client.send(Buffer.alloc(200_000, 7), { finish: true });
    for (let turn = 0; turn < 100 && !pair.server.connection.ended; turn += 1) {
      const until = pair.clock.now() + 300;
      pair.runUntil(() => pair.clock.now() >= until, 300);
      pair.clock.advance(Math.max(until - pair.clock.now(), 0));
      pair.server.readAll();
      pair.server.arm();
    }
    expect(pair.server.receivedHash).toBe(pair.client.sentHash);
  });

  test('numbers far around the circle', () => {
    const pair = new TcpPair({ link: { delayMs: 1 }, client: end, server: end }).connect();
    const chunk = Buffer.alloc(1_000_000, 3);
    for (let turn = 0; turn < 3; turn += 1) {
      pair.client.send(chunk);
      const wanted = (turn + 1) * chunk.length;
      expect(pair.runUntil(() => pair.server.received === wanted)).toBe(true);
    }
    expect(pair.client.connection.info().retransmits).toBe(0);
  });
});
