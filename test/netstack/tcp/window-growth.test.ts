import { describe, expect, test } from 'vitest';
import type { Millis } from '../../../src/core/machine.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const MSS = 8000;
const ROUND_TRIP_MS: Millis = 100;
/** 1 Gbit/s. */
const BYTES_PER_MS = 125_000;
const FULL_WINDOW = 8 * 1024 * 1024;
const SHIFT = 8;

interface Growth {
  /** The widest window told by the end of each round trip. */
  readonly windows: number[];
  /** The most that the peer could have had in flight where only its slow start held it back. */
  readonly slowStart: number[];
}

/**
 * A peer in slow start at 1 Gbit/s: each round trip it sends twice what it sent before, as far as
 * the window goes that it knows of, which is one way old.
 */
function download(rounds: number, options: Partial<TcpOptions>): Growth {
  const peer = new ScriptedPeer({ mtu: 9000, ...options });
  if (options.timestamps !== false) peer.timestamp = 1;
  peer.connection.connect(0);
  peer.take();
  peer.now = ROUND_TRIP_MS;
  peer.send('SA', 0, 1, { mss: MSS, windowScale: 8 });
  peer.take();
  let next = 1;
  let allowed = 65_535;
  let cwnd = 10 * MSS;
  const told: { at: Millis; edge: number; echo: number }[] = [];
  const windows: number[] = [];
  const slowStart: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = peer.now;
    slowStart.push(cwnd);
    let left = cwnd;
    let widest = 0;
    // Everything that was told a round trip ago is known; bursts of 1 ms.
    for (let step = 0; step < ROUND_TRIP_MS; step += 1) {
      peer.now = started + step;
      for (const { at, edge } of told)
        if (at + ROUND_TRIP_MS <= peer.now) allowed = Math.max(allowed, edge);
      let room = BYTES_PER_MS;
      if (peer.timestamp !== undefined) peer.timestamp = peer.now;
      while (room > 0 && left >= MSS && next + MSS <= 1 + allowed) {
        peer.send('A', next, 1, { data: MSS, ...echoOf(peer, told) });
        next += MSS;
        left -= MSS;
        room -= MSS;
      }
      peer.take();
      for (const { acknowledgment, window, options: said } of peer.segments) {
        const edge = ((acknowledgment - 0x7fff_fff1) >>> 0) + (window << SHIFT);
        told.push({ at: peer.now, edge, echo: said.timestamp });
        widest = Math.max(widest, window << SHIFT);
      }
      peer.readAll();
      peer.take();
    }
    windows.push(Math.max(widest, windows.at(-1) ?? 0));
    cwnd *= 2;
    peer.now = started + ROUND_TRIP_MS;
  }
  return { windows, slowStart };
}

/** The peer echoes what it got a round trip ago. */
function echoOf(peer: ScriptedPeer, told: { at: Millis; echo: number }[]) {
  if (peer.timestamp === undefined) return {};
  const known = told.filter(({ at }) => at + ROUND_TRIP_MS <= peer.now).at(-1);
  return { timestamps: [peer.now, known?.echo ?? 7] as const };
}

describe('the receive window at 100 ms and 1 Gbit/s', () => {
  test.each([
    { name: 'with timestamps', timestamps: true },
    { name: 'without', timestamps: false },
  ])('grows ahead of slow start to 8 MiB: $name', ({ timestamps }) => {
    const { windows, slowStart } = download(12, { timestamps });
    // What a burst leaves unread while it is acknowledged is not offered.
    const reached = windows.findIndex((window) => window >= 0.96 * FULL_WINDOW);
    const needed = slowStart.findIndex((bytes) => bytes >= FULL_WINDOW);
    expect(reached).toBeGreaterThan(0);
    expect(reached).toBeLessThanOrEqual(needed);
    // Doubling from 256 KiB takes five round trips after the first; slow start is never held back by more.
    expect(reached).toBe(5);
  });
});
