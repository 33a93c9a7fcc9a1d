import type { Drop, Millis } from '../../../src/core/machine.ts';
import { serialAdd, serialDiff } from '../../../src/core/serial.ts';
import { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import { Flag, Segment, sealSegment, segmentIsIntact } from '../../../src/netstack/tcp/segment.ts';
import type { TcpState } from '../../../src/netstack/tcp/state.ts';
import type { TcpEvents } from '../../../src/netstack/tcp/tcp-events.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp-pair.ts';

/** Initial sequence numbers: ours and the peer's. Tests speak of distances from these. */
export const LOCAL_ISN = 0xffff_fff0;
export const REMOTE_ISN = 0x7fff_fff0;

const LETTERS: readonly (readonly [letter: string, flag: number])[] = [
  ['S', Flag.SYN],
  ['F', Flag.FIN],
  ['R', Flag.RST],
  ['P', Flag.PSH],
  ['A', Flag.ACK],
  ['E', Flag.ECE],
  ['W', Flag.CWR],
];

export interface Extras {
  readonly data?: Buffer | number;
  readonly window?: number;
  readonly mss?: number;
  readonly windowScale?: number;
  readonly sackPermitted?: boolean;
  /** SACK blocks: distances from our initial sequence number. */
  readonly sacked?: readonly (readonly [from: number, to: number])[];
  /** Value and echo. */
  readonly timestamps?: readonly [value: number, echo: number];
}

/** Bytes of a segment behind an empty IP header; `sequence` and `acknowledgment` are absolute. */
export function buildSegment(
  flags: string,
  sequence: number,
  acknowledgment: number,
  extras: Extras = {},
): Buffer {
  const segment = new Segment();
  segment.sourcePort = 1000;
  segment.destinationPort = 1000;
  segment.sequence = sequence;
  segment.acknowledgment = acknowledgment;
  for (const [letter, flag] of LETTERS) if (flags.includes(letter)) segment.flags |= flag;
  segment.window = extras.window ?? 0xffff;
  segment.options.mss = extras.mss ?? -1;
  segment.options.windowScale = extras.windowScale ?? -1;
  segment.options.sackPermitted = extras.sackPermitted ?? false;
  const edges = (extras.sacked ?? []).flat().map((distance) => serialAdd(LOCAL_ISN, distance));
  segment.options.sackEdges.set(edges);
  segment.options.sackBlocks = edges.length / 2;
  if (extras.timestamps !== undefined) {
    const [timestamp, echo] = extras.timestamps;
    Object.assign(segment.options, { hasTimestamps: true, timestamp, echo });
  }
  const { data = 0 } = extras;
  const payload = typeof data === 'number' ? Buffer.alloc(data, 0x61) : data;
  const packet = Buffer.alloc(IP_HEADER_BYTES + segment.headerBytes + payload.length);
  segment.write(packet, IP_HEADER_BYTES);
  packet.set(payload, packet.length - payload.length);
  sealSegment(packet, IP_HEADER_BYTES, PSEUDO_HEADER_SUM);
  return packet;
}

/** One connection under test, and a peer that says exactly what the test wants. */
export class ScriptedPeer implements TcpEvents {
  readonly connection: TcpConnection;
  readonly events: string[] = [];
  /** The last segments of `take`, parsed. */
  segments: Segment[] = [];
  now: Millis = 0;
  /** Added to every segment, where set: the peer's timestamps. */
  timestamp: number | undefined = undefined;
  #lastTimestampSeen = 0;

  constructor(options: Partial<TcpOptions> & { mtu?: number } = {}) {
    this.connection = new TcpConnection(
      testPath(() => {}, options.mtu),
      this,
      { initialSequence: LOCAL_ISN, timestampOffset: 7, ...options },
    );
  }

  connected(): void {
    this.events.push('connected');
  }

  readable(): void {
    this.events.push('readable');
  }

  writable(): void {
    this.events.push('writable');
  }

  closed(failure: string | undefined): void {
    this.events.push(`closed ${failure ?? 'in order'}`);
  }

  /** Feeds one segment: distances from both initial sequence numbers. */
  send(flags: string, sequence: number, acknowledgment: number, extras: Extras = {}): Drop {
    const timestamps =
      this.timestamp === undefined
        ? extras
        : { timestamps: [this.timestamp, this.#lastTimestampSeen] as const, ...extras };
    const packet = buildSegment(
      flags,
      serialAdd(REMOTE_ISN, sequence),
      flags.includes('A') ? serialAdd(LOCAL_ISN, acknowledgment) : 0,
      timestamps,
    );
    return this.feed(packet);
  }

  feed(packet: Buffer): Drop {
    return this.connection.fromBelow(
      packet,
      IP_HEADER_BYTES,
      packet.length - IP_HEADER_BYTES,
      this.now,
    );
  }

  /** Opens passively. */
  accept(extras: Extras = {}): void {
    const timestamps =
      this.timestamp === undefined ? {} : { timestamps: [this.timestamp, 0] as const };
    const syn = buildSegment('S', REMOTE_ISN, 0, { ...timestamps, ...extras });
    this.connection.accept(syn, IP_HEADER_BYTES, this.now);
  }

  /**
   * Ends the burst and takes what is sent: `flags sequence/acknowledgment +bytes`, distances from
   * the initial sequence numbers, PSH left out.
   */
  take(): string[] {
    this.connection.endOfBurst(this.now);
    return this.takeNow();
  }

  /** What is sent without an end of the burst. */
  takeNow(): string[] {
    this.segments = [];
    const texts: string[] = [];
    for (;;) {
      const packet = this.connection.takeDown(this.now);
      if (packet === undefined) return texts;
      texts.push(this.#describe(packet));
    }
  }

  /** Lets time pass, stopping at each deadline; what was sent, with the time of each. */
  pass(duration: Millis): string[] {
    const end = this.now + duration;
    const texts: string[] = [];
    const { connection } = this;
    while (connection.nextTimeout() <= end) {
      this.now = Math.max(connection.nextTimeout(), this.now);
      connection.onTimeout(this.now);
      for (const text of this.take()) texts.push(`${this.now}: ${text}`);
    }
    this.now = end;
    return texts;
  }

  get state(): TcpState {
    return this.connection.state;
  }

  /** The SACK blocks of each segment of the last `take`: `from-to`, distances as elsewhere. */
  get sacks(): string[] {
    return this.segments.map(({ options }) => {
      const blocks: string[] = [];
      for (let edge = 0; edge < 2 * options.sackBlocks; edge += 2) {
        const [from = 0, to = 0] = options.sackEdges.subarray(edge);
        blocks.push(`${serialDiff(from, REMOTE_ISN)}-${serialDiff(to, REMOTE_ISN)}`);
      }
      return blocks.join(' ');
    });
  }

  readAll(): Buffer {
    const chunks: Buffer[] = [];
    for (let chunk = this.connection.read(); chunk !== undefined; chunk = this.connection.read()) {
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }

  #describe(packet: Buffer): string {
    const length = packet.length - IP_HEADER_BYTES;
    const segment = new Segment();
    if (
      !segment.read(packet, IP_HEADER_BYTES, length) ||
      !segmentIsIntact(packet, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM)
    ) {
      return 'broken';
    }
    this.segments.push(segment);
    if (segment.options.hasTimestamps) this.#lastTimestampSeen = segment.options.timestamp;
    const letters = LETTERS.filter(([letter, flag]) => letter !== 'P' && segment.has(flag));
    const flags = letters.map(([letter]) => letter).join('');
    const sequence = serialDiff(segment.sequence, LOCAL_ISN);
    const acknowledgment = serialDiff(segment.acknowledgment, REMOTE_ISN);
    const numbers = segment.has(Flag.ACK) ? `${sequence}/${acknowledgment}` : `${sequence}`;
    return segment.payloadLength === 0
      ? `${flags} ${numbers}`
      : `${flags} ${numbers} +${segment.payloadLength}`;
  }
}

/** An active connection in ESTABLISHED, without timestamps and window scaling. */
export function established(options: Partial<TcpOptions> & { mtu?: number } = {}): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false, ...options });
  peer.connection.connect(peer.now);
  peer.take();
  peer.send('SA', 0, 1, { mss: 1000 });
  peer.take();
  return peer;
}

/** A connection in any state but CLOSED and LISTEN. The peer's next byte is 1, or 2 after its FIN. */
export function inState(state: TcpState, options: Partial<TcpOptions> = {}): ScriptedPeer {
  const peer = new ScriptedPeer({ timestamps: false, windowScaling: false, ...options });
  if (state === 'SYN-RECEIVED') {
    peer.accept({ mss: 1000 });
    peer.take();
    return peer;
  }
  peer.connection.connect(peer.now);
  peer.take();
  if (state === 'SYN-SENT') return peer;
  peer.send('SA', 0, 1, { mss: 1000 });
  peer.take();
  const { connection } = peer;
  switch (state) {
    case 'FIN-WAIT-1':
      connection.shutdown();
      break;
    case 'FIN-WAIT-2':
      connection.shutdown();
      peer.take();
      peer.send('A', 1, 2);
      break;
    case 'CLOSE-WAIT':
      peer.send('FA', 1, 1);
      break;
    case 'LAST-ACK':
      peer.send('FA', 1, 1);
      connection.shutdown();
      break;
    case 'CLOSING':
      connection.shutdown();
      peer.take();
      peer.send('FA', 1, 1);
      break;
    case 'TIME-WAIT':
      connection.shutdown();
      peer.take();
      peer.send('FA', 1, 2);
      break;
    default:
      break;
  }
  peer.take();
  peer.events.length = 0;
  return peer;
}
