import { decode, encode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { Drop } from '../../src/core/machine.ts';
import { isCheapToDecode } from '../../src/dialer/dns-guard.ts';
import { decodeResponse, encodeQuery } from '../../src/dialer/dns-message.ts';
import { DnsQuery, MAX_FORGERIES } from '../../src/dialer/dns-query.ts';
import { toDnsServer } from '../../src/dialer/dns-server.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { a, dnsServer, response } from './dns-server.ts';
import { tunnelPair } from './tunnel-pair.ts';

const SERVERS = [toDnsServer('10.8.0.1') ?? expect.fail('an address')];
const NAME = 'www.bank.example';
const FORGERIES = 2 ** 20;

/** Pearson's statistic of `counts` against an even spread, in standard deviations from its mean. */
function unevenness(counts: Uint32Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const expected = total / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const freedom = counts.length - 1;
  return Math.abs(chiSquare - freedom) / Math.sqrt(2 * freedom);
}

describe('forged answers', () => {
  test('are never accepted, though the port was guessed: 2^20 of them', () => {
    const random = new SeededRandom(52);
    let accepted = 0;
    let sent = 0;
    let rightIds = 0;
    while (sent < FORGERIES) {
      const query = new DnsQuery(NAME, 'A', SERVERS, random);
      const { message } = query.takeDown(0) ?? expect.fail('a question');
      const forged = encode({
        type: 'response',
        id: 0,
        questions: [{ name: NAME, type: 'A' }],
        answers: [a(NAME, '6.6.6.6')],
      });
      for (let left = MAX_FORGERIES; left > 0; left -= 1, sent += 1) {
        forged.writeUInt16BE(random.uint32() & 0xffff, 0);
        if (forged.readUInt16BE(0) === message.readUInt16BE(0)) rightIds += 1;
        query.fromBelow(forged);
        if (query.takeUp() !== undefined) accepted += 1;
      }
    }
    expect(rightIds).toBeGreaterThan(0);
    expect(accepted).toBe(0);
  }, 30_000);

  test('turn the question to TCP after a few', () => {
    const query = new DnsQuery(NAME, 'A', SERVERS, new SeededRandom(1));
    query.takeDown(0);
    for (let left = MAX_FORGERIES; left > 0; left -= 1) query.fromBelow(Buffer.alloc(12, 0x80));
    expect(query.takeDown(0)?.carrier).toBe('tcp');
  });
});

describe('what a forger has to guess', () => {
  test('the id is even over 10^5 questions', () => {
    const random = new SeededRandom(9);
    const counts = new Uint32Array(1024);
    for (let left = 100_000; left > 0; left -= 1) {
      const query = new DnsQuery('a.test', 'A', SERVERS, random);
      const id = query.takeDown(0)?.message.readUInt16BE(0) ?? 0;
      counts[id >>> 6] = (counts[id >>> 6] ?? 0) + 1;
    }
    expect(unevenness(counts)).toBeLessThan(5);
  }, 30_000);

  test('the port is even over its range', async () => {
    await using pair = tunnelPair({ clock: systemClock });
    const { asked } = dnsServer(pair.server, (query) => [response(query, {})]);
    const { resolver } = pair.client;
    const names = Array.from({ length: 4000 }, (_, index) => `n${index}.test`);
    await Promise.all(names.map((name) => resolver.resolve4(name).catch(() => {})));
    expect(asked.length).toBeGreaterThanOrEqual(names.length);
    const counts = new Uint32Array(32);
    const ports = asked.map(({ port }) => port);
    const lowest = Math.min(...ports);
    const width = (Math.max(...ports) + 1 - lowest) / counts.length;
    for (const port of ports) {
      const bin = Math.floor((port - lowest) / width);
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    expect(Math.max(...ports) - lowest).toBeGreaterThan(15_000);
    expect(unevenness(counts)).toBeLessThan(5);
  }, 30_000);
});

describe('messages that are meant to keep us busy', () => {
  const query = encodeQuery(7, { name: 'a.test', type: 'A' }, { edns: false });
  const head = Buffer.from(query);
  head.writeUInt16BE(0x8180, 2);

  /** An answer of `count` records made of raw bytes. */
  function bomb(count: number, ...records: Buffer[]): Buffer {
    const message = Buffer.concat([head, ...records]);
    message.writeUInt16BE(count, 6);
    return message;
  }

  const tail = Buffer.from([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
  const pointer = (to: number) => Buffer.from([0xc0 | (to >>> 8), to & 0xff]);
  /** A run of pointers, each to the one before, in the data of a TXT record. */
  const chain = Buffer.concat(
    Array.from({ length: 8000 }, (_, index) => pointer(head.length + 11 + 2 * (index - 1))),
  );
  const chainHead = Buffer.from([
    0,
    0,
    16,
    0,
    1,
    0,
    0,
    0,
    60,
    chain.length >>> 8,
    chain.length & 255,
  ]);
  const longName = Buffer.concat([Buffer.alloc(120 * 2, Buffer.from([1, 97])), Buffer.from([0])]);

  test.each([
    { name: 'a pointer to itself', message: bomb(1, pointer(head.length), tail) },
    {
      name: 'two pointers at each other',
      message: bomb(2, pointer(head.length + 2), pointer(head.length), tail),
    },
    {
      name: 'a chain of 8,000 pointers',
      message: bomb(2, chainHead, chain, pointer(head.length + 11 + 15_998), tail),
    },
    {
      name: 'long names, 64 KiB of them',
      message: bomb(250, ...Array.from({ length: 250 }, () => [longName, tail]).flat()),
    },
    {
      name: 'pointers to a long name',
      message: bomb(
        4000,
        longName,
        tail,
        ...Array.from({ length: 3999 }, () => [pointer(head.length), tail]).flat(),
      ),
    },
    { name: '65,535 records that are not there', message: bomb(65_535, pointer(12), tail) },
    {
      name: '4,000 records',
      message: bomb(4000, ...Array.from({ length: 4000 }, () => [pointer(12), tail]).flat()),
    },
  ])('$name: at most 1 ms', ({ message }) => {
    expect(message.length).toBeLessThan(65_536);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round += 1) {
      const started = performance.now();
      expect(decodeResponse(message, query)).toBe(Drop.MALFORMED);
      best = Math.min(best, performance.now() - started);
    }
    expect(best).toBeLessThan(1);
  });

  test('but a large honest answer is read', () => {
    const records = Array.from({ length: 500 }, () => [pointer(12), tail]).flat();
    const message = bomb(500, ...records);
    expect(isCheapToDecode(message)).toBe(true);
    expect(decode(message).answers).toHaveLength(500);
  });
});
