import { describe, expect, test } from 'vitest';
import { MAX_RANGES } from '../../../src/netstack/tcp/reassembly.ts';
import { buildSegment, ScriptedPeer } from './scripted-peer.ts';
import { IP_HEADER_BYTES } from './tcp-pair.ts';

const PACKETS = 10_000;
const PACKETS_PER_MS = 10;
/** Half of a core at 10,000 packets a second. */
const MAX_MICROSECONDS = 50;

function open(): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false });
  peer.connection.connect(0);
  peer.take();
  peer.send('SA', 0, 1, { mss: 1000, windowScale: 0, sackPermitted: true });
  peer.take();
  // The window opens when something comes.
  peer.send('A', 1, 1, { data: 1000 });
  peer.take();
  return peer;
}

const NEXT = 1001;

describe('a flood of single bytes ahead of a gap, 10,000 a second', () => {
  test.each([
    { name: 'one after the other', place: (turn: number) => 1 + turn },
    { name: 'from the last to the first', place: (turn: number) => 20_000 - turn },
    { name: 'every second byte', place: (turn: number) => 1 + 2 * turn },
    { name: 'every second byte, backwards', place: (turn: number) => 40_000 - 2 * turn },
    { name: 'scattered', place: (turn: number) => 1 + ((turn * 7919) % 60_000) },
    { name: 'the same byte', place: () => 5 },
    { name: 'holes that are filled at once', place: (turn: number) => 1 + (turn ^ 1) },
  ])('costs less than half of a core, and a bounded amount of memory: $name', ({ place }) => {
    const peer = open();
    const packets = Array.from({ length: PACKETS }, (_, turn) =>
      buildSegment('A', 0x7fff_fff0 + NEXT + place(turn), 0xffff_fff1, { data: 1 }),
    );
    const { connection } = peer;
    let answers = 0;
    const began = process.cpuUsage();
    for (const [turn, packet] of packets.entries()) {
      peer.now += turn % PACKETS_PER_MS === 0 ? 1 : 0;
      connection.fromBelow(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES, peer.now);
      if (turn % PACKETS_PER_MS > 0) continue;
      connection.endOfBurst(peer.now);
      while (connection.takeDown(peer.now) !== undefined) answers += 1;
    }
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / PACKETS).toBeLessThan(MAX_MICROSECONDS);
    expect(answers).toBeLessThanOrEqual(0.8 * PACKETS);
    expect(connection.info().aheadOfGap).toBeLessThanOrEqual(2 * 256 * 1024);
    // What is in order is taken whatever was held, and with it what follows.
    peer.send('A', NEXT, 1, { data: 1 });
    peer.take();
    expect(peer.readAll().length).toBeGreaterThan(1000);
  });

  test('a segment that joins as many ranges as there may be costs no more than they did', () => {
    const peer = open();
    let spent = 0;
    for (let round = 0; round < 40; round += 1) {
      const start = NEXT + 1 + round * 1000;
      for (let range = 0; range < MAX_RANGES - 1; range += 1) {
        peer.send('A', start + 2 * range, 1, { data: 1 });
      }
      const began = performance.now();
      peer.send('A', NEXT + round * 1000, 1, { data: 1000 });
      spent += performance.now() - began;
      peer.take();
      peer.readAll();
      peer.take();
    }
    expect(peer.connection.info().bytesReceived).toBe(1000 + 40 * 1000);
    // In the square of the ranges it would be many times that.
    expect(spent / 40).toBeLessThan(5);
  });
});
