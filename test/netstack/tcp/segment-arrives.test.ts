import { describe, expect, test } from 'vitest';
import type { TcpState } from '../../../src/netstack/tcp/state.ts';
import { type Extras, inState } from './scripted-peer.ts';

/** What comes: flags, distances from the initial sequence numbers, extras; what must follow. */
interface Case {
  readonly name: string;
  readonly segment: readonly [flags: string, sequence: number, ack: number, extras?: Extras];
  readonly state: TcpState;
  readonly sent: readonly string[];
  readonly events?: readonly string[];
}

/** RFC 9293 §3.10.7.3. */
const SYN_SENT: readonly Case[] = [
  { name: 'ACK of nothing we sent', segment: ['A', 0, 0], state: 'SYN-SENT', sent: ['R 0'] },
  { name: 'ACK beyond our SYN', segment: ['A', 0, 2], state: 'SYN-SENT', sent: ['R 2'] },
  { name: 'SYN-ACK with a wrong ACK', segment: ['SA', 0, 0], state: 'SYN-SENT', sent: ['R 0'] },
  { name: 'RST with a wrong ACK', segment: ['RA', 0, 7], state: 'SYN-SENT', sent: [] },
  { name: 'RST without ACK', segment: ['R', 0, 0], state: 'SYN-SENT', sent: [] },
  {
    name: 'RST with the right ACK',
    segment: ['RA', 0, 1],
    state: 'CLOSED',
    sent: [],
    events: ['closed refused'],
  },
  { name: 'FIN alone', segment: ['F', 0, 0], state: 'SYN-SENT', sent: [] },
  { name: 'the right ACK alone', segment: ['A', 0, 1], state: 'SYN-SENT', sent: [] },
  { name: 'data alone', segment: ['', 0, 0, { data: 5 }], state: 'SYN-SENT', sent: [] },
  { name: 'SYN', segment: ['S', 0, 0], state: 'SYN-RECEIVED', sent: ['SA 0/1'] },
  {
    name: 'SYN-ACK',
    segment: ['SA', 0, 1],
    state: 'ESTABLISHED',
    sent: ['A 1/1'],
    events: ['connected'],
  },
  {
    name: 'SYN-ACK with data',
    segment: ['SA', 0, 1, { data: 5 }],
    state: 'ESTABLISHED',
    sent: ['A 1/6'],
    events: ['connected', 'readable'],
  },
  {
    name: 'SYN-ACK with FIN',
    segment: ['SFA', 0, 1],
    state: 'CLOSE-WAIT',
    sent: ['A 1/2'],
    events: ['connected', 'readable'],
  },
];

/** RFC 9293 §3.10.7.4, of a connection that a listener has begun. */
const SYN_RECEIVED: readonly Case[] = [
  { name: 'the SYN again', segment: ['S', 0, 0], state: 'SYN-RECEIVED', sent: ['SA 0/1'] },
  {
    name: 'data out of the window',
    segment: ['A', -9, 1, { data: 5 }],
    state: 'SYN-RECEIVED',
    sent: ['A 1/1'],
  },
  { name: 'RST', segment: ['R', 1, 0], state: 'CLOSED', sent: [], events: ['closed reset'] },
  { name: 'RST in the window', segment: ['R', 9, 0], state: 'SYN-RECEIVED', sent: ['A 1/1'] },
  { name: 'RST out of the window', segment: ['R', -1, 0], state: 'SYN-RECEIVED', sent: [] },
  {
    name: 'SYN in the window',
    segment: ['S', 1, 0],
    state: 'CLOSED',
    sent: [],
    events: ['closed reset'],
  },
  { name: 'nothing', segment: ['', 1, 0], state: 'SYN-RECEIVED', sent: [] },
  { name: 'FIN without ACK', segment: ['F', 1, 0], state: 'SYN-RECEIVED', sent: [] },
  { name: 'ACK of nothing we sent', segment: ['A', 1, 0], state: 'SYN-RECEIVED', sent: ['R 0'] },
  { name: 'ACK beyond our SYN', segment: ['A', 1, 2], state: 'SYN-RECEIVED', sent: ['R 2'] },
  { name: 'ACK', segment: ['A', 1, 1], state: 'ESTABLISHED', sent: [], events: ['connected'] },
  {
    name: 'ACK with data',
    segment: ['A', 1, 1, { data: 5 }],
    state: 'ESTABLISHED',
    sent: ['A 1/6'],
    events: ['connected', 'readable'],
  },
  {
    name: 'ACK with data and FIN',
    segment: ['FA', 1, 1, { data: 5 }],
    state: 'CLOSE-WAIT',
    sent: ['A 1/7'],
    events: ['connected', 'readable'],
  },
];

const SYNCHRONIZED: readonly TcpState[] = [
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
];

/** Where our next byte and the peer's next byte stand in a state. */
function position(state: TcpState): { local: number; remote: number; unacknowledged: number } {
  const weSentFin = state !== 'ESTABLISHED' && state !== 'CLOSE-WAIT';
  const finUnknown = state === 'FIN-WAIT-1' || state === 'CLOSING' || state === 'LAST-ACK';
  const peerSentFin = !['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'].includes(state);
  const local = weSentFin ? 2 : 1;
  return { local, remote: peerSentFin ? 2 : 1, unacknowledged: finUnknown ? 1 : local };
}

