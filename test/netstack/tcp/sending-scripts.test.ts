import { describe, expect, test } from 'vitest';
import { run, type Script, type Step } from './script.ts';

const MSS = 1000;
const RENO = { congestion: 'reno' } as const;

/** Full segments of new data: `count` of them from number `first` on. */
function data(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `A ${1 + (first + at) * MSS}/1 +${MSS}`);
}

/** The peer has all segments before number `next`. */
function ack(next: number, window = 0xffff): NonNullable<Step['in']> {
  return ['A', 1, 1 + next * MSS, { window }];
}

function write(segments: number): NonNullable<Step['do']> {
  return (connection) => connection.write(Buffer.alloc(segments * MSS));
}

const SLOW_START: readonly Script[] = [
  {
    name: 'each segment that is acknowledged lets two go, eight more at a time (RFC 9406 §4.2)',
    from: 'ESTABLISHED',
    steps: [
      { do: write(60), out: data(0, 10) },
      { in: ack(1), out: data(10, 2) },
      { in: ack(2), out: data(12, 2) },
      { in: ack(4), out: data(14, 4) },
      { in: ack(18), out: data(18, 14 + 8) },
    ],
  },
  {
    name: 'a part of a segment lets nothing more go than that part',
    from: 'ESTABLISHED',
    steps: [
      { do: write(60), out: data(0, 10) },
      { in: ['A', 1, 400] },
      { in: ['A', 1, 800], out: data(10, 1) },
      { in: ack(1), out: data(11, 1) },
    ],
  },
  {
    name: 'what the application did not use does not grow',
    from: 'ESTABLISHED',
    steps: [
      { do: write(4), out: data(0, 4) },
      { in: ack(4) },
      { do: write(60), out: data(4, 10) },
      { in: ack(14), out: data(14, 10 + 8) },
    ],
  },
  {
    name: 'what the peer has no room for does not grow',
    from: 'ESTABLISHED',
    steps: [
      { in: ack(0, 3000) },
      { do: write(60), out: data(0, 3) },
      { in: ack(3, 3000), out: data(3, 3) },
      { in: ack(6, 3000), out: data(6, 3) },
      { in: ack(9), out: data(9, 10) },
    ],
  },
  {
    name: 'ends where the last loss was; then one more segment goes each round',
    from: 'ESTABLISHED',
    options: RENO,
    steps: [
      { do: write(80), out: data(0, 10) },
      { in: ack(0), out: data(10, 1) },
      { in: ack(0), out: data(11, 1) },
      { in: ack(0), out: data(0, 1) },
      { in: ack(12), out: data(12, 5) },
      { in: ack(17), out: data(17, 6) },
      { in: ack(23), out: data(23, 7) },
      { in: ack(30), out: data(30, 8) },
    ],
  },
];

const TIMER: readonly Script[] = [
  {
    name: 'waits twice as long each time, a minute at most, five minutes in all',
    from: 'ESTABLISHED',
    steps: [
      { do: (connection) => connection.write(Buffer.alloc(10)), out: ['A 1/1 +10'] },
      {
        wait: 299_999,
        out: [
          200, 600, 1400, 3000, 6200, 12_600, 25_400, 51_000, 102_200, 162_200, 222_200, 282_200,
        ].map((at) => `${at}: A 1/1 +10`),
      },
      { wait: 1, out: ['300000: RA 11/1'], state: 'CLOSED', events: ['closed timed-out'] },
    ],
  },
  {
    name: 'keeps its length for what was sent twice (Karn), and has the old one after new data',
    from: 'ESTABLISHED',
    steps: [
      { do: write(1), out: data(0, 1) },
      { wait: 700, out: ['200: A 1/1 +1000', '600: A 1/1 +1000'] },
      { in: ack(1) },
      { do: write(1), out: data(1, 1) },
      { wait: 799 },
      { wait: 1, out: ['1500: A 1001/1 +1000'] },
      { in: ack(2) },
      { do: write(1), out: data(2, 1) },
      { in: ack(3) },
      { do: write(1), out: data(3, 1) },
      { wait: 250, out: ['1700: A 3001/1 +1000'] },
    ],
  },
  {
    name: 'that fired is followed by slow start, one segment for each answer (RFC 3465 §2.3)',
    from: 'ESTABLISHED',
    options: RENO,
    steps: [
      { do: write(10), out: data(0, 10) },
      { wait: 200, out: ['200: A 1/1 +1000'] },
      { in: ack(1), out: data(1, 2) },
      { in: ack(3), out: data(3, 3) },
    ],
  },
];

const SHRINKING: readonly Script[] = [
  {
    name: 'nothing new goes beyond its edge, however wide it was (RFC 9293 §3.8.6)',
    from: 'ESTABLISHED',
    steps: [
      { do: write(30), out: data(0, 10) },
      { in: ack(2, 3000) },
      { in: ack(10, 3000), out: data(10, 3) },
    ],
  },
  {
    name: 'what was sent beyond its edge is sent again, and counts when it is acknowledged',
    from: 'ESTABLISHED',
    options: RENO,
    steps: [
      { do: write(10), out: data(0, 10) },
      { in: ack(1, 2000) },
      { wait: 200, out: ['200: A 1001/1 +1000'] },
      { in: ack(10, 2000) },
      { do: write(5), out: data(10, 2) },
    ],
  },
  {
    name: 'to nothing, over data in flight: it is asked for, and what answers keeps nobody waiting',
    from: 'ESTABLISHED',
    steps: [
      { do: write(3), out: data(0, 3) },
      { in: ack(0, 0) },
      { wait: 700, out: ['200: A 1/1 +1000', '600: A 1/1 +1000'], state: 'ESTABLISHED' },
      { in: ack(0, 0) },
      { in: ack(1, 0), out: data(1, 2) },
      { in: ack(3, 0) },
      { do: write(1) },
      { in: ack(3, 1000), out: data(3, 1) },
      { in: ack(4, 1000) },
      { wait: 400_000, state: 'ESTABLISHED' },
    ],
  },
  {
    name: 'told by an older segment it is as it was',
    from: 'ESTABLISHED',
    steps: [
      { in: ['A', 1, 1, { data: 5 }], out: ['A 1/6'] },
      { do: write(2), out: ['A 1/6 +1000', 'A 1001/6 +1000'] },
      { in: ['A', 6, 1 + 2 * MSS, { window: 5000 }] },
      { in: ['A', 6, 1 + MSS, { window: 0 }] },
      { do: write(1), out: ['A 2001/6 +1000'] },
    ],
  },
];

describe.each([
  { title: 'slow start', scripts: SLOW_START },
  { title: 'the retransmission timer', scripts: TIMER },
  { title: 'a window that shrinks', scripts: SHRINKING },
])('$title', ({ scripts }) => {
  test.each(scripts)('$name', (script) => {
    const { seen, wanted } = run(script);
    expect(seen).toEqual(wanted);
  });
});
