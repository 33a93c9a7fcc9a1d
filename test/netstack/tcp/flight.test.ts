import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { Flight } from '../../../src/netstack/tcp/flight.ts';

const START = 0xffff_ff00;

/** `count` segments of 100 bytes, sent at 0, 10, 20 … */
function flying(count: number): Flight {
  const flight = new Flight();
  for (let index = 0; index < count; index += 1) {
    flight.push(serialAdd(START, index * 100), 100, index * 10);
  }
  return flight;
}

/** Takes lost segments until none is left; their distances from the start. */
function resendAll(flight: Flight, now: number): number[] {
  const distances: number[] = [];
  for (let index = flight.nextLost(); index >= 0; index = flight.nextLost()) {
    distances.push((flight.sequenceAt(index) - START) | 0);
    flight.resent(index, now);
  }
  return distances;
}

describe('Flight', () => {
  test.each([
    { name: 'nothing', bytes: 0, left: 20, sentAt: -1 },
    { name: 'one', bytes: 100, left: 19, sentAt: 0 },
    { name: 'some', bytes: 500, left: 15, sentAt: 40 },
    { name: 'one and a part', bytes: 150, left: 19, sentAt: 0 },
    { name: 'a part', bytes: 50, left: 20, sentAt: -1 },
    { name: 'all', bytes: 2000, left: 0, sentAt: 190 },
  ])('acknowledges $name', ({ bytes, left, sentAt }) => {
    const flight = flying(20);
    flight.acknowledge(serialAdd(START, bytes));
    expect(flight.size).toBe(left);
    expect(flight.acknowledgedSentAt).toBe(sentAt);
    expect(flight.acknowledgedResentAt).toBe(-1);
  });

  test('trims a segment that is acknowledged in part', () => {
    const flight = flying(2);
    flight.markAllLost();
    flight.acknowledge(serialAdd(START, 30));
    expect(flight.lengthAt(0)).toBe(70);
    expect(flight.lostBytes).toBe(170);
    expect(resendAll(flight, 5)).toEqual([30, 100]);
  });

  test('tells when what was acknowledged had been sent again', () => {
    const flight = flying(3);
    flight.markFirstLost();
    resendAll(flight, 500);
    flight.acknowledge(serialAdd(START, 300));
    expect(flight.acknowledgedSentAt).toBe(20);
    expect(flight.acknowledgedResentAt).toBe(500);
  });

  test('sends all again, oldest first, after all was lost', () => {
    const flight = flying(12);
    flight.acknowledge(serialAdd(START, 200));
    flight.markAllLost();
    flight.markAllLost();
    expect(flight.lostBytes).toBe(1000);
    expect(resendAll(flight, 500)).toEqual([200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100]);
    expect(flight.lostBytes).toBe(0);
    expect(flight.nextLost()).toBe(-1);
  });

  test('finds the segment that holds a number', () => {
    const flight = flying(3);
    flight.push(serialAdd(START, 300), 7, 30);
    expect(flight.lengthOf(serialAdd(START, 305))).toBe(7);
    expect(flight.lengthOf(serialAdd(START, 307))).toBe(0);
    expect(flight.lengthOf(serialAdd(START, -1))).toBe(0);
  });

  test('cuts long segments, which are lost; short ones stay', () => {
    const flight = flying(2);
    flight.push(serialAdd(START, 200), 40, 20);
    flight.split(40);
    expect(flight.size).toBe(7);
    expect(flight.lostBytes).toBe(200);
    expect(resendAll(flight, 5)).toEqual([0, 40, 80, 100, 140, 180]);
  });

  test('equals a list, whatever is done to it', () => {
    const command = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ kind: fc.constant('acknowledge' as const), bytes: fc.nat(2000) }),
      fc.record({ kind: fc.constantFrom('first', 'all', 'resend'), bytes: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const flight = new Flight();
        let model: { start: number; end: number; lost: boolean }[] = [];
        let end = 0;
        for (const { kind, bytes } of commands) {
          if (kind === 'push') {
            flight.push(serialAdd(START, end), bytes, 0);
            model.push({ start: end, end: end + bytes, lost: false });
            end += bytes;
          } else if (kind === 'acknowledge') {
            const upTo = Math.min((model[0]?.start ?? end) + bytes, end);
            flight.acknowledge(serialAdd(START, upTo));
            model = model.filter((entry) => entry.end > upTo);
            for (const entry of model) entry.start = Math.max(entry.start, upTo);
          } else if (kind === 'first') {
            flight.markFirstLost();
            for (const entry of model.slice(0, 1)) entry.lost = true;
          } else if (kind === 'all') {
            flight.markAllLost();
            for (const entry of model) entry.lost = true;
          } else {
            const index = flight.nextLost();
            expect(index).toBe(model.findIndex((entry) => entry.lost));
            if (index >= 0) flight.resent(index, 0);
            for (const entry of model.slice(index, index + 1)) entry.lost = false;
          }
          expect(flight.size).toBe(model.length);
          const lost = model.filter((entry) => entry.lost);
          expect(flight.lostBytes).toBe(lost.reduce((sum, e) => sum + e.end - e.start, 0));
        }
      }),
    );
  });
});
