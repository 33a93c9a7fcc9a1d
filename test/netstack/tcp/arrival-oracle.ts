import type { TcpState } from '../../../src/netstack/tcp/state.ts';

/**
 * What RFC 9293 §3.10.7 says of a segment that arrives, as tables, with RFC 5961 (challenge
 * acknowledgements), RFC 1337 (no reset in TIME-WAIT), and nothing of our code.
 */

/** SYN-RECEIVED by a SYN to a listener, and by one that crossed ours. */
export type OracleState = TcpState | 'SYN-RECEIVED passive' | 'SYN-RECEIVED active';

/** Where the acknowledgement number stands: `una` is SND.UNA, `nxt` SND.NXT where that is more. */
export type AckPlace = 'ancient' | 'old' | 'una' | 'nxt' | 'future';

export interface Arriving {
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly ack: boolean;
  readonly length: number;
  /** Distance of the sequence number from RCV.NXT. */
  readonly offset: number;
  readonly place: AckPlace;
  readonly window: number;
}

/** `ACK`: of what was received; `RST`: with the number of the segment's acknowledgement. */
export type Answer = 'nothing' | 'ACK' | 'RST' | 'RST+ACK' | 'SYN-ACK';

export interface Outcome {
  readonly state: OracleState;
  readonly answer: Answer;
  /** Payload bytes that the application gets. */
  readonly delivered: number;
  /** How far RCV.NXT moves, behind the SYN where one came. */
  readonly advance: number;
}

type Check = (segment: Arriving) => boolean;
type Rule = readonly [when: Check, state: OracleState, answer: Answer];

const always: Check = () => true;
const hasRst: Check = ({ rst }) => rst;
const acksSyn: Check = ({ ack, place }) => ack && place === 'nxt';
const wrongAck: Check = ({ ack, place }) => ack && place !== 'nxt';
const both =
  (one: Check, other: Check): Check =>
  (segment) =>
    one(segment) && other(segment);

/** §3.10.7.1 to §3.10.7.3: the first line that fits. */
const UNSYNCHRONIZED: Readonly<Record<'CLOSED' | 'LISTEN' | 'SYN-SENT', readonly Rule[]>> = {
  CLOSED: [
    [hasRst, 'CLOSED', 'nothing'],
    [({ ack }) => ack, 'CLOSED', 'RST'],
    [always, 'CLOSED', 'RST+ACK'],
  ],
  LISTEN: [
    [hasRst, 'LISTEN', 'nothing'],
    [({ ack }) => ack, 'LISTEN', 'RST'],
    [({ syn }) => syn, 'SYN-RECEIVED passive', 'SYN-ACK'],
    [always, 'LISTEN', 'nothing'],
  ],
  'SYN-SENT': [
    [both(wrongAck, hasRst), 'SYN-SENT', 'nothing'],
    [wrongAck, 'SYN-SENT', 'RST'],
    [both(hasRst, acksSyn), 'CLOSED', 'nothing'],
    [hasRst, 'SYN-SENT', 'nothing'],
    [({ syn }) => !syn, 'SYN-SENT', 'nothing'],
    [both(acksSyn, ({ fin }) => fin), 'CLOSE-WAIT', 'ACK'],
    [acksSyn, 'ESTABLISHED', 'ACK'],
    [always, 'SYN-RECEIVED active', 'SYN-ACK'],
  ],
};

/** §3.10.7.4, fifth check: the state after the acknowledgement of all that we sent. */
const AFTER_ACK: Readonly<Partial<Record<OracleState, OracleState>>> = {
  'SYN-RECEIVED passive': 'ESTABLISHED',
  'SYN-RECEIVED active': 'ESTABLISHED',
  'FIN-WAIT-1': 'FIN-WAIT-2',
  CLOSING: 'TIME-WAIT',
  'LAST-ACK': 'CLOSED',
};

