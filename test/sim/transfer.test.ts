import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { Pair } from './pair.ts';
import { SeededRandom } from './seeded-random.ts';
import { type TunnelEnds, tunnelEnds } from './tunnel-ends.ts';

const MEGABYTE = 1024 * 1024;
const PORT = 8080;
const PATTERN = new SeededRandom(1).bytes(MEGABYTE);

/** 100 and 20 Mbit/s, with 20 and 100 ms of queue. */
const FAST = { rate: { bytesPerMs: 12_500, queueBytes: 250_000 } };
const SLOW = { rate: { bytesPerMs: 2_500, queueBytes: 250_000 } };

/** One transfer and the longest that it may take; half of that is what it took when it was written down. */
const LINES = [
  { name: 'a good line', line: { delayMs: 10, ...FAST }, megabytes: 5, limitMs: 5_000 },
  { name: 'a slow line', line: { delayMs: 40, ...SLOW }, megabytes: 5, limitMs: 17_000 },
  {
    name: '1 % loss at 10 ms',
    line: { delayMs: 10, lossPercent: 1, ...FAST },
    megabytes: 5,
    limitMs: 13_000,
  },
  {
    name: '1 % loss at 40 ms',
    line: { delayMs: 40, lossPercent: 1, ...FAST },
    megabytes: 2,
    limitMs: 21_000,
  },
  {
    name: '5 % loss at 20 ms',
    line: { delayMs: 20, lossPercent: 5, ...FAST },
    megabytes: 1,
    limitMs: 16_000,
  },
  {
    name: 'jitter, reordering, duplicates',
    line: { delayMs: 20, jitterMs: 10, reorderPercent: 5, duplicatePercent: 10, ...FAST },
    megabytes: 2,
    limitMs: 18_000,
  },
  {
    name: 'changed bits',
    line: { delayMs: 10, corruptPercent: 2, ...FAST },
    megabytes: 2,
    limitMs: 8_000,
  },
] as const;

describe('a TCP transfer through the tunnel', () => {
  const directions = (['down', 'up'] as const).flatMap((direction) =>
    LINES.map((line) => ({ direction, ...line })),
  );

  test.each(directions)('goes whole over $name ($direction)', async (transfer) => {
    const { direction, line, megabytes, limitMs } = transfer;
    const pair = await Pair.connected({ toServer: line, toClient: line });
    const ends = tunnelEnds(pair);
    const received = await pair.outcome(hashThrough(ends, megabytes, direction), limitMs);
    expect(received).toBe(hashOf(megabytes));
    // Nothing that the line changed got past a tag: no checksum inside ever had to catch it.
    expect(ends.client.stats.drops).not.toHaveProperty('bad-checksum');
    expect(ends.server.stats.drops).not.toHaveProperty('bad-checksum');
    await pair.stop();
  });

  test('keeps its hash over renegotiations that both ends start', async () => {
    const line = { delayMs: 20, lossPercent: 0.5, rate: { bytesPerMs: 250, queueBytes: 25_000 } };
    const pair = await Pair.connected({ toServer: line, toClient: line });
    const renegotiate = () => {
      if (pair.clientKeyIds.length % 2 === 0) pair.client.renegotiate();
      else pair.server.session?.renegotiate();
      pair.clock.setTimer(pair.clock.now() + 500, renegotiate);
    };
    renegotiate();
    expect(await pair.outcome(hashThrough(tunnelEnds(pair), 5, 'down'), 120_000)).toBe(hashOf(5));
    expect(pair.clientKeyIds.length).toBeGreaterThan(10);
    await pair.stop();
  });
});

/** One connection from the client; whoever sends ends it. Gives the hash of what arrived. */
async function hashThrough(
  { client, server }: TunnelEnds,
  megabytes: number,
  direction: 'up' | 'down',
): Promise<string> {
  const accepted = new Promise<TunSocket>((resolve) => {
    server.listen({ port: PORT }, resolve);
  });
  const near = client.connect({ host: '10.8.0.1', port: PORT });
  const far = await accepted;
  const [from, to] = direction === 'up' ? [near, far] : [far, near];
  const [hash] = await Promise.all([
    hashOfStream(to),
    pipeline(Readable.from(patterns(megabytes)), from),
    once(from.resume(), 'close'),
  ]);
  return hash;
}

function* patterns(megabytes: number): Generator<Buffer> {
  for (let sent = 0; sent < megabytes; sent += 1) yield PATTERN;
}

async function hashOfStream(stream: TunSocket): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  stream.end();
  return hash.digest('hex');
}

function hashOf(megabytes: number): string {
  const hash = createHash('sha256');
  for (const pattern of patterns(megabytes)) hash.update(pattern);
  return hash.digest('hex');
}
