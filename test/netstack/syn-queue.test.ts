import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { MAX_HALF_OPEN } from '../../src/netstack/syn-queue.ts';
import { TcpConnection } from '../../src/netstack/tcp/connection.ts';
import { Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { address } from '../sim/netstack-pair.ts';
import { OURS, Port, THEIRS } from './tcp/listener-port.ts';
import { buildSegment, type Extras } from './tcp/scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp/tcp-pair.ts';

describe('SynQueue', () => {
  test('sends the SYN-ACK again after 1, 3, 7 and 15 s, and forgets after 31', () => {
    const port = new Port();
    port.knock(1);
    port.takeSent();
    const at: number[] = [];
    for (let now = 0; now < 40_000; now += 100) {
      port.pass(100);
      if (port.takeSent().length > 0) at.push(port.now);
    }
    expect(at).toEqual([1000, 3000, 7000, 15_000]);
    expect(port.callers.size).toBe(0);
    expect(port.callers.bytes).toBe(0);
    expect(port.callers.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<{
    name: string;
    segment: [string, number, number, Extras?];
    sent: string[];
    left: number;
    drop: Drop;
  }>([
    {
      name: 'the SYN again',
      segment: ['S', 0, 0],
      sent: ['1 SA 0/1'],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    {
      name: 'a SYN before the window',
      segment: ['S', -5, 0],
      sent: ['1 A 1/1'],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    { name: 'a SYN in the window', segment: ['S', 5, 0], sent: [], left: 0, drop: Drop.UNEXPECTED },
    { name: 'an exact RST', segment: ['R', 1, 0], sent: [], left: 0, drop: Drop.NONE },
    {
      name: 'a RST in the window',
      segment: ['R', 2, 0],
      sent: ['1 A 1/1'],
      left: 1,
      drop: Drop.UNEXPECTED,
    },
    {
      name: 'a RST before the window',
      segment: ['R', 0, 0],
      sent: [],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    {
      name: 'a RST behind the window',
      segment: ['R', 65_537, 0],
      sent: [],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    { name: 'no flags', segment: ['', 1, 0], sent: [], left: 1, drop: Drop.UNEXPECTED },
    { name: 'a FIN alone', segment: ['F', 1, 0], sent: [], left: 1, drop: Drop.UNEXPECTED },
    { name: 'an old ACK', segment: ['A', 1, 0], sent: [], left: 1, drop: Drop.NO_SOCKET },
    { name: 'an ACK too far', segment: ['A', 1, 2], sent: [], left: 1, drop: Drop.NO_SOCKET },
    {
      name: 'data before the window',
      segment: ['A', -9, 1, { data: 5 }],
      sent: ['1 A 1/1'],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    {
      name: 'data behind the window',
      segment: ['A', 70_000, 1, { data: 5 }],
      sent: ['1 A 1/1'],
      left: 1,
      drop: Drop.OUT_OF_WINDOW,
    },
    { name: 'later data', segment: ['A', 9, 1, { data: 5 }], sent: [], left: 0, drop: Drop.NONE },
  ])('$name', ({ segment: [flags, sequence, ack, extras], sent, left, drop }) => {
    const port = new Port();
    port.knock(1);
    port.takeSent();
    port.pass(600);
    expect(port.feed(1, flags, sequence, ack, extras)).toBe(drop);
    expect(port.takeSent()).toEqual(sent);
    expect(port.callers.size).toBe(left);
  });

  test('answers one caller no more than twice a second', () => {
    const port = new Port();
    port.knock(1);
    for (let sent = 0; sent < 1000; sent += 1) {
      port.now += 0.9;
      port.feed(1, 'S', sent % 2 === 0 ? 0 : -7, 0);
    }
    expect(port.takeSent().length).toBeLessThanOrEqual(2);
  });

  test('with timestamps, segments without or with old ones do not end the handshake', () => {
    const port = new Port();
    port.knock(1, 'S', { timestamps: [100, 0] });
    expect(port.feed(1, 'A', 1, 1)).toBe(Drop.UNEXPECTED);
    expect(port.feed(1, 'A', 1, 1, { timestamps: [99, 0] })).toBe(Drop.OUT_OF_WINDOW);
    expect(port.announced).toBe(0);
    expect(port.feed(1, 'A', 1, 1, { timestamps: [100, 0] })).toBe(Drop.NONE);
    expect(port.announced).toBe(1);
  });

  test('timestamps that we do not agree to are not asked for', () => {
    const port = new Port(undefined, { timestamps: false });
    port.knock(1, 'S', { timestamps: [100, 0] });
    expect(port.lastSegment.options.hasTimestamps).toBe(false);
    expect(port.finish(1)).toBe(Drop.NONE);
    expect(port.announced).toBe(1);
  });

  test.each([
    { ecn: true, syn: 0xc2, answer: 0x52 },
    { ecn: true, syn: 0x02, answer: 0x12 },
    { ecn: true, syn: 0x42, answer: 0x12 },
    { ecn: false, syn: 0xc2, answer: 0x12 },
  ])('congestion notification, ours $ecn, flags $syn: $answer', ({ ecn, syn, answer }) => {
    const port = new Port(undefined, { ecn });
    const packet = buildSegment('S', THEIRS, 0);
    packet.writeUInt8(syn, IP_HEADER_BYTES + 13);
    packet.writeUInt16BE(0, IP_HEADER_BYTES + 16);
    sealSegment(packet, IP_HEADER_BYTES, PSEUDO_HEADER_SUM);
    const length = packet.length - IP_HEADER_BYTES;
    port.listener.fromBelow(packet, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM, port.key(1), 0);
    expect(port.lastSegment.flags).toBe(answer);
  });

  test.each<{ name: string; extras: Extras }>([
    { name: 'nothing', extras: {} },
    { name: 'all', extras: { mss: 1200, windowScale: 5, timestamps: [77, 0] } },
    { name: 'a small MSS', extras: { mss: 10, windowScale: 14 } },
  ])('says what a connection would say, and hands on what the SYN said: $name', ({ extras }) => {
    const port = new Port();
    port.now = 12_345.678;
    const lone = new TcpConnection(testPath(), quietEvents(), {
      initialSequence: OURS,
      timestampOffset: 0,
    });
    lone.accept(buildSegment('S', THEIRS, 0, extras), IP_HEADER_BYTES, port.now);
    const expected = read(lone.takeDown(port.now));
    port.knock(1, 'S', extras);
    port.takeSent();
    expect(port.lastSegment).toEqual({ ...expected, sourcePort: 80, destinationPort: 1 });
    port.now += 250;
    const timestamps = extras.timestamps === undefined ? {} : { timestamps: [90, 12_345] as const };
    port.finish(1, timestamps);
    const { mss, rtoMs, srttMs, sndWnd } = port.connections.get(1)?.info() ?? {};
    const ack = buildSegment('A', THEIRS + 1, OURS + 1, timestamps);
    lone.fromBelow(ack, IP_HEADER_BYTES, ack.length - IP_HEADER_BYTES, port.now);
    expect({ mss, sndWnd }).toEqual({ mss: lone.info().mss, sndWnd: lone.info().sndWnd });
    expect(rtoMs).toBeCloseTo(lone.info().rtoMs, 1);
    expect(srttMs).toBeCloseTo(250, 0);
  });

  test('a handshake that was repeated begins as one of a connection does', () => {
    const port = new Port();
    port.knock(1);
    port.pass(1000);
    port.finish(1);
    expect(port.connections.get(1)?.info()).toMatchObject({ timeouts: 1, rtoMs: 3000 });
  });

  test('the oldest makes room, in memory that is bounded and given back', () => {
    const port = new Port();
    for (let caller = 1; caller <= 65_535; caller += 1) port.knock(caller);
    port.takeSent();
    expect(port.callers.size).toBe(MAX_HALF_OPEN);
    expect(port.callers.bytes / MAX_HALF_OPEN).toBeLessThanOrEqual(128);
    expect(port.finish(1)).toBe(Drop.NO_SOCKET);
    expect(port.finish(65_535)).toBe(Drop.NONE);
    port.pass(1000);
    expect(port.takeSent()).toEqual([]);
    port.pass(60_000);
    expect(port.callers.bytes).toBe(0);
  });

  test('forgets the callers of a port, or of one address of it', () => {
    const port = new Port();
    port.knock(1);
    port.callers.forget(81, undefined);
    port.callers.forget(80, address('10.8.0.9'));
    expect(port.callers.size).toBe(1);
    port.callers.forget(80, address('10.8.0.1'));
    expect(port.callers.size).toBe(0);
  });
});

function quietEvents() {
  return { connected() {}, readable() {}, writable() {}, closed() {} };
}

function read(packet: Buffer = Buffer.alloc(0)): Segment {
  const segment = new Segment();
  segment.read(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES);
  return segment;
}
