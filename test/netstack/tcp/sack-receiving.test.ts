import { describe, expect, test } from 'vitest';
import { MAX_RANGES } from '../../../src/netstack/tcp/reassembly.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { type Extras, ScriptedPeer } from './scripted-peer.ts';

const MSS = 1000;

/** A connection that permits SACK, no longer young; the peer's first byte is 1, what follows 32001. */
function withSack(options: Partial<TcpOptions> & { mtu?: number } = {}, syn: Extras = {}) {
  const peer = new ScriptedPeer({ windowScaling: false, ...options });
  if (options.timestamps !== false) peer.timestamp = 1000;
  peer.connection.connect(peer.now);
  peer.take();
  peer.send('SA', 0, 1, { mss: MSS, sackPermitted: true, ...syn });
  peer.take();
  for (let count = 0; count < 32; count += 1) peer.send('A', 1 + count * MSS, 1, { data: MSS });
  peer.take();
  peer.readAll();
  peer.take();
  return peer;
}

const NEXT = 1 + 32 * MSS;

/** Sends full segments, by number: 0 is the next one in order. */
function segments(peer: ScriptedPeer, ...numbers: number[]): void {
  for (const number of numbers) peer.send('A', NEXT + number * MSS, 1, { data: MSS });
}

/** `from-to` of segments number `first` up to `last`. */
function block(first: number, last: number): string {
  return `${NEXT + first * MSS}-${NEXT + last * MSS}`;
}

describe('negotiation', () => {
  test.each([
    { name: 'both', sack: true, permitted: true, blocks: block(1, 2) },
    { name: 'only the peer', sack: false, permitted: true, blocks: '' },
    { name: 'only we', sack: true, permitted: false, blocks: '' },
  ])('blocks are sent where both sides permit them: $name', ({ sack, permitted, blocks }) => {
    const peer = withSack({ sack }, { sackPermitted: permitted });
    segments(peer, 1);
    expect(peer.take()).toEqual([`A 1/${NEXT}`]);
    expect(peer.sacks).toEqual([blocks]);
  });

  test.each([true, false])('our SYN and SYN-ACK permit it where asked: %s', (sack) => {
    const active = new ScriptedPeer({ sack });
    active.connection.connect(0);
    active.take();
    expect(active.segments[0]?.options.sackPermitted).toBe(sack);
    const passive = new ScriptedPeer({ sack });
    passive.accept({ sackPermitted: true });
    passive.take();
    expect(passive.segments[0]?.options.sackPermitted).toBe(sack);
    const unasked = new ScriptedPeer({ sack });
    unasked.accept({});
    unasked.take();
    expect(unasked.segments[0]?.options.sackPermitted).toBe(false);
  });
});