describe.each([
  { state: 'SYN-SENT' as const, cases: SYN_SENT },
  { state: 'SYN-RECEIVED' as const, cases: SYN_RECEIVED },
])('in $state', ({ state, cases }) => {
  test.each(cases)('$name', ({ segment: [flags, sequence, ack, extras], ...expected }) => {
    const peer = inState(state);
    peer.send(flags, sequence, ack, extras);
    expect(peer.take()).toEqual(expected.sent);
    expect(peer.state).toBe(expected.state);
    expect(peer.events).toEqual(expected.events ?? []);
  });
});

describe.each(SYNCHRONIZED.map((state) => ({ state })))('in $state', ({ state }) => {
  const { local, remote, unacknowledged } = position(state);
  const answer = [`A ${local}/${remote}`];

  test.each([
    { name: 'data before the window', flags: 'A', sequence: remote - 9, extras: { data: 5 } },
    { name: 'data behind the window', flags: 'A', sequence: 70_000, extras: { data: 5 } },
    { name: 'an empty segment before the window', flags: 'A', sequence: remote - 2, extras: {} },
    { name: 'a SYN before the window', flags: 'S', sequence: 0, extras: {} },
    { name: 'a SYN in the window', flags: 'S', sequence: remote, extras: {} },
    { name: 'a SYN-ACK in the window', flags: 'SA', sequence: remote + 5, extras: {} },
  ])('$name is answered and changes nothing', ({ flags, sequence, extras }) => {
    const peer = inState(state);
    peer.send(flags, sequence, unacknowledged, extras);
    expect(peer.take()).toEqual(answer);
    expect(peer.state).toBe(state);
    expect(peer.events).toEqual([]);
  });

  test.each([
    { name: 'before', sequence: remote - 1, sent: [] },
    { name: 'in', sequence: remote + 1, sent: state === 'TIME-WAIT' ? [] : answer },
    { name: 'behind', sequence: 70_000, sent: [] },
  ])('a RST $name the window does not reset', ({ sequence, sent }) => {
    const peer = inState(state);
    peer.send('R', sequence, 0);
    expect(peer.take()).toEqual(sent);
    expect(peer.state).toBe(state);
  });

  test('an exact RST resets, but not TIME-WAIT', () => {
    const peer = inState(state);
    peer.send('R', remote, 0);
    expect(peer.take()).toEqual([]);
    expect(peer.state).toBe(state === 'TIME-WAIT' ? state : 'CLOSED');
    expect(peer.events).toEqual(state === 'TIME-WAIT' ? [] : ['closed reset']);
    if (state !== 'TIME-WAIT') expect(peer.connection.done).toBe(true);
  });

  test('a segment without ACK is dropped', () => {
    const peer = inState(state);
    peer.send('', remote, 0, { data: 5 });
    peer.send('F', remote, 0);
    expect(peer.take()).toEqual([]);
    expect(peer.state).toBe(state);
  });

  test.each([
    { name: 'of what was never sent', ack: local + 1 },
    { name: 'far too old', ack: local - 70_000 },
  ])('an ACK $name is answered, its data refused', ({ ack }) => {
    const peer = inState(state);
    peer.send('A', remote, ack, { data: 5 });
    expect(peer.take()).toEqual(answer);
    expect(peer.connection.info().bytesReceived).toBe(0);
  });

  test('an old ACK is passed over, its data taken where data may come', () => {
    const peer = inState(state);
    peer.send('A', remote, 0, { data: 5 });
    const taken = remote === 1;
    expect(peer.take()).toEqual(taken ? [`A ${local}/6`] : answer);
    expect(peer.readAll().length).toBe(taken ? 5 : 0);
  });

  test('the FIN', () => {
    const peer = inState(state);
    peer.send('FA', remote, unacknowledged);
    const after: Partial<Record<TcpState, TcpState>> = {
      ESTABLISHED: 'CLOSE-WAIT',
      'FIN-WAIT-1': 'CLOSING',
      'FIN-WAIT-2': 'TIME-WAIT',
    };
    expect(peer.state).toBe(after[state] ?? state);
    expect(peer.take()).toEqual([`A ${local}/2`]);
  });

  test('the ACK of our FIN', () => {
    const peer = inState(state);
    peer.send('A', remote, 2);
    const after: Partial<Record<TcpState, TcpState>> = {
      'FIN-WAIT-1': 'FIN-WAIT-2',
      CLOSING: 'TIME-WAIT',
      'LAST-ACK': 'CLOSED',
    };
    expect(peer.state).toBe(after[state] ?? state);
    const ended = state === 'CLOSING' || state === 'LAST-ACK';
    expect(peer.events).toEqual(ended ? ['closed in order'] : []);
  });
});

test('CLOSED takes nothing', () => {
  const peer = inState('LAST-ACK');
  peer.send('A', 2, 2);
  for (const flags of ['S', 'SA', 'A', 'FA', 'R']) peer.send(flags, 2, 2, { data: 5 });
  expect(peer.take()).toEqual([]);
  expect(peer.connection.done).toBe(true);
});
