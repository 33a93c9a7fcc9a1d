import { describe, expect, test } from 'vitest';
import { run, type Script } from './script.ts';

const CLOSE: readonly Script[] = [
  {
    name: 'we close first: FIN, ACK, FIN, ACK, a minute of rest',
    from: 'ESTABLISHED',
    steps: [
      { do: (c) => c.shutdown(), out: ['FA 1/1'], state: 'FIN-WAIT-1' },
      { in: ['A', 1, 2], state: 'FIN-WAIT-2', events: [] },
      {
        in: ['FA', 1, 2],
        out: ['A 2/2'],
        state: 'TIME-WAIT',
        events: ['readable', 'closed in order'],
      },
      { wait: 60_000, state: 'CLOSED' },
    ],
  },
  {
    name: 'the peer closes first, and data of ours still goes',
    from: 'ESTABLISHED',
    steps: [
      { in: ['FA', 1, 1], out: ['A 1/2'], state: 'CLOSE-WAIT', events: ['readable'] },
      { do: (c) => c.write(Buffer.alloc(700)), out: ['A 1/2 +700'] },
      { in: ['A', 2, 701] },
      { do: (c) => c.shutdown(), out: ['FA 701/2'], state: 'LAST-ACK' },
      { in: ['A', 2, 702], state: 'CLOSED', events: ['closed in order'] },
    ],
  },
  {
    name: 'both close at once: each FIN is acknowledged once',
    from: 'FIN-WAIT-1',
    steps: [
      { in: ['FA', 1, 1], out: ['A 2/2'], state: 'CLOSING' },
      { in: ['FA', 1, 1], out: ['A 2/2'], state: 'CLOSING' },
      { in: ['A', 2, 2], state: 'TIME-WAIT' },
    ],
  },
  {
    name: 'the FIN acknowledges ours: no FIN-WAIT-2',
    from: 'FIN-WAIT-1',
    steps: [{ in: ['FA', 1, 2], out: ['A 2/2'], state: 'TIME-WAIT' }],
  },
  {
    name: 'close with unread data is a RST with all numbers in place',
    from: 'ESTABLISHED',
    steps: [
      { in: ['A', 1, 1, { data: 300 }], out: ['A 1/301'] },
      { do: (c) => c.close(), out: ['RA 1/301'], state: 'CLOSED' },
      { in: ['A', 301, 1, { data: 300 }] },
    ],
  },
  {
    name: 'data that comes after close: RST',
    from: 'ESTABLISHED',
    steps: [
      { do: (c) => c.close(), out: ['FA 1/1'] },
      { in: ['A', 1, 2], state: 'FIN-WAIT-2' },
      { in: ['A', 1, 2, { data: 10 }], out: ['RA 2/1'], state: 'CLOSED' },
    ],
  },
  {
    name: 'closed and forgotten by the peer: FIN-WAIT-2 ends after a minute',
    from: 'ESTABLISHED',
    steps: [
      { do: (c) => c.close(), out: ['FA 1/1'] },
      { in: ['A', 1, 2], state: 'FIN-WAIT-2' },
      { wait: 59_999, state: 'FIN-WAIT-2' },
      { wait: 1, out: ['60000: RA 2/1'], state: 'CLOSED' },
    ],
  },
  {
    name: 'a RST after both FINs, in LAST-ACK, is an error all the same',
    from: 'LAST-ACK',
    steps: [{ in: ['R', 2, 0], state: 'CLOSED', events: ['closed reset'] }],
  },
  {
    name: 'data and FIN in one segment, the data read after the end',
    from: 'ESTABLISHED',
    steps: [
      { in: ['FA', 1, 1, { data: 4 }], out: ['A 1/6'], state: 'CLOSE-WAIT', events: ['readable'] },
      { do: (c) => expect([c.read()?.length, c.ended]).toEqual([4, true]) },
    ],
  },
];

const SHUTDOWN: readonly Script[] = [
  {
    name: 'of the writing half: reading goes on for as long as it wants',
    from: 'ESTABLISHED',
    steps: [
      { do: (c) => c.shutdown(), out: ['FA 1/1'] },
      { in: ['A', 1, 2], state: 'FIN-WAIT-2' },
      { wait: 500_000, state: 'FIN-WAIT-2' },
      { in: ['A', 1, 2, { data: 900 }], out: ['A 2/901'], events: ['readable'] },
      { in: ['FA', 901, 2], out: ['A 2/902'], state: 'TIME-WAIT' },
    ],
  },
  {
    name: 'what was written before goes first, the FIN with the last of it',
    from: 'ESTABLISHED',
    steps: [
      {
        do: (c) => {
          c.write(Buffer.alloc(1500));
          c.shutdown();
          return c.write(Buffer.alloc(10));
        },
        out: ['A 1/1 +1000', 'FA 1001/1 +500'],
      },
      { in: ['A', 1, 1502], state: 'FIN-WAIT-2' },
    ],
  },
  {
    name: 'before the handshake is over: FIN when it is',
    from: 'SYN-SENT',
    steps: [
      { do: (c) => c.shutdown(), state: 'SYN-SENT' },
      {
        in: ['SA', 0, 1, { mss: 1000 }],
        out: ['FA 1/1'],
        state: 'FIN-WAIT-1',
        events: ['connected'],
      },
    ],
  },
  {
    name: 'in SYN-RECEIVED: FIN with the end of the handshake',
    from: 'SYN-RECEIVED',
    steps: [
      { do: (c) => c.shutdown(), state: 'SYN-RECEIVED' },
      { in: ['A', 1, 1], out: ['FA 1/1'], state: 'FIN-WAIT-1' },
    ],
  },
];

const FIN_RETRANSMISSION: readonly Script[] = [
  {
    name: 'our FIN goes again, later each time, until it is acknowledged',
    from: 'FIN-WAIT-1',
    steps: [
      { wait: 1500, out: ['200: FA 1/1', '600: FA 1/1', '1400: FA 1/1'] },
      { in: ['A', 1, 2], state: 'FIN-WAIT-2' },
      { wait: 100_000, state: 'FIN-WAIT-2' },
    ],
  },
  {
    name: 'in LAST-ACK too, where nobody waits for it any more',
    from: 'LAST-ACK',
    steps: [
      { wait: 700, out: ['200: FA 1/2', '600: FA 1/2'] },
      { in: ['A', 2, 2], state: 'CLOSED' },
    ],
  },
  {
    name: 'in CLOSING, with the peer’s FIN acknowledged',
    from: 'CLOSING',
    steps: [{ wait: 250, out: ['200: FA 1/2'], state: 'CLOSING' }],
  },
  {
    name: 'the peer’s FIN that comes again is acknowledged again',
    from: 'CLOSE-WAIT',
    steps: [
      { in: ['FA', 1, 1], out: ['A 1/2'], events: [] },
      { in: ['FA', 1, 1], out: ['A 1/2'], state: 'CLOSE-WAIT', events: [] },
    ],
  },
];

describe.each([
  { title: 'close', scripts: CLOSE },
  { title: 'shutdown', scripts: SHUTDOWN },
  { title: 'FIN retransmission', scripts: FIN_RETRANSMISSION },
])('$title', ({ scripts }) => {
  test.each(scripts)('$name', (script) => {
    const { seen, wanted } = run(script);
    expect(seen).toEqual(wanted);
  });
});
