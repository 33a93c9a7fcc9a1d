import { describe, expect, test } from 'vitest';
import { serialDiff } from '../../../src/core/serial.ts';
import { BufferPool } from '../../../src/netstack/buffer-pool.ts';
import { OUR_WINDOW_SHIFT } from '../../../src/netstack/tcp/receiver.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { REMOTE_ISN, ScriptedPeer } from './scripted-peer.ts';
import { TcpPair } from './tcp-pair.ts';

const MSS = 8000;

/** A sender that fills whatever window it was told, with full segments. */
class Flood {
  readonly peer: ScriptedPeer;
  next = 1;
  #edge = 0;

  constructor(options: Partial<TcpOptions>) {
    this.peer = new ScriptedPeer({ timestamps: false, mtu: 9000, ...options });
    this.peer.connection.connect(0);
    this.peer.take();
    this.peer.send('SA', 0, 1, { mss: MSS, windowScale: 0 });
    this.peer.take();
    this.#edge = 1 + this.peer.connection.info().rcvWnd;
  }

  /** Sends a burst; whether there was room for anything. */
  burst(segments: number): boolean {
    let sent = 0;
    for (; sent < segments && this.next < this.#edge; sent += 1) {
      const data = Math.min(MSS, this.#edge - this.next);
      this.peer.send('A', this.next, 1, { data });
      this.next += data;
    }
    this.listen();
    return sent > 0;
  }

  listen(): void {
    this.peer.take();
    for (const { acknowledgment, window } of this.peer.segments) {
      const edge = serialDiff(acknowledgment, REMOTE_ISN) + (window << OUR_WINDOW_SHIFT);
      expect(edge).toBeGreaterThanOrEqual(this.#edge);
      this.#edge = edge;
    }
  }

  get held(): number {
    return this.peer.connection.info().unread;
  }
}

describe('one pool for many receivers', () => {
  test('1,000 that nobody reads stay under it, and what was offered finds room', () => {
    const pool = new BufferPool();
    const floods = Array.from({ length: 1000 }, () => new Flood({ pool }));
    for (let moved = true; moved; ) {
      moved = false;
      for (const flood of floods) if (flood.burst(8)) moved = true;
      expect(pool.claimed).toBeLessThanOrEqual(pool.limitBytes);
    }
    expect(floods.every((flood) => flood.held === flood.next - 1)).toBe(true);
    const held = floods.reduce((sum, flood) => sum + flood.held, 0);
    expect(held).toBeGreaterThan(0.6 * pool.limitBytes);
  });

  test('gives back what was read, what was discarded, and what is over', () => {
    const pool = new BufferPool();
    const floods = [1, 2, 3, 4].map(() => new Flood({ pool }));
    for (const flood of floods) for (const segments of [8, 12]) flood.burst(segments);
    expect(pool.claimed).toBeGreaterThan(4 * 20 * MSS);
    const [read, closed, reset, ended] = floods;
    read?.peer.readAll();
    closed?.peer.connection.close();
    reset?.peer.send('R', reset.next, 1);
    ended?.peer.send('FA', ended.next, 1);
    const left = pool.claimed;
    expect(left).toBeGreaterThan(2 * 20 * MSS);
    expect(left).toBeLessThan(2 * 20 * MSS * 1.1);
    reset?.peer.readAll();
    ended?.peer.readAll();
    expect(pool.claimed).toBe(0);
  });

  test('gets back what nobody will read: reset by the peer, or aborted by us', () => {
    const pool = new BufferPool();
    const floods = [1, 2].map(() => new Flood({ pool }));
    for (const flood of floods) flood.burst(8);
    const [reset, aborted] = floods;
    reset?.peer.send('R', reset.next, 1);
    aborted?.peer.connection.abort();
    expect(pool.claimed).toBeGreaterThan(2 * 7 * MSS);
    for (const flood of floods) flood.peer.connection.close();
    expect(pool.claimed).toBe(0);
  });

  test('one that was read again gets its window back', () => {
    const pool = new BufferPool(8 * 1024 * 1024);
    const floods = Array.from({ length: 60 }, () => new Flood({ pool }));
    for (let round = 0; round < 100; round += 1) for (const flood of floods) flood.burst(4);
    const [first] = floods;
    expect(first?.peer.connection.info().rcvWnd).toBeLessThan(2 * MSS);
    first?.peer.readAll();
    first?.listen();
    expect(first?.peer.connection.info().rcvWnd).toBeGreaterThanOrEqual(2 * MSS);
    expect(first?.burst(2)).toBe(true);
    first?.peer.readAll();
    for (const flood of floods) flood.peer.readAll();
    first?.burst(2);
    expect(first?.peer.connection.info().rcvWnd).toBeGreaterThan(20 * MSS);
  });

  test('all bytes arrive while it is far too small', () => {
    const pool = new BufferPool(100_000);
    const pairs = Array.from({ length: 10 }, (_, seed) => {
      const pair = new TcpPair({ seed, link: { delayMs: 5 }, server: { pool, paused: true } });
      pair.connect().client.send(Buffer.alloc(300_000, seed), { finish: true });
      return pair;
    });
    for (
      let round = 0;
      round < 20_000 && pairs.some((pair) => pair.server.received < 300_000);
      round += 1
    ) {
      for (const pair of pairs) {
        const until = pair.clock.now() + 20;
        pair.runUntil(() => pair.clock.now() >= until, 20);
        pair.server.readAll();
      }
    }
    for (const { server, client } of pairs) {
      expect(server.received).toBe(300_000);
      expect(server.receivedHash).toBe(client.sentHash);
    }
    expect(pool.claimed).toBe(0);
  });

  test('does not let buffers grow while it is short', () => {
    const pool = new BufferPool(4 * 1024 * 1024);
    const grown = (claimed: number): number => {
      pool.claim(claimed);
      const pair = new TcpPair({ link: { delayMs: 20 }, server: { pool } }).connect();
      pair.client.send(Buffer.alloc(6_000_000), { chunkBytes: 65_536 });
      let widest = 0;
      pair.runUntil(() => {
        widest = Math.max(widest, pair.server.connection.info().rcvWnd);
        return pair.server.received === 6_000_000;
      });
      pool.claim(-claimed);
      expect(pair.server.received).toBe(6_000_000);
      return widest;
    };
    expect(grown(0)).toBeGreaterThan(600_000);
    expect(grown(3.2 * 1024 * 1024)).toBeLessThan(1.05 * 256 * 1024);
  });
});
