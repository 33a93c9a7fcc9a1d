import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serialAdd, serialDiff } from '../../src/core/serial.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { Flag, Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { ip } from '../netstack/socket-logs.ts';
import { ANSWERER, type Answerer, KernelAnswerer, OurAnswerer, SERVER_PORT } from './answerer.ts';
import { describeWithKernel } from './describe-with-kernel.ts';

const PEER = '10.9.0.2';
const IP_BYTES = 20;
/** Of both addresses and the protocol. */
const PSEUDO_SUM = 2 * 0x0a09 + 0x0001 + 0x0002 + IpProtocol.TCP;
const OUR_ISN = 0x7fff_fff0;
/** What is acknowledged where nobody has said a number yet. */
const UNKNOWN_ISN = 0x1234_5678;
const CLOSED_PORT = 81;
const LETTERS = { S: Flag.SYN, F: Flag.FIN, R: Flag.RST, P: Flag.PSH, A: Flag.ACK, U: 0x20 };

/** Flags, distances from both initial sequence numbers, bytes; of the timestamp: later by so much. */
type Sent = readonly [flags: string, sequence: number, ack: number, bytes?: number, later?: number];

interface Case {
  readonly name: string;
  /** What went before. Default: `open`. */
  readonly from?: 'open' | 'half-open' | 'nothing';
  readonly port?: number;
  readonly timestamps?: boolean;
  /** The last is often one that tells whether the connection is still there. */
  readonly send: readonly Sent[];
  /** Where we decided otherwise: what we say, and why. */
  readonly ours?: { readonly says: readonly string[]; readonly because: string };
}

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

/** One peer that says what a case wants, and hears what it gets. */
class Conversation {
  readonly #answerer: Answerer;
  readonly #port: number;
  readonly #remotePort: number;
  readonly #timestamps: boolean;
  #isn = UNKNOWN_ISN;
  #echo = 0;

  constructor(
    answerer: Answerer,
    port: number,
    { port: remotePort = SERVER_PORT, timestamps = false }: Case,
  ) {
    this.#answerer = answerer;
    this.#port = port;
    this.#remotePort = remotePort;
    this.#timestamps = timestamps;
  }

  async run({ from = 'open', send }: Case): Promise<string[]> {
    if (from !== 'nothing') await this.say(['S', 0, 0]);
    if (from === 'open') await this.say(['A', 1, 1]);
    const heard: string[] = [];
    for (const sent of send) heard.push((await this.say(sent)).join(', '));
    return heard;
  }

  async say([flags, sequence, ack, bytes = 0, later = 0]: Sent): Promise<string[]> {
    const segment = new Segment();
    segment.sourcePort = this.#port;
    segment.destinationPort = this.#remotePort;
    segment.sequence = serialAdd(OUR_ISN, sequence);
    for (const [letter, flag] of Object.entries(LETTERS)) {
      if (flags.includes(letter)) segment.flags |= flag;
    }
    if (segment.has(Flag.ACK)) segment.acknowledgment = serialAdd(this.#isn, ack);
    segment.window = 0xffff;
    if (segment.has(Flag.SYN)) segment.options.mss = 1460;
    segment.options.hasTimestamps = this.#timestamps;
    segment.options.timestamp = 100_000 + later;
    segment.options.echo = this.#echo;
    const packet = Buffer.alloc(IP_BYTES + segment.headerBytes + bytes, 0x61);
    segment.write(packet, IP_BYTES);
    sealSegment(packet, IP_BYTES, PSEUDO_SUM);
    const answers = await this.#answerer.ask(ip(packet, IpProtocol.TCP, PEER, ANSWERER));
    return answers.flatMap((answer) => this.#hear(answer));
  }

  #hear(packet: Buffer): string[] {
    const segment = new Segment();
    if (packet.readUInt8(9) !== IpProtocol.TCP) return [];
    segment.read(packet, IP_BYTES, packet.length - IP_BYTES);
    if (segment.destinationPort !== this.#port) return [];
    if (segment.has(Flag.SYN)) this.#isn = segment.sequence;
    if (segment.options.hasTimestamps) this.#echo = segment.options.timestamp;
    const letters = Object.entries(LETTERS).filter(([, flag]) => segment.has(flag));
    const flags = letters.map(([letter]) => letter).join('');
    const zero = segment.sequence === 0 && segment.has(Flag.RST);
    const sequence = zero ? 'zero' : serialDiff(segment.sequence, this.#isn);
    const ack = segment.has(Flag.ACK) ? `/${serialDiff(segment.acknowledgment, OUR_ISN)}` : '';
    return [`${flags} ${sequence}${ack}`];
  }
}

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
      if (row.ours === undefined) expect(own).toEqual(theirs);
      else
        expect({ differs: String(own) !== String(theirs), own }).toEqual({
          differs: true,
          own: row.ours.says,
        });
    });
  });
});