describe('blocks', () => {
  test('one loss: one block, which grows until the hole is filled', () => {
    const peer = withSack();
    segments(peer, 1);
    peer.take();
    expect(peer.sacks).toEqual([block(1, 2)]);
    segments(peer, 2, 3);
    peer.take();
    expect(peer.sacks).toEqual([block(1, 4), block(1, 4)]);
    segments(peer, 0);
    expect(peer.take()).toEqual([`A 1/${NEXT + 4 * MSS}`]);
    expect(peer.sacks).toEqual(['']);
  });

  test('an acknowledgement of less than what came in order has none: nothing was overtaken', () => {
    const peer = withSack();
    segments(peer, ...Array.from({ length: 18 }, (_, number) => number), 19, 20, 21);
    const acknowledged = [16, 18, 18, 18].map((segment) => `A 1/${NEXT + segment * MSS}`);
    expect(peer.take()).toEqual(acknowledged);
    expect(peer.sacks).toEqual(['', block(19, 22), block(19, 22), block(19, 22)]);
  });

  test('every second segment lost: three blocks beside timestamps, the newest first', () => {
    const peer = withSack();
    for (const number of [1, 3, 5, 7]) {
      segments(peer, number);
      peer.take();
    }
    expect(peer.sacks).toEqual([[block(7, 8), block(5, 6), block(3, 4)].join(' ')]);
    expect(peer.segments[0]?.options.length).toBe(12 + 4 + 3 * 8);
  });

  test('four blocks without timestamps', () => {
    const peer = withSack({ timestamps: false });
    for (const number of [1, 3, 5, 7, 9]) {
      segments(peer, number);
      peer.take();
    }
    const blocks = [block(9, 10), block(7, 8), block(5, 6), block(3, 4)];
    expect(peer.sacks).toEqual([blocks.join(' ')]);
  });

  test('a hole between two blocks is filled: they become one', () => {
    const peer = withSack();
    for (const number of [1, 3, 2]) {
      segments(peer, number);
      peer.take();
    }
    expect(peer.sacks).toEqual([block(1, 4)]);
  });

  test('a part of the hole is filled: the rest is still reported', () => {
    const peer = withSack();
    segments(peer, 2);
    peer.take();
    segments(peer, 0);
    expect(peer.take()).toEqual([`A 1/${NEXT + MSS}`]);
    expect(peer.sacks).toEqual([block(2, 3)]);
  });

  test('a FIN ahead of a gap takes no place in a block', () => {
    const peer = withSack();
    peer.send('FA', NEXT + MSS, 1, { data: MSS });
    peer.take();
    expect(peer.sacks.at(-1)).toBe(block(1, 2));
    segments(peer, 0);
    expect(peer.take()).toEqual([`A 1/${NEXT + 2 * MSS + 1}`]);
    expect(peer.state).toBe('CLOSE-WAIT');
  });

  test('what finds no room is not reported', () => {
    const peer = withSack();
    for (let at = 1; at < 3000; at += 2) {
      peer.send('A', NEXT + at, 1, { data: 1 });
      peer.take();
    }
    const tops = peer.sacks.flatMap((text) => text.split(' ').map((said) => said.split('-')[1]));
    expect(Math.max(...tops.map(Number))).toBe(NEXT + 2 * MAX_RANGES);
  });

  test('none beside a RST or a SYN', () => {
    const peer = withSack();
    segments(peer, 1);
    peer.connection.abort();
    expect(peer.take()).toEqual([`RA 1/${NEXT}`]);
    expect(peer.sacks).toEqual(['']);
  });
});

describe('data with blocks', () => {
  /** A connection that has as much to send as it may, with a hole in what it receives. */
  function busy(bytes: number): ScriptedPeer {
    const peer = withSack({ mtu: 1040, noDelay: true });
    for (const number of [1, 3, 5]) segments(peer, number);
    peer.take();
    peer.connection.write(Buffer.alloc(bytes));
    return peer;
  }

  test.each([
    { name: 'a full segment', bytes: MSS - 12, blocks: 0 },
    { name: 'too little room for one', bytes: MSS - 12 - 11, blocks: 0 },
    { name: 'room for one', bytes: MSS - 12 - 12, blocks: 1 },
    { name: 'room for two', bytes: MSS - 12 - 20, blocks: 2 },
    { name: 'room for all', bytes: 100, blocks: 3 },
  ])('as many as fit beside the payload: $name', ({ bytes, blocks }) => {
    const peer = busy(bytes);
    expect(peer.takeNow()).toEqual([`A 1/${NEXT} +${bytes}`]);
    const [segment] = peer.segments;
    expect(segment?.options.sackBlocks).toBe(blocks);
    const packetBytes = 20 + (segment?.headerBytes ?? 0) + bytes;
    expect(packetBytes).toBeLessThanOrEqual(1040);
  });

  test('no packet exceeds the MTU, and acknowledgements are not lost behind full segments', () => {
    const peer = withSack({ mtu: 1040 });
    peer.connection.write(Buffer.alloc(5 * (MSS - 12)));
    segments(peer, 1, 3);
    expect(peer.take().slice(0, 2)).toEqual([`A 1/${NEXT}`, `A 1/${NEXT}`]);
    expect(peer.sacks.slice(0, 2)).toEqual([
      `${block(3, 4)} ${block(1, 2)}`,
      `${block(3, 4)} ${block(1, 2)}`,
    ]);
    for (const segment of peer.segments) {
      expect(20 + segment.headerBytes + segment.payloadLength).toBeLessThanOrEqual(1040);
    }
  });
});

