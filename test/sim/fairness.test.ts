import { describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import { address, NetstackPair } from './netstack-pair.ts';
import { StreamEnd } from './stream-end.ts';

const FLOWS = 20;
/** 20 Mbit/s. */
const BYTES_PER_MS = 2500;
const WARM_UP_MS = 5000;
const DURATION_MS = 30_000;
const ENDLESS = Number.MAX_SAFE_INTEGER;

/** Jain's index: 1 where all have the same, 1/n where one has all. */
function jainIndex(shares: readonly number[]): number {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const squares = shares.reduce((sum, share) => sum + share * share, 0);
  return (total * total) / (shares.length * squares);
}

describe('20 flows through one bottleneck', () => {
  test.each([
    { congestion: 'cubic', roundTripMs: 30, queueBytes: 75_000 },
    { congestion: 'cubic', roundTripMs: 100, queueBytes: 250_000 },
    { congestion: 'reno', roundTripMs: 30, queueBytes: 75_000 },
  ] as const)('share it, $congestion at $roundTripMs ms', (row) => {
    const { congestion, roundTripMs, queueBytes } = row;
    const line = { delayMs: roundTripMs / 2, rate: { bytesPerMs: BYTES_PER_MS, queueBytes } };
    const pair = new NetstackPair({ line, leftTcp: { congestion } });
    const servers: StreamEnd[] = [];
    pair.right.listenTcp({ port: 80 }, (connection) => {
      const end = new StreamEnd(0).start(connection);
      servers.push(end);
      return end;
    });
    const clients: TcpConnection[] = [];
    for (let flow = 0; flow < FLOWS; flow += 1) {
      const end = new StreamEnd(ENDLESS, flow);
      clients.push(pair.left.connectTcp(address('10.8.0.2'), 80, end));
      const client = clients.at(-1);
      if (client !== undefined) end.start(client);
    }
    pair.advance(WARM_UP_MS);
    const before = servers.map(({ receivedBytes }) => receivedBytes);
    pair.advance(DURATION_MS);
    const shares = servers.map(({ receivedBytes }, flow) => receivedBytes - (before[flow] ?? 0));
    expect(shares).toHaveLength(FLOWS);
    expect(jainIndex(shares)).toBeGreaterThan(0.9);
    const used = shares.reduce((sum, share) => sum + share, 0) / DURATION_MS / BYTES_PER_MS;
    expect(used).toBeGreaterThan(0.9);
  });
});

describe('a line without delay, of few places and without loss', () => {
  test.each([1, 2, 4, 16])('%i of them: nothing is repeated, nothing probed', (slots) => {
    const pair = new NetstackPair({ slots });
    const servers: StreamEnd[] = [];
    pair.right.listenTcp({ port: 80 }, (connection) => {
      const end = new StreamEnd(0).start(connection);
      servers.push(end);
      return end;
    });
    const end = new StreamEnd(1_000_000, 1);
    const client = pair.left.connectTcp(address('10.8.0.2'), 80, end);
    end.start(client);
    expect(pair.runUntil(() => servers[0]?.receivedBytes === 1_000_000, 10_000)).toBe(true);
    const info = { retransmits: 0, timeouts: 0, probes: 0, reordering: false };
    expect(client.info()).toMatchObject(info);
  });
});
