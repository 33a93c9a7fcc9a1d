import { describe, expect, test } from 'vitest';
import { Drop } from '../../../src/core/machine.ts';
import { resetFor } from '../../../src/netstack/tcp/reset.ts';
import { Flag, Segment, sealSegment } from '../../../src/netstack/tcp/segment.ts';
import { type AckPlace, type Arriving, type OracleState, outcomeOf } from './arrival-oracle.ts';
import { Port } from './listener-port.ts';
import {
  buildSegment,
  inState,
  LOCAL_ISN,
  REMOTE_ISN,
  type ScriptedPeer,
} from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp-pair.ts';

const FLAGS = [Flag.FIN, Flag.SYN, Flag.RST, Flag.PSH, Flag.ACK, Flag.URG] as const;
const PLACES: readonly AckPlace[] = ['ancient', 'old', 'una', 'nxt', 'future'];
/** More than the window that the peer has told: an acknowledgement this old is not believed. */
const ANCIENT = 70_000;
const LENGTHS = [0, 5] as const;
/** No window of these tests is larger. */
const WINDOW = 65_535;

interface Position {
  /** Distances from the initial sequence numbers. */
  readonly una: number;
  readonly nxt: number;
  readonly rcvNxt: number;
  readonly window: number;
}

/** Everything that may be said in a segment, for a connection at `position`. */
function* arrivals({ window }: Position): Generator<{ flags: number; segment: Arriving }> {
  for (let flags = 0; flags < 1 << FLAGS.length; flags += 1) {
    const ack = (flags & Flag.ACK) !== 0;
    for (const offset of [-1000, -1, 0, 10, window - 1, window, window + 1000]) {
      for (const length of LENGTHS) {
        for (const place of ack ? PLACES : (['una'] as const)) {
          const syn = (flags & Flag.SYN) !== 0;
          const fin = (flags & Flag.FIN) !== 0;
          const rst = (flags & Flag.RST) !== 0;
          yield { flags, segment: { syn, fin, rst, ack, length, offset, place, window } };
        }
      }
    }
  }
}

function acknowledgmentOf(place: AckPlace, { una, nxt }: Position): number {
  const places = { ancient: una - ANCIENT, old: una - 1, una, nxt, future: nxt + 1 };
  return places[place];
}

function packetOf(flags: number, { offset, length, place }: Arriving, at: Position): Buffer {
  const packet = buildSegment(
    '',
    (REMOTE_ISN + at.rcvNxt + offset) >>> 0,
    (LOCAL_ISN + acknowledgmentOf(place, at)) >>> 0,
    { data: length },
  );
  packet.writeUInt8(flags, IP_HEADER_BYTES + 13);
  packet.writeUInt16BE(3, IP_HEADER_BYTES + 18);
  packet.writeUInt16BE(0, IP_HEADER_BYTES + 16);
  sealSegment(packet, IP_HEADER_BYTES, PSEUDO_HEADER_SUM);
  return packet;
}

function nameOf(flags: number, { offset, length, place }: Arriving): string {
  const names = Object.entries(Flag).filter(([, flag]) => (flags & flag) !== 0);
  return `${names.map(([name]) => name).join('+') || 'none'} at ${offset}, ${length} bytes, ack ${place}`;
}

/** A connection in `state`, and where it stands. */
function begin(state: OracleState): { peer: ScriptedPeer; position: Position } {
  const peer = state === 'SYN-RECEIVED active' ? crossed() : inState(plain(state));
  const opening = state === 'SYN-SENT' || state.startsWith('SYN-RECEIVED');
  const weSentFin = ['FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSING', 'LAST-ACK', 'TIME-WAIT'].includes(
    state,
  );
  const finUnknown = ['FIN-WAIT-1', 'CLOSING', 'LAST-ACK'].includes(state);
  const peerSentFin = ['CLOSE-WAIT', 'CLOSING', 'LAST-ACK', 'TIME-WAIT'].includes(state);
  const nxt = opening ? 1 : weSentFin ? 2 : 1;
  const una = opening ? 0 : finUnknown ? 1 : nxt;
  const rcvNxt = peerSentFin ? 2 : 1;
  const window = state === 'SYN-SENT' ? WINDOW : peer.connection.info().rcvWnd;
  return { peer, position: { una, nxt, rcvNxt, window } };
}

function plain(state: OracleState) {
  return state === 'SYN-RECEIVED passive' || state === 'SYN-RECEIVED active'
    ? 'SYN-RECEIVED'
    : state;
}

function crossed(): ScriptedPeer {
  const peer = inState('SYN-SENT');
  peer.send('S', 0, 0, { mss: 1000 });
  peer.take();
  peer.now += 1000;
  return peer;
}

/** The same place twice, where nothing is in flight, is one place. */
function isAmbiguous({ place }: Arriving, { una, nxt }: Position): boolean {
  return place === 'nxt' && una === nxt;
}

