import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { Timestamps } from '../../../src/netstack/tcp/timestamps.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

describe('Timestamps', () => {
  test('its clock ticks every millisecond, from an offset, around the wrap', () => {
    const timestamps = new Timestamps(0xffff_fffe);
    expect([0, 0.9, 1, 2, 1002].map((now) => timestamps.value(now))).toEqual([
      0xffff_fffe, 0xffff_fffe, 0xffff_ffff, 0, 1000,
    ]);
    expect(timestamps.roundTrip(0xffff_ffff, 41)).toBe(40);
    expect(timestamps.roundTrip(100, 41)).toBeLessThan(0);
  });

  test.each([
    { name: 'the same', recent: 1000, value: 1000, after: 0, old: false },
    { name: 'one before', recent: 1000, value: 999, after: 0, old: true },
    { name: 'half a turn before', recent: 1000, value: 1000 + 2 ** 31, after: 0, old: true },
    {
      name: 'less than half a turn later',
      recent: 1000,
      value: 999 + 2 ** 31,
      after: 0,
      old: false,
    },
    { name: 'later, around the wrap', recent: 0xffff_fff0, value: 5, after: 0, old: false },
    { name: 'before, after 23 days', recent: 1000, value: 999, after: 23 * DAY_MS, old: true },
    { name: 'before, after 24 days', recent: 1000, value: 999, after: 24 * DAY_MS, old: false },
  ])('isOld: $name', ({ recent, value, after, old }) => {
    const timestamps = new Timestamps(0);
    timestamps.keep(recent, 500);
    expect(timestamps.isOld(value >>> 0, 500 + after)).toBe(old);
  });
});

/** A connection with timestamps; the peer's clock stands at 1000, its next byte is 1. */
function stamped(timestamps = true): ScriptedPeer {
  const peer = new ScriptedPeer({ windowScaling: false });
  if (timestamps) peer.timestamp = 1000;
  peer.connection.connect(0);
  peer.take();
  peer.send('SA', 0, 1, { mss: MSS });
  peer.take();
  return peer;
}

/** Sends a segment at the peer's time `timestamp`; what our next answer echoes. */
function echoAfter(peer: ScriptedPeer, timestamp: number, sequence: number, data: number): number {
  peer.timestamp = timestamp;
  peer.send('A', sequence, 1, { data });
  if (peer.take().length === 0) peer.pass(40);
  return peer.segments.at(-1)?.options.echo ?? -1;
}

describe('the timestamp that is echoed (RFC 7323 §4.3)', () => {
  test('is that of the last segment in order', () => {
    const peer = stamped();
    expect(echoAfter(peer, 1010, 1, 10)).toBe(1010);
    expect(echoAfter(peer, 1020, 11, 10)).toBe(1020);
  });

  test('is that of the segment that fills the hole, not of those ahead of it', () => {
    const peer = stamped();
    expect(echoAfter(peer, 1010, 11, 10)).toBe(1000);
    expect(echoAfter(peer, 1020, 21, 10)).toBe(1000);
    expect(echoAfter(peer, 1030, 1, 10)).toBe(1030);
    expect(echoAfter(peer, 1040, 31, 10)).toBe(1040);
  });

  test('is the earliest of a burst that one acknowledgement answers', () => {
    const peer = stamped();
    for (let count = 0; count < 40; count += 1) {
      peer.timestamp = 1010 + count;
      peer.send('A', 1 + count * 10, 1, { data: 10 });
    }
    peer.take();
    expect(peer.segments.at(-1)?.options.echo).toBe(1010);
    expect(echoAfter(peer, 1100, 401, 10)).toBe(1100);
  });

  test('is kept from an empty segment at the edge, and from one that repeats', () => {
    const peer = stamped();
    expect(echoAfter(peer, 1010, 1, 10)).toBe(1010);
    peer.timestamp = 1030;
    peer.send('A', 11, 1);
    expect(echoAfter(peer, 1020 + 10, 1, 10)).toBe(1030);
    expect(echoAfter(peer, 1050, 6, 10)).toBe(1050);
  });

  test('is never that of a segment out of the window', () => {
    const peer = stamped();
    peer.timestamp = 1010;
    expect(peer.send('A', 100_001, 1, { data: 10 })).toBe(Drop.OUT_OF_WINDOW);
    peer.take();
    expect(peer.segments[0]?.options.echo).toBe(1000);
  });

  test('is zero in our SYN, and nothing is kept of a SYN-ACK without timestamps', () => {
    const peer = new ScriptedPeer();
    peer.connection.connect(0);
    peer.take();
    expect(peer.segments[0]?.options).toMatchObject({ hasTimestamps: true, echo: 0 });
    peer.send('SA', 0, 1, { mss: MSS });
    peer.take();
    expect(peer.segments[0]?.options.hasTimestamps).toBe(false);
    peer.send('A', 1, 1, { data: 10, timestamps: [77, 1] });
    peer.take();
    expect(peer.segments[0]?.options.hasTimestamps).toBe(false);
    expect(peer.readAll()).toHaveLength(10);
  });
});

