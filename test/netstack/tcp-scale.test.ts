import { describe, expect, test } from 'vitest';
import type { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import type { TcpEvents, TcpFailure } from '../../src/netstack/tcp/tcp-events.ts';
import { heapBytes } from '../sim/heap-bytes.ts';
import { address, NetstackPair } from '../sim/netstack-pair.ts';

const FLOWS = 10_000;
/** So many run before the heap is measured: compiled code is not what a flow leaves behind. */
const WARM_UP = 500;
const KIB = 1024;
const RIGHT = address('10.8.0.2');

/** Counts what it hears; keeps nothing. */
class Counter implements TcpEvents {
  connects = 0;
  ended = 0;
  readonly failures = new Map<TcpFailure, number>();

  connected(): void {
    this.connects += 1;
  }

  readable(): void {}
  writable(): void {}

  closed(failure: TcpFailure | undefined): void {
    this.ended += 1;
    if (failure !== undefined) this.failures.set(failure, (this.failures.get(failure) ?? 0) + 1);
  }
}

/** Reads to the end, and ends then. */
class Polite extends Counter {
  connection: TcpConnection | undefined;

  override readable(): void {
    while (this.connection?.read() !== undefined);
    if (this.connection?.ended === true) this.connection.shutdown();
  }
}

describe('memory', () => {
  test('10,000 connections that are open and idle: no more than 10 KiB each', async () => {
    const pair = new NetstackPair();
    const counter = new Counter();
    pair.right.listenTcp({ port: 80, backlog: FLOWS }, () => counter);
    const before = await heapBytes();
    for (let flow = 0; flow < FLOWS; flow += 1) pair.left.connectTcp(RIGHT, 80, counter);
    pair.advance(100);
    expect(counter.connects).toBe(FLOWS);
    // Both ends are in this process.
    const each = ((await heapBytes()) - before) / (2 * FLOWS);
    expect(each).toBeLessThan(10 * KIB);
  }, 60_000);

  test('10,000 that wait for an answer to their SYN: no more than 10 KiB each', async () => {
    const pair = new NetstackPair({ filter: () => undefined });
    const counter = new Counter();
    for (let flow = 0; flow < WARM_UP; flow += 1) pair.left.connectTcp(RIGHT, 80, new Counter());
    pair.advance(200_000);
    const before = await heapBytes();
    for (let flow = 0; flow < FLOWS; flow += 1) pair.left.connectTcp(RIGHT, 80, counter);
    pair.settle();
    const each = ((await heapBytes()) - before) / FLOWS;
    expect(each).toBeLessThan(10 * KIB);
    pair.advance(200_000);
    expect(counter.failures).toEqual(new Map([['timed-out', FLOWS]]));
    expect((await heapBytes()) - before).toBeLessThan(500 * KIB);
    expect(pair.left.stats().tcpFlows).toBe(0);
  }, 60_000);

  test('50,000 dials and closes leave nothing', async () => {
    const pair = new NetstackPair({ slots: 1024 });
    pair.right.listenTcp({ port: 80 }, (connection) => {
      const polite = new Polite();
      polite.connection = connection;
      return polite;
    });
    const counter = new Counter();
    for (let dial = 0; dial < WARM_UP; dial += 1) {
      pair.left.connectTcp(RIGHT, 80, new Counter()).shutdown();
    }
    pair.left.connectTcp(RIGHT, 80, counter).shutdown();
    pair.advance(61_000);
    const before = await heapBytes();
    let mostFlows = 0;
    for (let round = 0; round < 500; round += 1) {
      for (let dial = 0; dial < 100; dial += 1) {
        pair.left.connectTcp(RIGHT, 80, counter).shutdown();
      }
      pair.advance(20);
      mostFlows = Math.max(mostFlows, pair.left.stats().tcpFlows);
    }
    expect(counter.connects).toBe(50_001);
    expect(counter.ended).toBe(50_001);
    expect(counter.failures.size).toBe(0);
    expect(mostFlows).toBeLessThanOrEqual(16_384);
    expect((await heapBytes()) - before).toBeLessThan(4 * KIB * KIB);
    pair.advance(61_000);
    expect(pair.left.stats().tcpFlows + pair.right.stats().tcpFlows).toBe(0);
    expect(pair.clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect((await heapBytes()) - before).toBeLessThan(KIB * KIB);
  }, 60_000);

  test('1,000 peers that close their window for ever are given up after five minutes', async () => {
    const pair = new NetstackPair();
    const silent = new Counter();
    pair.right.listenTcp({ port: 80, backlog: 1000 }, () => silent);
    const counter = new Counter();
    const before = await heapBytes();
    const chunk = Buffer.alloc(100_000);
    for (let flow = 0; flow < 1000; flow += 1) {
      const connection = pair.left.connectTcp(RIGHT, 80, counter);
      while (connection.write(chunk));
    }
    pair.advance(10_000);
    const { packetsOut } = pair.left.stats();
    pair.advance(280_000);
    expect(counter.ended).toBe(0);
    // Each probe waits twice as long as the one before, up to a minute.
    expect((pair.left.stats().packetsOut - packetsOut) / 1000).toBeLessThan(15);
    pair.advance(30_000);
    expect(counter.failures).toEqual(new Map([['timed-out', 1000]]));
    expect(pair.left.stats().tcpFlows).toBe(0);
    expect(pair.left.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    pair.right.stop();
    expect((await heapBytes()) - before).toBeLessThan(8 * KIB * KIB);
  }, 60_000);
});