/** §3.10.7.4, eighth check: the state after the peer's FIN. */
const AFTER_FIN: Readonly<Partial<Record<OracleState, OracleState>>> = {
  ESTABLISHED: 'CLOSE-WAIT',
  'FIN-WAIT-1': 'CLOSING',
  'FIN-WAIT-2': 'TIME-WAIT',
};

/** Seventh check: the states in which text is taken. */
const TAKES_TEXT: readonly OracleState[] = ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'];

export function outcomeOf(state: OracleState, segment: Arriving): Outcome {
  if (state === 'CLOSED' || state === 'LISTEN' || state === 'SYN-SENT') {
    return unsynchronized(state, segment);
  }
  return synchronized(state, segment);
}

function unsynchronized(state: keyof typeof UNSYNCHRONIZED, segment: Arriving): Outcome {
  const rule = UNSYNCHRONIZED[state].find(([when]) => when(segment));
  if (rule === undefined) throw new Error('the tables are not complete');
  const [, next, answer] = rule;
  const { length } = segment;
  if (next === 'ESTABLISHED') return { state: next, answer, delivered: length, advance: length };
  if (next === 'CLOSE-WAIT') return { state: next, answer, delivered: length, advance: length + 1 };
  // Text that comes with a SYN that crossed ours is queued until the handshake is over.
  const queued = next === 'SYN-RECEIVED active' ? length : 0;
  return { state: next, answer, delivered: 0, advance: queued };
}

function synchronized(before: OracleState, segment: Arriving): Outcome {
  const stays = (answer: Answer): Outcome => ({ state: before, answer, delivered: 0, advance: 0 });
  const opening = before.startsWith('SYN-RECEIVED');
  // First: the sequence number.
  if (!isAcceptable(segment)) {
    if (segment.rst) return stays('nothing');
    const repeated = opening && segment.syn && !segment.ack && segment.offset === -1;
    return stays(repeated ? 'SYN-ACK' : 'ACK');
  }
  // Second: RST.
  if (segment.rst) {
    if (before === 'TIME-WAIT') return stays('nothing');
    if (segment.offset !== 0) return stays('ACK');
    return { state: 'CLOSED', answer: 'nothing', delivered: 0, advance: 0 };
  }
  // Fourth: SYN. A half-open caller goes back to LISTEN.
  if (segment.syn) {
    if (before !== 'SYN-RECEIVED passive') return stays('ACK');
    return { state: 'CLOSED', answer: 'nothing', delivered: 0, advance: 0 };
  }
  // Fifth: ACK.
  if (!segment.ack) return stays('nothing');
  if (opening && segment.place !== 'nxt') return stays('RST');
  if (segment.place === 'ancient' || segment.place === 'future') return stays('ACK');
  const state = segment.place === 'nxt' ? (AFTER_ACK[before] ?? before) : before;
  if (state === 'CLOSED') return { state, answer: 'nothing', delivered: 0, advance: 0 };
  return takeText(state, segment);
}

/** Table 6; an empty segment may stand at the edge too: there a peer stands that filled the window. */
function isAcceptable({ syn, fin, length, offset, window }: Arriving): boolean {
  const span = length + Number(syn) + Number(fin);
  if (span === 0) return offset >= 0 && offset <= window;
  const last = offset + span - 1;
  return (offset >= 0 && offset < window) || (last >= 0 && last < window);
}

/** Sixth to eighth check; urgent data is text like other. */
function takeText(state: OracleState, { length, fin, offset, window }: Arriving): Outcome {
  if (length === 0 && !fin) return { state, answer: 'nothing', delivered: 0, advance: 0 };
  if (!TAKES_TEXT.includes(state)) return { state, answer: 'ACK', delivered: 0, advance: 0 };
  const inOrder = offset <= 0;
  const end = offset + length;
  const finTaken = fin && inOrder && end >= 0 && end <= window;
  const delivered = inOrder ? Math.max(Math.min(end, window), 0) : 0;
  return {
    state: finTaken ? (AFTER_FIN[state] ?? state) : state,
    answer: 'ACK',
    delivered,
    advance: delivered + Number(finTaken),
  };
}
