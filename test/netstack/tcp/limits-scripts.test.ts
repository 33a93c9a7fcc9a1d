import { describe, expect, test } from 'vitest';
import { run, type Script } from './script.ts';

const USER_TIMEOUT: readonly Script[] = [
  {
    name: 'data that is not acknowledged in that time ends it',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 1000 },
    steps: [
      { do: (c) => c.write(Buffer.alloc(10)), out: ['A 1/1 +10'] },
      { wait: 999, out: ['200: A 1/1 +10', '600: A 1/1 +10'], state: 'ESTABLISHED' },
      { wait: 1, out: ['1000: RA 11/1'], state: 'CLOSED', events: ['closed timed-out'] },
    ],
  },
  {
    name: 'runs from the last progress',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 1000 },
    steps: [
      { do: (c) => c.write(Buffer.alloc(2000)), out: ['A 1/1 +1000', 'A 1001/1 +1000'] },
      { wait: 150 },
      { in: ['A', 1, 1001] },
      {
        wait: 850,
        out: ['368.75: A 1001/1 +1000', '806.25: A 1001/1 +1000'],
        state: 'ESTABLISHED',
      },
      { wait: 150, out: ['1150: RA 2001/1'], state: 'CLOSED' },
    ],
  },
  {
    name: 'does not run while nothing is outstanding',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 1000 },
    steps: [{ wait: 1_000_000, state: 'ESTABLISHED' }],
  },
  {
    name: 'ends a FIN that nobody acknowledges',
    from: 'FIN-WAIT-1',
    options: { userTimeoutMs: 500 },
    steps: [{ wait: 500, out: ['200: FA 1/1', '500: RA 2/1'], events: ['closed timed-out'] }],
  },
];

const ZERO_WINDOW: readonly Script[] = [
  {
    name: 'probes are answered and the window stays closed: the user timeout ends it',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 2000 },
    steps: [
      { in: ['A', 1, 1, { window: 0 }] },
      { do: (c) => c.write(Buffer.alloc(10)) },
      { wait: 250, out: ['200: A 0/1'] },
      { in: ['A', 1, 1, { window: 0 }] },
      { wait: 400, out: ['600: A 0/1'] },
      { in: ['A', 1, 1, { window: 0 }] },
      { wait: 1349, out: ['1400: A 0/1'], state: 'ESTABLISHED' },
      { wait: 1, out: ['2000: RA 1/1'], events: ['closed timed-out'] },
    ],
  },
  {
    name: 'probes wait twice as long each time, a minute at most',
    from: 'ESTABLISHED',
    steps: [
      { in: ['A', 1, 1, { window: 0 }] },
      { do: (c) => c.write(Buffer.alloc(10)) },
      {
        wait: 299_999,
        out: [
          200, 600, 1400, 3000, 6200, 12_600, 25_400, 51_000, 102_200, 162_200, 222_200, 282_200,
        ].map((at) => `${at}: A 0/1`),
      },
      { wait: 1, out: ['300000: RA 1/1'], state: 'CLOSED' },
    ],
  },
  {
    name: 'a window that opens lets everything go, and the timeout is forgotten',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 1000 },
    steps: [
      { in: ['A', 1, 1, { window: 0 }] },
      { do: (c) => c.write(Buffer.alloc(10)) },
      { wait: 900, out: ['200: A 0/1', '600: A 0/1'] },
      { in: ['A', 1, 1, { window: 1000 }], out: ['A 1/1 +10'] },
      { in: ['A', 1, 11] },
      { wait: 100_000, state: 'ESTABLISHED' },
    ],
  },
  {
    name: 'our own closed window answers probes, and tells when it opens',
    from: 'ESTABLISHED',
    options: { receiveBufferBytes: 2000, maxReceiveBufferBytes: 2000 },
    steps: [
      { in: ['A', 1, 1, { data: 2000 }], out: ['A 1/2001'] },
      { in: ['A', 2001, 1, { data: 1 }], out: ['A 1/2001'] },
      { in: ['A', 2000, 1], out: ['A 1/2001'] },
      { do: (c) => c.read(), out: ['A 1/2001'] },
      { in: ['A', 2001, 1, { data: 1 }], out: ['A 1/2002'] },
    ],
  },
];