const CONNECTED: readonly OracleState[] = [
  'SYN-SENT',
  'SYN-RECEIVED passive',
  'SYN-RECEIVED active',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

describe('every segment in every state (RFC 9293 §3.10.7)', () => {
  test.each(CONNECTED)('%s', (state) => {
    const { position } = begin(state);
    const wrong: string[] = [];
    let cases = 0;
    for (const { flags, segment } of arrivals(position)) {
      if (isAmbiguous(segment, position)) continue;
      cases += 1;
      const { peer } = begin(state);
      peer.feed(packetOf(flags, segment, position));
      const expected = outcomeOf(state, segment);
      const sent = peer.take();
      const delivered = peer.events.includes('readable') ? peer.readAll().length : 0;
      const found = `${peer.state}, ${sent.map((text) => kindOf(text, peer)).join(' ') || 'nothing'}, ${delivered}`;
      const { answer } = expected;
      const wanted = `${plain(expected.state)}, ${answer}, ${expected.delivered}`;
      if (found !== wanted) wrong.push(`${nameOf(flags, segment)}: ${wanted} but ${found}`);
      const number = numbersOf(peer);
      const due = numbersDue(state, segment, position);
      if (number !== due) wrong.push(`${nameOf(flags, segment)}: numbers ${due} but ${number}`);
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    expect(cases).toBeGreaterThan(2000);
  });

  test('CLOSED', () => {
    const position = { una: 1, nxt: 1, rcvNxt: 1, window: WINDOW };
    for (const { flags, segment } of arrivals(position)) {
      const packet = packetOf(flags, segment, position);
      const length = packet.length - IP_HEADER_BYTES;
      const answer = resetFor(packet, IP_HEADER_BYTES, length, testPath());
      const expected = outcomeOf('CLOSED', segment);
      const asked = new Segment();
      asked.read(packet, IP_HEADER_BYTES, length);
      const told = new Segment();
      if (answer !== undefined) told.read(answer, IP_HEADER_BYTES, answer.length - IP_HEADER_BYTES);
      const name = nameOf(flags, segment);
      const found = { flags: told.flags, sequence: told.sequence, ack: told.acknowledgment };
      const span = segment.length + Number(segment.syn) + Number(segment.fin);
      const wanted =
        expected.answer === 'nothing'
          ? { flags: 0, sequence: 0, ack: 0 }
          : expected.answer === 'RST'
            ? { flags: Flag.RST, sequence: asked.acknowledgment, ack: 0 }
            : { flags: Flag.RST | Flag.ACK, sequence: 0, ack: (asked.sequence + span) >>> 0 };
      expect({ name, ...found }).toEqual({ name, ...wanted });
    }
  });

  test('LISTEN', () => {
    const position = { una: 1, nxt: 1, rcvNxt: 1, window: WINDOW };
    for (const { flags, segment } of arrivals(position)) {
      const port = new Port();
      const packet = packetOf(flags, segment, position);
      const length = packet.length - IP_HEADER_BYTES;
      const key = port.key(9);
      const drop = port.listener.fromBelow(
        packet,
        IP_HEADER_BYTES,
        length,
        PSEUDO_HEADER_SUM,
        key,
        0,
      );
      const sent = port.takeSent();
      const answer = drop === Drop.NO_SOCKET ? 'RST' : sent.length === 1 ? 'SYN-ACK' : 'nothing';
      const state = port.callers.size === 1 ? 'SYN-RECEIVED passive' : 'LISTEN';
      const name = nameOf(flags, segment);
      const expected = outcomeOf('LISTEN', segment);
      expect(`${name}: ${state}, ${answer}`).toBe(`${name}: ${expected.state}, ${expected.answer}`);
    }
  });
});

function kindOf(text: string, peer: ScriptedPeer): string {
  if (peer.segments.some(({ payloadLength }) => payloadLength > 0)) return `data: ${text}`;
  const kinds: Record<string, string> = {
    A: 'ACK',
    R: 'RST',
    RA: 'RST+ACK',
    SA: 'SYN-ACK',
    FA: 'FIN',
  };
  return kinds[text.split(' ')[0] ?? ''] ?? text;
}

/** Sequence and acknowledgement number of the answer, from the initial ones. */
function numbersOf(peer: ScriptedPeer): string {
  const [segment] = peer.segments;
  if (segment === undefined) return 'none';
  const sequence = (segment.sequence - LOCAL_ISN) | 0;
  const ack = segment.has(Flag.ACK) ? `/${(segment.acknowledgment - REMOTE_ISN) | 0}` : '';
  return `${sequence}${ack}`;
}

/** What the RFC asks these numbers to be: SND.NXT and RCV.NXT, or SEG.ACK for a RST. */
function numbersDue(state: OracleState, segment: Arriving, at: Position): string {
  const { answer, advance } = outcomeOf(state, segment);
  if (answer === 'nothing') return 'none';
  if (answer === 'RST') return `${acknowledgmentOf(segment.place, at)}`;
  const rcvNxt = state === 'SYN-SENT' ? at.rcvNxt + segment.offset + 1 : at.rcvNxt;
  return `${answer === 'SYN-ACK' ? 0 : at.nxt}/${rcvNxt + advance}`;
}