describe('what comes twice', () => {
  test.each([
    { name: 'the segment before', from: -1, length: MSS, said: block(-1, 0) },
    { name: 'long ago', from: -20, length: MSS, said: block(-20, -19) },
    {
      name: 'the end of it is new',
      from: -1,
      length: 1500,
      said: block(-1, 0),
      acknowledged: NEXT + 500,
    },
    { name: 'before the first byte', from: -40, length: MSS, said: '' },
  ])('below the window: $name', ({ from, length, said, acknowledged = NEXT }) => {
    const peer = withSack();
    peer.send('A', NEXT + from * MSS, 1, { data: length });
    expect(peer.take()).toEqual([`A 1/${acknowledged}`]);
    expect(peer.sacks).toEqual([said]);
    peer.send('A', NEXT + from * MSS, 1, { data: 0 });
    segments(peer, 5);
    peer.take();
    expect(peer.sacks.at(-1)).toBe(block(5, 6));
  });

  test('ahead of a gap: the duplicate, then the block that it is part of', () => {
    const peer = withSack();
    segments(peer, 1, 2, 3);
    peer.take();
    segments(peer, 2);
    expect(peer.take()).toEqual([`A 1/${NEXT}`]);
    expect(peer.sacks).toEqual([`${block(2, 3)} ${block(1, 4)}`]);
  });

  test('a segment that fills the hole and reaches into the block', () => {
    const peer = withSack();
    peer.send('A', NEXT + 500, 1, { data: 500 });
    peer.take();
    segments(peer, 0);
    expect(peer.take()).toEqual([`A 1/${NEXT + MSS}`]);
    expect(peer.sacks).toEqual([`${NEXT + 500}-${NEXT + MSS}`]);
  });

  test('a whole window again: each segment is reported, neighbours together', () => {
    const peer = withSack();
    segments(peer, -4, -3, -2, -1);
    const acks = peer.take();
    expect(acks.length).toBeGreaterThanOrEqual(3);
    expect(new Set(acks)).toEqual(new Set([`A 1/${NEXT}`]));
    expect(peer.sacks[0]).toBe(block(-4, 0));
  });

  test('behind the window: answered, and nothing was taken', () => {
    const peer = withSack();
    const edge = NEXT + peer.connection.info().rcvWnd;
    peer.send('A', edge, 1, { data: MSS });
    expect(peer.take()).toEqual([`A 1/${NEXT}`]);
    expect(peer.sacks).toEqual(['']);
    expect(peer.connection.info().aheadOfGap).toBe(0);
  });

  test('data repeated after the FIN', () => {
    const peer = withSack();
    peer.send('FA', NEXT, 1, { data: MSS });
    peer.take();
    peer.send('FA', NEXT, 1, { data: MSS });
    expect(peer.take()).toEqual([`A 1/${NEXT + MSS + 1}`]);
    expect(peer.sacks).toEqual([block(0, 1)]);
  });
});

describe('a sender without RACK', () => {
  /** Duplicate acknowledgements of one burst in which the first of so many segments is lost. */
  function reports(count: number): { duplicates: number; firstLossAt: number } {
    const peer = withSack();
    for (let number = 1; number <= count; number += 1) segments(peer, number);
    const duplicates = peer.take().filter((text) => text === `A 1/${NEXT}`).length;
    // RFC 6675 §4, IsLost: more than (DupThresh - 1) full segments above the hole are reported.
    const bytes = peer.sacks.map((text) => {
      const [from = 0, to = 0] = text.split('-').map(Number);
      return to - from;
    });
    return { duplicates, firstLossAt: bytes.findIndex((known) => known > 2 * MSS) };
  }

  test.each([
    { count: 1, duplicates: 1, firstLossAt: -1 },
    { count: 2, duplicates: 2, firstLossAt: -1 },
    { count: 3, duplicates: 3, firstLossAt: 0 },
    { count: 4, duplicates: 4, firstLossAt: 0 },
    { count: 10, duplicates: 7, firstLossAt: 0 },
    { count: 21, duplicates: 12, firstLossAt: 0 },
  ])('hears of a loss before $count segments', ({ count, duplicates, firstLossAt }) => {
    expect(reports(count)).toEqual({ duplicates, firstLossAt });
  });

  test('that knows no SACK gets one duplicate for each segment', () => {
    const peer = withSack({}, { sackPermitted: false });
    for (let number = 1; number <= 21; number += 1) segments(peer, number);
    expect(peer.take()).toEqual(new Array(21).fill(`A 1/${NEXT}`));
  });
});
