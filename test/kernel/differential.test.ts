import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answerer, KernelAnswerer, OurAnswerer } from './answerer.ts';
import { type Case, Conversation, type Sent } from './conversation.ts';
import { describeWithKernel } from './describe-with-kernel.ts';

const CLOSED_PORT = 81;

/** In order, of ten bytes: an acknowledgement where there is a connection, a RST where there is none. */
const ALIVE: Sent = ['A', 1, 1, 10];

const CASES: readonly Case[] = [
  { name: 'RST: exact', send: [['R', 1, 0], ALIVE] },
  { name: 'RST with ACK: exact', send: [['RA', 1, 1], ALIVE] },
  { name: 'RST: in the window', send: [['R', 2, 0], ALIVE] },
  { name: 'RST: far in the window', send: [['R', 30_000, 0], ALIVE] },
  { name: 'RST: before the window', send: [['R', 0, 0], ALIVE] },
  { name: 'RST: behind the window', send: [['R', 300_000, 0], ALIVE] },
  { name: 'SYN: the old number', send: [['S', 0, 0], ALIVE] },
  { name: 'SYN: the next number', send: [['S', 1, 0], ALIVE] },
  { name: 'SYN: in the window', send: [['S', 500, 0], ALIVE] },
  { name: 'SYN: behind the window', send: [['S', 300_000, 0], ALIVE] },
  { name: 'SYN-ACK: in the window', send: [['SA', 500, 1], ALIVE] },
  { name: 'data: the first', send: [ALIVE, ['A', 11, 1, 10]] },
  { name: 'data: all old', send: [ALIVE, ['A', 1, 1, 10]] },
  { name: 'data: half old', send: [ALIVE, ['A', 6, 1, 10]] },
  { name: 'data: ahead of a gap, then the gap', send: [['A', 11, 1, 10], ALIVE] },
  { name: 'data: behind the window', send: [['A', 300_000, 1, 10], ALIVE] },
  { name: 'data: without ACK', send: [['', 1, 0, 10], ALIVE] },
  {
    name: 'data: with URG',
    send: [
      ['AU', 1, 1, 10],
      ['A', 11, 1, 1],
    ],
  },
  {
    name: 'data: acknowledges what is too old (RFC 5961 §5.2)',
    send: [['A', 1, -200_000, 10], ALIVE],
  },
  { name: 'data: acknowledges what was not sent', send: [['A', 1, 500, 10], ALIVE] },
  { name: 'keepalive: empty', send: [['A', 0, 1], ALIVE] },
  { name: 'keepalive: one byte', send: [['A', 0, 1, 1], ALIVE] },
  {
    name: 'FIN',
    send: [
      ['FA', 1, 1],
      ['A', 2, 1],
    ],
  },
  {
    name: 'FIN: with data',
    send: [
      ['FA', 1, 1, 10],
      ['A', 12, 1],
    ],
  },
  {
    name: 'FIN: twice',
    send: [
      ['FA', 1, 1],
      ['FA', 1, 1],
    ],
  },
  { name: 'FIN: ahead of a gap', send: [['FA', 11, 1], ALIVE] },
  { name: 'FIN: without ACK', send: [['F', 1, 0], ALIVE] },
  { name: 'nothing set', send: [['', 1, 0], ALIVE] },
  { name: 'all set', send: [['SFRPAU', 1, 1], ALIVE] },
  { name: 'old timestamp: data', timestamps: true, send: [['A', 1, 1, 10, -5000], ALIVE] },
  { name: 'old timestamp: RST', timestamps: true, send: [['R', 1, 0, 0, -5000], ALIVE] },
  { name: 'old timestamp: FIN', timestamps: true, send: [['FA', 1, 1, 0, -5000], ALIVE] },
  {
    name: 'no timestamp: data',
    timestamps: true,
    send: [['A', 1, 1, 10, 'without'], ALIVE],
    ours: {
      says: ['', 'A 1/11'],
      because: 'RFC 7323 §3.2: what comes without a timestamp should be dropped',
    },
  },
  { name: 'no timestamp: RST', timestamps: true, send: [['R', 1, 0, 0, 'without'], ALIVE] },
  { name: 'half-open: SYN again', from: 'half-open', send: [['S', 0, 0]] },
  {
    name: 'half-open: exact RST',
    from: 'half-open',
    send: [
      ['R', 1, 0],
      ['A', 1, 1],
    ],
  },
  { name: 'half-open: RST in the window', from: 'half-open', send: [['R', 2, 0], ALIVE] },
  { name: 'half-open: ACK of what was not sent', from: 'half-open', send: [['A', 1, 2], ALIVE] },
  { name: 'half-open: data ends it', from: 'half-open', send: [ALIVE] },
  { name: 'half-open: data behind the window', from: 'half-open', send: [['A', 300_000, 1, 10]] },
  { name: 'LISTEN: ACK', from: 'nothing', send: [['A', 1, 1]] },
  { name: 'LISTEN: SYN-ACK', from: 'nothing', send: [['SA', 1, 1]] },
  {
    name: 'LISTEN: RST',
    from: 'nothing',
    send: [
      ['R', 1, 0],
      ['RA', 1, 1],
    ],
  },
  {
    name: 'LISTEN: SYN with FIN',
    from: 'nothing',
    send: [['SF', 0, 0]],
    ours: {
      says: ['SA 0/1'],
      because: 'RFC 9293 §3.10.7.2: the SYN counts, what else is in it may come again',
    },
  },
  { name: 'LISTEN: SYN with RST', from: 'nothing', send: [['SR', 0, 0]] },
  { name: 'LISTEN: SYN with data', from: 'nothing', send: [['S', 0, 0, 10]] },
  { name: 'LISTEN: FIN', from: 'nothing', send: [['F', 1, 0]] },
  { name: 'LISTEN: nothing set', from: 'nothing', send: [['', 1, 0]] },
  { name: 'CLOSED: SYN', from: 'nothing', port: CLOSED_PORT, send: [['S', 0, 0]] },
  { name: 'CLOSED: ACK', from: 'nothing', port: CLOSED_PORT, send: [['A', 1, 1]] },
  { name: 'CLOSED: data', from: 'nothing', port: CLOSED_PORT, send: [['A', 1, 1, 10]] },
  { name: 'CLOSED: FIN', from: 'nothing', port: CLOSED_PORT, send: [['F', 1, 0]] },
  {
    name: 'CLOSED: RST',
    from: 'nothing',
    port: CLOSED_PORT,
    send: [
      ['R', 1, 0],
      ['RA', 1, 1],
    ],
  },
];

describeWithKernel('what Linux says, we say', () => {
  let kernel: Answerer;
  const ours = new OurAnswerer();
  let port = 20_000;

  beforeAll(async () => {
    kernel = await KernelAnswerer.open();
  });
  afterAll(() => kernel.close());

  describe('to one segment after the other', () => {
    test.each(CASES)('$name', async (row) => {
      port += 1;
      const [theirs, own] = await Promise.all([
        new Conversation(kernel, port, row).run(row),
        new Conversation(ours, port, row).run(row),
      ]);
      if (row.ours === undefined) {
        expect(own).toEqual(theirs);
      } else {
        expect(own, row.ours.because).toEqual(row.ours.says);
        expect(own, 'there is nothing to decide any more').not.toEqual(theirs);
      }
    });
  });
});