describe('protection against wrapped sequences (RFC 7323 §5)', () => {
  test('old data, an old FIN and an old empty segment are refused and answered', () => {
    const peer = stamped();
    echoAfter(peer, 1010, 1, 10);
    peer.timestamp = 1009;
    for (const flags of ['A', 'FA']) {
      expect(peer.send(flags, 11, 1, { data: 10 })).toBe(Drop.OUT_OF_WINDOW);
      expect(peer.take()).toEqual(['A 1/11']);
      expect(peer.segments[0]?.options.echo).toBe(1010);
    }
    expect(peer.send('A', 11, 1)).toBe(Drop.OUT_OF_WINDOW);
    expect(peer.state).toBe('ESTABLISHED');
    expect(peer.readAll()).toHaveLength(10);
  });

  test('an old acknowledgement acknowledges nothing', () => {
    const peer = stamped();
    echoAfter(peer, 1010, 1, 10);
    peer.connection.write(Buffer.alloc(100));
    peer.take();
    peer.timestamp = 1009;
    peer.send('A', 11, 101);
    expect(peer.connection.info().unacknowledged).toBe(100);
    peer.timestamp = 1010;
    peer.send('A', 11, 101);
    expect(peer.connection.info().unacknowledged).toBe(0);
  });

  test('a RST is believed whatever its timestamp, a SYN is not', () => {
    const peer = stamped();
    echoAfter(peer, 1010, 1, 10);
    peer.timestamp = 5;
    peer.send('S', 11, 0);
    expect(peer.state).toBe('ESTABLISHED');
    peer.send('R', 11, 0);
    expect(peer.state).toBe('CLOSED');
  });

  test('our RST carries timestamps', () => {
    const peer = stamped();
    peer.connection.abort();
    expect(peer.take()).toEqual(['RA 1/1']);
    expect(peer.segments[0]?.options).toMatchObject({ hasTimestamps: true, echo: 1000 });
  });

  test('after 24 days of silence any timestamp counts, and from then on its successors only', () => {
    const peer = stamped();
    echoAfter(peer, 0x7000_0000, 1, 10);
    peer.now += 24 * DAY_MS;
    expect(echoAfter(peer, 5, 11, 10)).toBe(5);
    peer.timestamp = 4;
    expect(peer.send('A', 21, 1, { data: 10 })).toBe(Drop.OUT_OF_WINDOW);
    expect(echoAfter(peer, 6, 21, 10)).toBe(6);
  });

  test('where no timestamps were agreed, none is looked at', () => {
    const peer = stamped(false);
    peer.send('A', 1, 1, { data: 10, timestamps: [1000, 0] });
    expect(peer.send('A', 11, 1, { data: 10, timestamps: [1, 0] })).toBe(Drop.NONE);
    expect(peer.readAll()).toHaveLength(20);
  });
});
