import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { established, LOCAL_ISN, ScriptedPeer } from './scripted-peer.ts';

/** Bytes of payload of what is sent in `duration`, and acknowledges it up to `reach` bytes each. */
function mssOf(peer: ScriptedPeer): number {
  return peer.connection.info().mss;
}

const WIDE = { mtu: 1500 } as const;

function wide(): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false, sack: false, ...WIDE });
  peer.connection.connect(0);
  peer.take();
  peer.send('SA', 0, 1, { mss: 1460 });
  peer.take();
  return peer;
}

describe('packet too big', () => {
  test.each([
    { name: 'smaller than what is in flight', mtu: 1300, quoted: 1, mss: 1260 },
    { name: 'below the floor', mtu: 68, quoted: 1, mss: 536 },
    { name: 'not smaller', mtu: 1500, quoted: 1, mss: 1460 },
    { name: 'of what was not sent', mtu: 1300, quoted: 5000, mss: 1460 },
    { name: 'of what was acknowledged', mtu: 1300, quoted: -50, mss: 1460 },
    { name: 'of a segment that was short', mtu: 600, quoted: 2925, mss: 1460 },
  ])('$name: $mss', ({ mtu, quoted, mss }) => {
    const peer = wide();
    peer.connection.setNoDelay(true);
    peer.connection.write(Buffer.alloc(2 * 1460 + 100));
    expect(peer.take().length).toBe(3);
    peer.connection.pathMtu(mtu, serialAdd(LOCAL_ISN, quoted), 0);
    expect(mssOf(peer)).toBe(mss);
  });

  test('after ten minutes a full segment is tried again', () => {
    const peer = wide();
    peer.connection.write(Buffer.alloc(1460));
    peer.take();
    peer.connection.pathMtu(1300, serialAdd(LOCAL_ISN, 1), 0);
    expect(peer.take()).toEqual(['A 1/1 +1260', 'A 1261/1 +200']);
    peer.send('A', 1, 1461);
    peer.now = 599_000;
    peer.take();
    expect(mssOf(peer)).toBe(1260);
    peer.now = 600_000;
    peer.connection.write(Buffer.alloc(1460));
    expect(peer.take()).toEqual(['A 1461/1 +1460']);
  });
});

describe('a path that swallows full segments', () => {
  /** Lets time pass; only packets up to `limit` bytes of payload get through. */
  function pass(peer: ScriptedPeer, limit: number, duration: number): void {
    const end = peer.now + duration;
    let acknowledged = 1;
    const arrived = (texts: readonly string[]) => {
      for (const text of texts) {
        const [, sequence = '', length = ''] = /A (\d+)\/1 \+(\d+)/.exec(text) ?? [];
        const from = Number(sequence);
        if (length === '' || Number(length) > limit || from > acknowledged) continue;
        acknowledged = Math.max(acknowledged, from + Number(length));
      }
      if (acknowledged > 1) peer.send('A', 1, acknowledged);
    };
    arrived(peer.take());
    while (peer.now < end) {
      const sent = peer.pass(Math.min(10, end - peer.now));
      arrived(sent);
      for (let more = peer.take(); more.length > 0; more = peer.take()) arrived(more);
    }
  }

  test.each([
    { limit: 1300, mss: 1220 },
    { limit: 600, mss: 536 },
  ])('of more than $limit bytes is got through with $mss', ({ limit, mss }) => {
    const peer = wide();
    peer.connection.write(Buffer.alloc(20_000));
    pass(peer, limit, 20_000);
    expect(peer.connection.info()).toMatchObject({ mss, unacknowledged: 0 });
  });

  test('is doubted after a minute', () => {
    const peer = wide();
    peer.connection.write(Buffer.alloc(20_000));
    pass(peer, 1300, 20_000);
    peer.now += 60_000;
    peer.take();
    expect(mssOf(peer)).toBe(1460);
  });

  test('short segments that get no answer are no reason', () => {
    const peer = established();
    peer.connection.write(Buffer.alloc(100));
    peer.take();
    peer.pass(10_000);
    expect(mssOf(peer)).toBe(1000);
  });
});
