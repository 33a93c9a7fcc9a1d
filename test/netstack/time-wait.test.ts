import { describe, expect, test } from 'vitest';
import { Drop, type Millis } from '../../src/core/machine.ts';
import { serialAdd, serialDiff } from '../../src/core/serial.ts';
import { FlowKey } from '../../src/netstack/flow-key.ts';
import { IpHeader } from '../../src/netstack/ip-header.ts';
import { incomingPseudoSum } from '../../src/netstack/pseudo-header.ts';
import type { PacketSource } from '../../src/netstack/round-robin.ts';
import { Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { MAX_TIME_WAITS, TimeWaits } from '../../src/netstack/time-wait.ts';
import { address } from '../sim/netstack-pair.ts';
import { buildSegment, type Extras } from './tcp/scripted-peer.ts';
import { IP_HEADER_BYTES } from './tcp/tcp-pair.ts';

/** What the connections sent and received last ends before these. */
const SND_NXT = 0xffff_fffe;
const RCV_NXT = 0x7fff_fffe;
const LENGTH_MS = 60_000;

/** One tuple at rest, and what was answered. */
class Rest {
  readonly waits: TimeWaits;
  readonly sent: string[] = [];
  now: Millis = 1000.5;

  constructor(timestamps: number | undefined = undefined) {
    this.waits = new TimeWaits(1, LENGTH_MS, (source) => this.#send(source));
    this.add(1, timestamps);
  }

  add(port: number, timestamps: number | undefined = undefined): void {
    const resting = {
      sndNxt: SND_NXT,
      rcvNxt: RCV_NXT,
      timestampsAgreed: timestamps !== undefined,
      recentTimestamp: timestamps ?? 0,
      timestampOffset: 500,
    };
    this.waits.add(key(port), resting, this.now);
  }

  feed(flags: string, sequence: number, ack: number, extras: Extras = {}): Drop | undefined {
    const packet = buildSegment(
      flags,
      serialAdd(RCV_NXT, sequence),
      serialAdd(SND_NXT, ack),
      extras,
    );
    return this.feedPacket(packet);
  }

  feedPacket(packet: Buffer, sealed = true): Drop | undefined {
    const header = headerOf(packet);
    const bytes = Buffer.from(packet);
    bytes.writeUInt16BE(0, IP_HEADER_BYTES + 16);
    if (sealed) sealSegment(bytes, IP_HEADER_BYTES, incomingPseudoSum(header, 6));
    return this.waits.fromBelow(key(1), bytes, header, this.now);
  }

  takeSent(): string[] {
    return this.sent.splice(0);
  }

  #send(source: PacketSource): void {
    const segment = new Segment();
    for (let packet = source.takeDown(this.now); packet; packet = source.takeDown(this.now)) {
      segment.read(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES);
      const numbers = `${serialDiff(segment.sequence, SND_NXT)}/${serialDiff(segment.acknowledgment, RCV_NXT)}`;
      const { hasTimestamps, timestamp, echo } = segment.options;
      const stamps = hasTimestamps ? ` ts ${timestamp} ${echo}` : '';
      this.sent.push(`${segment.flags === 0x10 ? 'A' : '?'} ${numbers}${stamps}`);
    }
  }
}

function key(port: number): FlowKey {
  return new FlowKey().readTuple({
    localAddress: address('10.8.0.1'),
    localPort: 80,
    remoteAddress: address('10.8.0.2'),
    remotePort: port,
  });
}

function headerOf(packet: Buffer): IpHeader {
  const header = new IpHeader();
  const [from, to] = [address('10.8.0.2'), address('10.8.0.1')];
  Object.assign(header, {
    source2: from.word2,
    source3: from.word3,
    destination2: to.word2,
    destination3: to.word3,
    payloadAt: IP_HEADER_BYTES,
    payloadLength: packet.length - IP_HEADER_BYTES,
  });
  return header;
}

describe('TimeWaits', () => {
  test('forgets a connection after a minute', () => {
    const { waits, now } = new Rest();
    expect(waits.nextTimeout()).toBe(now + LENGTH_MS);
    waits.onTimeout(now + LENGTH_MS - 1);
    expect(waits.size).toBe(1);
    waits.onTimeout(now + LENGTH_MS);
    expect(waits.size).toBe(0);
    expect(waits.bytes).toBe(0);
    expect(waits.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('acknowledges each FIN that comes again, and waits anew', () => {
    const rest = new Rest();
    rest.add(2);
    rest.now += 50_000;
    for (let again = 0; again < 3; again += 1) {
      expect(rest.feed('FA', -1, 0)).toBe(Drop.OUT_OF_WINDOW);
      expect(rest.feed('FA', -11, 0, { data: 10 })).toBe(Drop.OUT_OF_WINDOW);
    }
    expect(rest.takeSent()).toEqual(Array(6).fill('A 0/0'));
    rest.waits.onTimeout(rest.now + 20_000);
    expect(rest.waits.has(key(1))).toBe(true);
    expect(rest.waits.has(key(2))).toBe(false);
  });

  test.each<{ name: string; segment: [string, number, number, Extras?]; sent: string[] }>([
    { name: 'an exact RST', segment: ['R', 0, 0], sent: [] },
    { name: 'a RST with ACK', segment: ['RA', 0, 0], sent: [] },
    { name: 'a RST elsewhere', segment: ['R', 77, 0], sent: [] },
    { name: 'the last ACK', segment: ['A', 0, 0], sent: [] },
    { name: 'an older ACK', segment: ['A', 0, -1], sent: [] },
    { name: 'an ACK of what was not sent', segment: ['A', 0, 1], sent: ['A 0/0'] },
    { name: 'old data', segment: ['A', -9, 0, { data: 5 }], sent: ['A 0/0'] },
    { name: 'data behind the end', segment: ['A', 0, 0, { data: 5 }], sent: ['A 0/0'] },
    { name: 'an old SYN', segment: ['S', -1, 0], sent: ['A 0/0'] },
    { name: 'a SYN-ACK', segment: ['SA', 9, 0], sent: ['A 0/0'] },
    { name: 'a FIN elsewhere', segment: ['FA', 5, 0], sent: ['A 0/0'] },
  ])('$name changes nothing', ({ segment, sent }) => {
    const rest = new Rest();
    const deadline = rest.waits.nextTimeout();
    rest.now += 700;
    expect(rest.feed(...segment)).not.toBeUndefined();
    rest.feed(...segment);
    expect(rest.takeSent()).toEqual(sent);
    expect(rest.waits.nextTimeout()).toBe(deadline);
  });

  test('answers with timestamps where they were agreed', () => {
    const rest = new Rest(9000);
    rest.feed('FA', -1, 0, { timestamps: [8999, 0] });
    expect(rest.takeSent()).toEqual(['A 0/0 ts 1500 9000']);
  });

  test('drops what is damaged', () => {
    const rest = new Rest();
    expect(rest.feedPacket(buildSegment('FA', 1, 1), false)).toBe(Drop.BAD_CHECKSUM);
    const malformed = buildSegment('FA', 1, 1);
    malformed.writeUInt8(0xf0, IP_HEADER_BYTES + 12);
    expect(rest.feedPacket(malformed)).toBe(Drop.MALFORMED);
    expect(rest.takeSent()).toEqual([]);
  });

  test.each<{
    name: string;
    before: number | undefined;
    flags?: string;
    sequence: number;
    stamp?: number;
    anew: boolean;
  }>([
    { name: 'a later number', before: undefined, sequence: 1, anew: true },
    { name: 'the next number', before: undefined, sequence: 0, anew: false },
    { name: 'an earlier number', before: undefined, sequence: -2, anew: false },
    { name: 'a later number, with ECN', before: undefined, flags: 'SEW', sequence: 1, anew: true },
    { name: 'a later timestamp', before: 70, sequence: -2, stamp: 71, anew: true },
    { name: 'the same timestamp, a later number', before: 70, sequence: 1, stamp: 70, anew: true },
    { name: 'the same timestamp, an old number', before: 70, sequence: -2, stamp: 70, anew: false },
    { name: 'an earlier timestamp', before: 70, sequence: 9, stamp: 69, anew: false },
    {
      name: 'timestamps where there were none',
      before: undefined,
      sequence: -2,
      stamp: 1,
      anew: true,
    },
    { name: 'none where there were, a later number', before: 70, sequence: 1, anew: true },
    { name: 'none where there were, an old number', before: 70, sequence: -1, anew: false },
    { name: 'a FIN too', before: undefined, flags: 'SF', sequence: 9, anew: false },
  ])(
    'a SYN with $name begins anew: $anew (RFC 6191)',
    ({ before, flags = 'S', sequence, stamp, anew }) => {
      const rest = new Rest(before);
      const extras = stamp === undefined ? {} : { timestamps: [stamp, 0] as const };
      const packet = buildSegment(flags, serialAdd(RCV_NXT, sequence), 0, extras);
      if (flags === 'SEW') packet.writeUInt8(0xc2, IP_HEADER_BYTES + 13);
      expect(rest.feedPacket(packet) === undefined).toBe(anew);
      expect(rest.waits.has(key(1))).toBe(true);
    },
  );

  test('gives way to its successor, which begins behind all that was sent', () => {
    const rest = new Rest();
    expect(rest.waits.succeed(key(1), SND_NXT - 5)).toBe(serialAdd(SND_NXT, 0x1_0000));
    expect(rest.waits.has(key(1))).toBe(false);
    expect(rest.waits.succeed(key(1), 7)).toBe(7);
    rest.add(1);
    expect(rest.waits.succeed(key(1), serialAdd(SND_NXT, 0x2_0000))).toBe(
      serialAdd(SND_NXT, 0x2_0000),
    );
  });

  test.each([
    { name: 'with timestamps, a second later', timestamps: 1, after: 1001, may: true },
    { name: 'with timestamps, at once', timestamps: 1, after: 0, may: false },
    { name: 'without timestamps', timestamps: undefined, after: 59_999, may: false },
  ])('one of ours may be its successor $name: $may', ({ timestamps, after, may }) => {
    const rest = new Rest(timestamps);
    expect(rest.waits.mayReuse(key(1), rest.now + after)).toBe(may);
    expect(rest.waits.mayReuse(key(2), rest.now + after)).toBe(true);
  });

  test('remembers 16,384 in less than 100 bytes each; the oldest makes room', () => {
    const rest = new Rest();
    for (let port = 2; port <= MAX_TIME_WAITS + 1; port += 1) rest.add(port);
    expect(rest.waits.size).toBe(MAX_TIME_WAITS);
    expect(rest.waits.has(key(1))).toBe(false);
    expect(rest.waits.has(key(2))).toBe(true);
    expect(rest.waits.bytes / MAX_TIME_WAITS).toBeLessThanOrEqual(100);
    rest.waits.clear();
    expect(rest.waits.bytes).toBe(0);
  });
});
