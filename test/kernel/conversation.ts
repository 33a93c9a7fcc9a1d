import { serialAdd, serialDiff } from '../../src/core/serial.ts';
import { IpProtocol } from '../../src/netstack/ip-header.ts';
import { Flag, Segment, sealSegment } from '../../src/netstack/tcp/segment.ts';
import { ip } from '../netstack/socket-logs.ts';
import { ANSWERER, type Answerer, SERVER_PORT } from './answerer.ts';

const PEER = '10.9.0.2';
const IP_BYTES = 20;
/** Of both addresses and the protocol. */
const PSEUDO_SUM = 2 * 0x0a09 + 0x0001 + 0x0002 + IpProtocol.TCP;
const OUR_ISN = 0x7fff_fff0;
/** What is acknowledged where nobody has said a number yet. */
const UNKNOWN_ISN = 0x1234_5678;
const LETTERS = { S: Flag.SYN, F: Flag.FIN, R: Flag.RST, P: Flag.PSH, A: Flag.ACK, U: 0x20 };

const FIRST_TIMESTAMP = 100_000;
/** Between two segments to who is half open: nobody answers one caller more often. Unit: milliseconds. */
const HALF_OPEN_PAUSE_MS = 600;

/** Flags, distances from both initial sequence numbers, bytes; by how much its timestamp is later. */
export type Sent = readonly [
  flags: string,
  sequence: number,
  ack: number,
  bytes?: number,
  later?: number | 'without',
];

export interface Case {
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

/** One peer that says what a case wants, and hears what it gets. */
export class Conversation {
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
    if (from !== 'nothing') {
      const answer = await this.say(['S', 0, 0]);
      if (`${answer}` !== 'SA 0/1') throw new Error(`expected a SYN-ACK, got ${answer}`);
    }
    if (from === 'open') await this.say(['A', 1, 1]);
    const heard: string[] = [];
    for (const sent of send) {
      if (from === 'half-open') await this.#answerer.wait(HALF_OPEN_PAUSE_MS);
      heard.push((await this.say(sent)).join(', '));
    }
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
    segment.options.hasTimestamps = this.#timestamps && later !== 'without';
    if (later !== 'without') segment.options.timestamp = FIRST_TIMESTAMP + later;
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
