import { describe, expect, test } from 'vitest';
import {
  mayReceive,
  maySend,
  nextState,
  TcpState,
  type TcpStep,
} from '../../../src/netstack/tcp/state.ts';

const STEPS: readonly TcpStep[] = [
  'active-open',
  'passive-open',
  'syn',
  'syn-ack',
  'ack-of-syn',
  'close',
  'fin',
  'ack-of-fin',
  'time-wait-over',
  'delete',
];

/** RFC 9293 §3.3.2, figure 5: a dash is a step that cannot happen. Columns as in `STEPS`. */
const FIGURE = `
CLOSED       SYN-SENT LISTEN -            -           -           -          -          -          -      -
LISTEN       -        -      SYN-RECEIVED -           -           -          -          -          -      CLOSED
SYN-SENT     -        -      SYN-RECEIVED ESTABLISHED -           -          -          -          -      CLOSED
SYN-RECEIVED -        -      -            -           ESTABLISHED -          -          -          -      CLOSED
ESTABLISHED  -        -      -            -           -           FIN-WAIT-1 CLOSE-WAIT -          -      CLOSED
FIN-WAIT-1   -        -      -            -           -           -          CLOSING    FIN-WAIT-2 -      CLOSED
FIN-WAIT-2   -        -      -            -           -           -          TIME-WAIT  -          -      CLOSED
CLOSE-WAIT   -        -      -            -           -           LAST-ACK   -          -          -      CLOSED
CLOSING      -        -      -            -           -           -          -          TIME-WAIT  -      CLOSED
LAST-ACK     -        -      -            -           -           -          -          CLOSED     -      CLOSED
TIME-WAIT    -        -      -            -           -           -          -          -          CLOSED CLOSED
`;

const rows = FIGURE.trim()
  .split('\n')
  .map((line) => line.split(/ +/));

describe('nextState', () => {
  test('every state is in the figure', () => {
    expect(rows.map(([state]) => state)).toEqual(Object.values(TcpState));
  });

  test.each(
    rows.flatMap(([state = '', ...targets]) =>
      targets.map((target, index) => ({
        state: state as TcpState,
        step: STEPS[index] ?? 'delete',
        target,
      })),
    ),
  )('$state, $step: $target', ({ state, step, target }) => {
    if (target === '-') expect(() => nextState(state, step)).toThrow(`${step} in ${state}`);
    else expect(nextState(state, step)).toBe(target);
  });
});

test('who may send and receive', () => {
  const states = Object.values(TcpState);
  expect(states.filter(maySend)).toEqual(['ESTABLISHED', 'CLOSE-WAIT']);
  expect(states.filter(mayReceive)).toEqual(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2']);
});
