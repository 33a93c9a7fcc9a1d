import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd, serialDiff } from '../../../src/core/serial.ts';
import { HeaderOptions } from '../../../src/netstack/tcp/header-options.ts';
import { Arrival, Receiver } from '../../../src/netstack/tcp/receiver.ts';
import { tcpSettings } from '../../../src/netstack/tcp/tcp-options.ts';

const ISN = 0xffff_fe00;
const STREAM = Buffer.from(
  Array.from({ length: 200_000 }, (_, at) => (at * 7 + (at >>> 8)) & 0xff),
);
const SHIFT = 3;
const MSS = 1000;

function receiver(bytes: number): Receiver {
  const made = new Receiver(
    tcpSettings({
      initialSequence: 0,
      timestampOffset: 0,
      receiveBufferBytes: bytes,
      maxReceiveBufferBytes: bytes,
    }),
  );
  made.begin(ISN);
  return made;
}

/** Number of the byte at position `at` of the stream. */
function numberOf(at: number): number {
  return serialAdd(ISN, 1 + at);
}

function take(of: Receiver, from: number, to: number): Arrival | undefined {
  if (!of.accepts(numberOf(from), to - from)) return undefined;
  return of.take(STREAM, numberOf(from), from, to - from);
}

function blocksOf(of: Receiver): [from: number, to: number][] {
  const options = new HeaderOptions();
  of.reportSack(options, of.rcvNxt, MSS);
  return Array.from({ length: options.sackBlocks }, (_, block) => {
    const [from = 0, to = 0] = options.sackEdges.subarray(2 * block);
    return [serialDiff(from, numberOf(0)), serialDiff(to, numberOf(0))];
  });
}

describe('Receiver', () => {
  test('is a map of bytes, whatever comes and however it is read', () => {
    const step = fc.record({
      from: fc.nat(150_000),
      length: fc.integer({ min: 1, max: 15_000 }),
      reads: fc.nat(2),
      acks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const real = receiver(60_000);
        const map = new Array<boolean>(300_000).fill(false);
        const read: Buffer[] = [];
        let edge = real.window;
        let next = 0;
        for (const { from, length, reads, acks } of steps) {
          const accepted = take(real, from, Math.min(from + length, STREAM.length)) !== undefined;
          const inWindow = from < edge && from + length > next && edge > next;
          expect(accepted).toBe(inWindow);
          if (accepted) map.fill(true, Math.max(from, next), Math.min(from + length, edge));
          next = map.indexOf(false);
          expect(serialDiff(real.rcvNxt, numberOf(0))).toBe(next);
          const blocks = blocksOf(real);
          for (const [start, end] of blocks) {
            const isDuplicate = end <= next || blocks.some(([s, e]) => s <= start && end <= e);
            expect(isDuplicate || start > next).toBe(true);
            expect(map.indexOf(false, start) >= end).toBe(true);
          }
          for (let count = 0; count < reads; count += 1) {
            const chunk = real.read();
            if (chunk !== undefined) read.push(chunk);
          }
          if (acks) real.windowField(real.rcvNxt, SHIFT, MSS);
          const told = next + real.window;
          expect(told).toBeGreaterThanOrEqual(edge);
          edge = told;
        }
        for (let chunk = real.read(); chunk !== undefined; chunk = real.read()) read.push(chunk);
        expect(Buffer.concat(read)).toEqual(STREAM.subarray(0, next));
        expect(real.bytesReceived).toBe(next);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    { name: 'in order', before: [], from: 0, to: 10, arrival: Arrival.IN_ORDER },
    { name: 'ahead', before: [], from: 5, to: 10, arrival: Arrival.AHEAD },
    { name: 'again', before: [[0, 10]], from: 0, to: 9, arrival: undefined },
    { name: 'its end is new', before: [[0, 10]], from: 5, to: 12, arrival: Arrival.IN_ORDER },
    { name: 'the hole', before: [[5, 10]], from: 0, to: 5, arrival: Arrival.FILLED_GAP },
    { name: 'a part of the hole', before: [[5, 10]], from: 0, to: 3, arrival: Arrival.FILLED_GAP },
  ])('tells what became of a segment: $name', ({ before, from, to, arrival }) => {
    const real = receiver(600);
    for (const [start = 0, end = 0] of before) take(real, start, end);
    expect(take(real, from, to)).toBe(arrival);
  });

  describe('a window that opens', () => {
    test.each([
      { name: 'not by less than a segment', limit: 6000, unread: 5000, read: 999, window: 1000 },
      { name: 'by a segment', limit: 6000, unread: 5000, read: 1000, window: 2000 },
      { name: 'by half of a small buffer', limit: 1200, unread: 1200, read: 600, window: 600 },
      { name: 'not by less than half of it', limit: 1200, unread: 1200, read: 599, window: 0 },
    ])('$name', ({ limit, unread, read, window }) => {
      const real = receiver(limit);
      take(real, 0, read);
      take(real, read, unread);
      expect(real.windowField(real.rcvNxt, 0, MSS)).toBe(limit - unread);
      real.read();
      expect(real.windowField(real.rcvNxt, 0, MSS)).toBe(window);
    });
  });

  test('tiny segments that cost more than they hold close the window earlier', () => {
    const large = receiver(65_536);
    const tiny = receiver(65_536);
    for (let at = 0; at < 1200; at += 300) {
      take(large, at, at + 300);
      const packet = Buffer.alloc(16_384);
      tiny.take(packet, numberOf(at), 0, 300);
      const ahead = Buffer.from(new Uint8Array(8000).buffer);
      tiny.take(ahead, numberOf(10_000 + 5000 * (at / 300)), 0, 4096);
    }
    take(large, 1200, 1500);
    expect(large.windowField(large.rcvNxt, 0, MSS)).toBe(65_535 - 1500);
    expect(tiny.reassemblyBytes).toBe(4 * (8000 + 256));
  });

  test('ends: what was not read stays, and nothing more is kept', () => {
    const real = receiver(600);
    take(real, 0, 10);
    take(real, 20, 30);
    real.end();
    expect(real.reassemblyBytes).toBe(0);
    expect(real.read()).toEqual(STREAM.subarray(0, 10));
  });
});