const ICMP: readonly Script[] = [
  ...(['refused', 'unreachable', 'network-unreachable'] as const).flatMap((kind): Script[] => [
    {
      name: `${kind} about our SYN ends the attempt`,
      from: 'SYN-SENT',
      steps: [{ icmp: [kind, 0], state: 'CLOSED', events: [`closed ${kind}`] }],
    },
    {
      name: `${kind} about another number does not`,
      from: 'SYN-SENT',
      steps: [{ icmp: [kind, 1], state: 'SYN-SENT', events: [] }],
    },
    {
      name: `${kind} about what is in flight does not end what is open`,
      from: 'ESTABLISHED',
      steps: [
        { do: (c) => c.write(Buffer.alloc(10)), out: ['A 1/1 +10'] },
        { icmp: [kind, 1], state: 'ESTABLISHED', events: [] },
        { in: ['A', 1, 11], state: 'ESTABLISHED' },
      ],
    },
  ]),
  {
    name: 'an error explains a timeout later',
    from: 'ESTABLISHED',
    options: { userTimeoutMs: 300 },
    steps: [
      { do: (c) => c.write(Buffer.alloc(10)), out: ['A 1/1 +10'] },
      { icmp: ['network-unreachable', 1] },
      {
        wait: 300,
        out: ['200: A 1/1 +10', '300: RA 11/1'],
        events: ['closed network-unreachable'],
      },
    ],
  },
];

const RESETS: readonly Script[] = [
  {
    name: 'SYN-SENT: only with the number of our SYN',
    from: 'SYN-SENT',
    steps: [
      { in: ['R', 0, 0], state: 'SYN-SENT' },
      { in: ['RA', 0, 0], state: 'SYN-SENT' },
      { in: ['RA', 0, 2], state: 'SYN-SENT' },
      { in: ['RA', 0, 1], state: 'CLOSED', events: ['closed refused'] },
    ],
  },
  {
    name: 'SYN-RECEIVED of a listener: the exact number only',
    from: 'SYN-RECEIVED',
    steps: [
      { in: ['R', 0, 0], state: 'SYN-RECEIVED' },
      { in: ['R', 5, 0], out: ['A 1/1'], state: 'SYN-RECEIVED' },
      { in: ['R', 1, 0], state: 'CLOSED' },
    ],
  },
  {
    name: 'SYN-RECEIVED after SYNs that crossed: refused',
    from: 'SYN-SENT',
    steps: [
      { in: ['S', 0, 0], out: ['SA 0/1'], state: 'SYN-RECEIVED' },
      { in: ['R', 1, 0], state: 'CLOSED', events: ['closed refused'] },
    ],
  },
  {
    name: 'TIME-WAIT: never (RFC 1337)',
    from: 'TIME-WAIT',
    steps: [
      { in: ['R', 2, 0], state: 'TIME-WAIT' },
      { in: ['RA', 2, 2], state: 'TIME-WAIT' },
      { in: ['R', 3, 0], state: 'TIME-WAIT' },
      { wait: 60_000, state: 'CLOSED' },
    ],
  },
];

const MSS: readonly Script[] = [
  ...[
    { name: 'none named: 536', extras: {}, first: 536 },
    { name: 'named', extras: { mss: 700 }, first: 700 },
    { name: 'larger than ours: ours', extras: { mss: 9000 }, first: 1360 },
    { name: 'tiny: 216 (CVE-2019-11479)', extras: { mss: 48 }, first: 216 },
    { name: 'zero', extras: { mss: 0 }, first: 216 },
  ].map(
    ({ name, extras, first }): Script => ({
      name,
      from: 'SYN-SENT',
      steps: [
        { in: ['SA', 0, 1, extras], out: ['A 1/1'] },
        { do: (c) => c.write(Buffer.alloc(first)), out: [`A 1/1 +${first}`] },
      ],
    }),
  ),
  {
    name: 'an option of ours limits both directions',
    from: 'SYN-SENT',
    options: { mss: 500 },
    steps: [
      { in: ['SA', 0, 1, { mss: 1400 }], out: ['A 1/1'] },
      { do: (c) => c.write(Buffer.alloc(1000)), out: ['A 1/1 +500', 'A 501/1 +500'] },
    ],
  },
];

describe.each([
  { title: 'the user timeout', scripts: USER_TIMEOUT },
  { title: 'a closed window', scripts: ZERO_WINDOW },
  { title: 'ICMP errors', scripts: ICMP },
  { title: 'resets', scripts: RESETS },
  { title: 'the MSS', scripts: MSS },
])('$title', ({ scripts }) => {
  test.each(scripts)('$name', (script) => {
    const { seen, wanted } = run(script);
    expect(seen).toEqual(wanted);
  });
});
