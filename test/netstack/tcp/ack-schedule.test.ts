import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AckSchedule, SEGMENTS_PER_ACK } from '../../../src/netstack/tcp/ack-schedule.ts';

const MSS = 1000;
const PAUSE_MS = 200;

function points(acks: AckSchedule): number[] {
  const taken: number[] = [];
  for (let point = acks.takePoint(); point >= 0; point = acks.takePoint()) taken.push(point);
  return taken;
}

/** Segments number `from` up to `to`, in order. */
function segments(acks: AckSchedule, from: number, to: number, now = 0): void {
  for (let at = from; at < to; at += 1) acks.onSegment(at * MSS, MSS, PAUSE_MS, now);
}

/** One whose connection is no longer young. */
function grown(segmentsPerAck?: number): AckSchedule {
  const acks = new AckSchedule(segmentsPerAck);
  segments(acks, 0, 32);
  acks.endOfBurst(MSS);
  points(acks);
  acks.sent();
  return acks;
}

describe('AckSchedule', () => {
  test('owes nothing when nothing came', () => {
    const acks = new AckSchedule();
    expect(acks.endOfBurst(MSS)).toBe(false);
    expect(acks.due).toBe(false);
  });

  test('remembers a bounded number of acknowledgements, and one more is due', () => {
    const acks = new AckSchedule();
    for (let count = 0; count < 1000; count += 1) acks.onReport(count, false);
    expect(acks.due).toBe(true);
    expect(points(acks)).toEqual(Array.from({ length: 64 }, (_, index) => index));
    acks.onReport(5, false);
    expect(acks.takePoint()).toBe(5);
  });

  test.each([
    { name: 'the default', option: undefined, every: SEGMENTS_PER_ACK },
    { name: '16', option: 16, every: 16 },
    { name: 'more than 16', option: 99, every: 16 },
    { name: '5', option: 5, every: 5 },
    { name: '2', option: 2, every: 2 },
    { name: 'less than 2', option: 0, every: 2 },
  ])('one acknowledgement covers so many segments: $name', ({ option, every }) => {
    const acks = grown(option);
    segments(acks, 100, 160);
    const expected = [];
    for (let at = every; at < 60; at += every) expected.push((100 + at) * MSS);
    expect(points(acks)).toEqual(expected);
    acks.endOfBurst(MSS);
    expect(acks.due).toBe(true);
  });

  test('young again after a pause of the peer, for sixteen segments', () => {
    const acks = grown();
    segments(acks, 100, 101, PAUSE_MS);
    expect(acks.endOfBurst(MSS)).toBe(true);
    segments(acks, 101, 117, 2 * PAUSE_MS + 1);
    expect(acks.endOfBurst(MSS)).toBe(false);
    expect(points(acks)).toEqual([102, 104, 106, 108, 110, 112, 114, 116].map((at) => at * MSS));
    acks.sent();
    segments(acks, 117, 118, 2 * PAUSE_MS + 2);
    expect(acks.endOfBurst(MSS)).toBe(true);
  });

  test('what fills a gap is due at once, two segments at most', () => {
    const acks = grown();
    for (let at = 100; at < 105; at += 1) acks.onGapFill(at * MSS, MSS);
    expect(acks.due).toBe(true);
    expect(points(acks)).toEqual([102 * MSS, 104 * MSS]);
  });

  test.each([
    { name: 'one', reports: 1, withSack: true, sent: 1 },
    { name: 'three', reports: 3, withSack: true, sent: 3 },
    { name: 'four: the fourth at the end of the burst', reports: 4, withSack: true, sent: 4 },
    { name: 'five', reports: 5, withSack: true, sent: 4 },
    { name: 'twenty', reports: 20, withSack: true, sent: 12 },
    { name: 'twenty for a peer without SACK', reports: 20, withSack: false, sent: 20 },
  ])('segments of a burst that are reported: $name', ({ reports, withSack, sent }) => {
    const acks = grown();
    for (let count = 0; count < reports; count += 1) acks.onReport(7, withSack);
    acks.endOfBurst(MSS);
    expect(points(acks)).toHaveLength(sent);
    acks.onReport(7, withSack);
    expect(points(acks)).toEqual([7]);
  });

  test('every segment is covered at the end of the burst, or is one of few that wait', () => {
    const step = fc.constantFrom('segment', 'gap', 'report', 'end');
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 2, max: 16 }),
        (steps, every) => {
          const acks = new AckSchedule(every);
          let next = 1;
          let acked = 1;
          for (const what of [...steps, 'end']) {
            if (what === 'report') acks.onReport(next, true);
            if (what === 'gap') acks.onGapFill(next, MSS);
            if (what === 'segment') acks.onSegment(next, MSS, PAUSE_MS, 0);
            if (what === 'gap' || what === 'segment') next += 1;
            if (what !== 'end') continue;
            const mayWait = acks.endOfBurst(MSS);
            for (const point of points(acks)) {
              expect(point - acked).toBeLessThanOrEqual(every);
              expect(point).toBeGreaterThanOrEqual(acked);
              acked = point;
            }
            expect(next - acked).toBeLessThanOrEqual(every);
            if (!acks.due) {
              expect(mayWait).toBe(next > acked);
              expect(next - acked).toBeLessThan(2);
            } else {
              acked = next;
              acks.sent();
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
