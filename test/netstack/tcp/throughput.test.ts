import { describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import type { LossyLinkOptions } from '../../sim/lossy-link.ts';
import { type EndOptions, IP_HEADER_BYTES, TcpPair } from './tcp-pair.ts';

const ROUND_TRIP_MS = 40;
/** 100 Mbit/s with a queue of 50 ms. */
const RATE = {
  bytesPerMs: 12_500,
  queueBytes: 625_000,
  sizeOf: (packet: Buffer) => packet.length,
};

/** Sends `bytes` over `link`; bytes a millisecond. */
function measure(
  bytes: number,
  link: LossyLinkOptions<Buffer>,
  client: EndOptions = {},
): { pair: TcpPair; rate: number } {
  const delayMs = ROUND_TRIP_MS / 2;
  const pair = new TcpPair({ seed: 5, link: { delayMs, ...link }, client }).connect();
  pair.client.send(Buffer.alloc(bytes), { chunkBytes: 65_536 });
  expect(pair.runUntil(() => pair.server.received === bytes)).toBe(true);
  return { pair, rate: bytes / pair.clock.now() };
}

describe('a download', () => {
  test('over a good line repeats nothing, and its window grows with its rate', () => {
    const { pair, rate } = measure(20_000_000, {});
    expect(pair.client.connection.info()).toMatchObject({ retransmits: 0, timeouts: 0 });
    expect(pair.server.connection.info().rcvWnd).toBeGreaterThan(2_000_000);
    expect(rate).toBeGreaterThan(20_000);
  });

  test('fills a bottleneck, without a timeout', () => {
    const { pair, rate } = measure(60_000_000, { rate: RATE });
    expect(pair.client.connection.info().timeouts).toBe(0);
    expect(rate).toBeGreaterThan(0.5 * RATE.bytesPerMs);
  });

  /** Mathis gives 10.4, 3.3 and 1.5 Mbit/s, for loss that repeats at even distance. */
  test.each([
    { lossPercent: 0.1, mbits: 8 },
    { lossPercent: 1, mbits: 2.8 },
    { lossPercent: 5, mbits: 1.1 },
  ])('at $lossPercent percent loss repairs what was lost, and hardly more', (row) => {
    const { pair, rate } = measure(5_000_000, { lossPercent: row.lossPercent });
    const { retransmits, timeouts, spuriousRecoveries } = pair.client.connection.info();
    expect(rate * 0.008).toBeGreaterThan(row.mbits);
    expect(retransmits).toBeLessThanOrEqual(1.05 * pair.up.lost + 2);
    expect(timeouts).toBeLessThanOrEqual(0.02 * pair.up.lost + 1);
    expect(spuriousRecoveries).toBeLessThanOrEqual(0.01 * pair.up.lost + 1);
  });

  test('without SACK is as fast as Reno can be', () => {
    const reno = { sack: false, congestion: 'reno' } as const;
    const { pair, rate } = measure(5_000_000, { lossPercent: 1 }, reno);
    const { mss } = pair.client.connection.info();
    const mathis = (mss / ROUND_TRIP_MS) * Math.sqrt(1.5 / 0.01);
    expect(rate).toBeGreaterThan(0.6 * mathis);
  });

  test('that is reordered by less than a quarter of the round trip repeats nothing, but once', () => {
    const { pair } = measure(5_000_000, { reorderPercent: 5, reorderMs: ROUND_TRIP_MS / 5 });
    const { retransmits, reordering } = pair.client.connection.info();
    expect(reordering).toBe(true);
    expect(retransmits).toBeLessThanOrEqual(1);
  });
});

test('more than 2³¹ bytes without a loss, and then one: it is found by duplicates', () => {
  const mtu = 65_535;
  const pair = new TcpPair({ client: { mtu }, server: { mtu } }).connect();
  pair.runUntil(() => pair.server.log.length > 0);
  const client = pair.client.connection;
  const server = pair.server.connection;
  const chunk = Buffer.alloc(1 << 20);
  const goal = 2 ** 31 + 2 ** 27;
  let now = 1000;
  let dropped = 0;
  const turn = (from: TcpConnection, to: TcpConnection, lose: boolean) => {
    if (from.nextTimeout() <= now) from.onTimeout(now);
    for (let packet = from.takeDown(now); packet; packet = from.takeDown(now)) {
      if (lose && dropped === 0) dropped += 1;
      else to.fromBelow(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES, now);
    }
    to.endOfBurst(now);
  };
  while (server.info().bytesReceived < goal || client.info().unacknowledged > 0) {
    now += 1;
    if (client.info().bytesSent < goal && client.info().unacknowledged < 4 * chunk.length) {
      client.write(chunk);
    }
    turn(client, server, server.info().bytesReceived > 2 ** 31 + 2 ** 26);
    while (server.read() !== undefined);
    turn(server, client, false);
  }
  expect(dropped).toBe(1);
  const { retransmits, timeouts } = client.info();
  expect(timeouts).toBe(0);
  expect(retransmits).toBe(1);
  expect(server.info().bytesReceived).toBe(client.info().bytesSent);
});
