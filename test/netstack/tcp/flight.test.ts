import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { Delivery } from '../../../src/netstack/tcp/delivery.ts';
import { Flight } from '../../../src/netstack/tcp/flight.ts';
import { FlightModel } from './flight-model.ts';

const START = 0xffff_ff00;
const NEVER = Number.POSITIVE_INFINITY;

/** `count` segments of 100 bytes, sent at 0, 10, 20 … */
function flying(count: number): Flight {
  const flight = new Flight();
  for (let index = 0; index < count; index += 1) {
    flight.push(serialAdd(START, index * 100), 100, index * 10);
  }
  return flight;
}

/** What an acknowledgement up to `bytes` tells. */
function acknowledge(flight: Flight, bytes: number): Delivery {
  const delivery = new Delivery();
  delivery.begin(NEVER);
  flight.acknowledge(serialAdd(START, bytes), delivery);
  return delivery;
}

/** What a SACK block tells that is a range of its own. */
function sack(flight: Flight, from: number, to: number): Delivery {
  const delivery = new Delivery();
  delivery.begin(NEVER);
  const rangeLeft = serialAdd(START, from);
  const rangeRight = serialAdd(START, to);
  flight.sack(rangeLeft, rangeRight, { rangeLeft, rangeRight }, delivery);
  return delivery;
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
    { name: 'nothing', bytes: 0, left: 20, sentAt: -1, news: 0 },
    { name: 'one', bytes: 100, left: 19, sentAt: 0, news: 100 },
    { name: 'some', bytes: 500, left: 15, sentAt: 40, news: 500 },
    { name: 'one and a part', bytes: 150, left: 19, sentAt: 0, news: 150 },
    { name: 'a part', bytes: 50, left: 20, sentAt: -1, news: 50 },
    { name: 'all', bytes: 2000, left: 0, sentAt: 190, news: 2000 },
  ])('acknowledges $name', ({ bytes, left, sentAt, news }) => {
    const flight = flying(20);
    const delivery = acknowledge(flight, bytes);
    expect(flight.size).toBe(left);
    expect(delivery).toMatchObject({ newestSentAt: sentAt, bytes: news, anyResent: false });
  });

  test('trims a segment that is acknowledged in part', () => {
    const flight = flying(2);
    flight.markAllLost();
    acknowledge(flight, 30);
    expect(flight.lengthAt(0)).toBe(70);
    expect(flight.lostBytes).toBe(170);
    expect(resendAll(flight, 5)).toEqual([30, 100]);
  });

  test('tells when what was acknowledged had been sent again', () => {
    const flight = flying(3);
    flight.markFirstLost();
    resendAll(flight, 500);
    expect(acknowledge(flight, 300)).toMatchObject({
      anyResent: true,
      newestSentAt: 500,
      newestResentAt: 500,
    });
  });

  test('sends all again, oldest first, after all was lost', () => {
    const flight = flying(12);
    acknowledge(flight, 200);
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

  test('cuts long segments, which are lost; short and SACKed ones are not', () => {
    const flight = flying(3);
    flight.push(serialAdd(START, 300), 40, 30);
    sack(flight, 100, 200);
    flight.split(40);
    expect(flight.size).toBe(10);
    expect(flight).toMatchObject({ lostBytes: 200, sackedBytes: 100, sackedSegments: 3 });
    expect(resendAll(flight, 50)).toEqual([0, 40, 80, 200, 240, 280]);
    expect(flight.markOvertaken(60, 0, 0, 60)).toBe(NEVER);
    expect(resendAll(flight, 70)).toEqual([0, 40, 80, 200, 240, 280, 300]);
  });

  describe('SACKs', () => {
    test('count whole segments, once', () => {
      const flight = flying(5);
      expect(sack(flight, 150, 420)).toMatchObject({ bytes: 200, selectiveBytes: 200 });
      expect(flight).toMatchObject({ sackedBytes: 200, sackedSegments: 2 });
      expect(sack(flight, 150, 420)).toMatchObject({ bytes: 0 });
      expect(acknowledge(flight, 500)).toMatchObject({ bytes: 300, newestSentAt: 40 });
      expect(flight).toMatchObject({ size: 0, sackedBytes: 0, sackedSegments: 0 });
    });

    test('count a segment that came in two parts', () => {
      const flight = flying(3);
      expect(sack(flight, 100, 150).bytes).toBe(0);
      const delivery = new Delivery();
      delivery.begin(NEVER);
      const range = { rangeLeft: serialAdd(START, 100), rangeRight: serialAdd(START, 200) };
      flight.sack(serialAdd(START, 150), serialAdd(START, 200), range, delivery);
      expect(delivery.bytes).toBe(100);
    });

    test('a lost segment is lost no more', () => {
      const flight = flying(3);
      flight.markAllLost();
      expect(sack(flight, 100, 200).selectiveOnce).toBe(true);
      expect(flight.lostBytes).toBe(200);
      expect(resendAll(flight, 50)).toEqual([0, 200]);
      expect(sack(flight, 200, 300).selectiveOnce).toBe(false);
    });

    test('a timeout forgets them, and leaves alone what was sent just before', () => {
      const flight = flying(5);
      sack(flight, 100, 200);
      flight.markOldLost(25, 50);
      expect(flight).toMatchObject({ sackedBytes: 0, lostBytes: 300 });
      expect(resendAll(flight, 50)).toEqual([0, 100, 200]);
    });

    test('a timeout holds the oldest for lost, however young', () => {
      const flight = flying(2);
      flight.markOldLost(1000, 20);
      expect(resendAll(flight, 20)).toEqual([0]);
    });
  });

  describe('what was overtaken', () => {
    test('is lost after its time, by the order of sending', () => {
      const flight = flying(5);
      sack(flight, 300, 400);
      expect(flight.markOvertaken(30, serialAdd(START, 400), 50, 60)).toBe(70);
      expect(resendAll(flight, 60)).toEqual([0, 100]);
      expect(flight.markOvertaken(30, serialAdd(START, 400), 50, 70)).toBe(NEVER);
      expect(resendAll(flight, 70)).toEqual([200]);
    });

    test('at the same moment is what has a lower number', () => {
      const flight = new Flight();
      for (const at of [0, 100, 200]) flight.push(serialAdd(START, at), 100, 0);
      flight.markOvertaken(0, serialAdd(START, 200), 0, 50);
      expect(resendAll(flight, 50)).toEqual([0]);
    });

    test('includes what was sent again', () => {
      const flight = flying(3);
      flight.markFirstLost();
      resendAll(flight, 40);
      flight.push(serialAdd(START, 300), 100, 50);
      expect(flight.markOvertaken(50, serialAdd(START, 400), 5, 60)).toBe(NEVER);
      expect(resendAll(flight, 60)).toEqual([0, 100, 200]);
    });

    test('can be taken back', () => {
      const flight = flying(3);
      flight.markAllLost();
      flight.resent(0, 40);
      flight.unmarkLost();
      expect(flight.lostBytes).toBe(0);
      expect(flight.markOvertaken(35, 0, 0, 60)).toBe(NEVER);
      expect(resendAll(flight, 60)).toEqual([100, 200]);
    });
  });

  test('equals a list, whatever is done to it', () => {
    const command = fc.record({
      kind: fc.constantFrom(
        'push',
        'push',
        'push',
        'acknowledge',
        'sack',
        'overtaken',
        'timeout',
        'first',
        'all',
        'resend',
        'resend',
        'undo',
      ),
      bytes: fc.integer({ min: 1, max: 1500 }),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const flight = new Flight();
        const model = new FlightModel();
        let now = 0;
        for (const { kind, bytes } of commands) {
          now += bytes % 3;
          if (kind === 'push') {
            flight.push(serialAdd(START, model.end), bytes, now);
            model.push(bytes, now);
          } else if (kind === 'acknowledge') {
            const upTo = Math.min(model.start + bytes, model.end);
            expect(acknowledge(flight, upTo).bytes).toBe(model.acknowledge(upTo));
          } else if (kind === 'sack') {
            const from = Math.min(model.start + bytes, model.end);
            const to = Math.min(from + 2 * bytes, model.end);
            expect(sack(flight, from, to).bytes).toBe(model.sack(from, to));
          } else if (kind === 'overtaken') {
            flight.markOvertaken(now - 2, serialAdd(START, model.end), bytes % 10, now);
            model.overtaken(now - 2, bytes % 10, now);
          } else if (kind === 'timeout') {
            flight.markOldLost(bytes % 10, now);
            model.timeout(bytes % 10, now);
          } else if (kind === 'first') {
            flight.markFirstLost();
            model.loseFirst();
          } else if (kind === 'all') {
            flight.markAllLost();
            model.loseAll();
          } else if (kind === 'undo') {
            flight.unmarkLost();
            model.undo();
          } else {
            const index = flight.nextLost();
            expect(index).toBe(model.nextLost());
            if (index >= 0) flight.resent(index, now);
            model.resend(index, now);
          }
          expect(flight).toMatchObject(model.totals());
        }
      }),
    );
  });
});
