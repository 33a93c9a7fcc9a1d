/**
 * The states of RFC 9293 §3.3.2.
 *
 *                  active-open ┌────────┐ passive-open
 *             ┌────────────────┤ CLOSED ├───────────────┐
 *             ▼                └────────┘               ▼
 *        ┌──────────┐    syn    ┌──────────────┐  syn ┌────────┐
 *        │ SYN-SENT ├──────────▶│ SYN-RECEIVED │◀─────┤ LISTEN │
 *        └────┬─────┘           └──────┬───────┘      └────────┘
 *     syn-ack │        ack-of-syn      │
 *             ▼                        ▼
 *             └────▶┌─────────────┐◀───┘
 *             close │ ESTABLISHED │ fin
 *            ┌──────┴─────────────┴───────┐
 *            ▼                            ▼
 *     ┌────────────┐  fin  ┌─────────┐  ┌────────────┐
 *     │ FIN-WAIT-1 ├──────▶│ CLOSING │  │ CLOSE-WAIT │
 *     └─────┬──────┘       └────┬────┘  └─────┬──────┘
 *           │ ack-of-fin        │ ack-of-fin  │ close
 *           ▼                   ▼             ▼
 *     ┌────────────┐  fin  ┌───────────┐  ┌──────────┐ ack-of-fin
 *     │ FIN-WAIT-2 ├──────▶│ TIME-WAIT │  │ LAST-ACK ├───────────▶ CLOSED
 *     └────────────┘       └─────┬─────┘  └──────────┘
 *                                └─ time-wait-over ─▶ CLOSED        any state ─ delete ─▶ CLOSED
 */
export const TcpState = {
  CLOSED: 'CLOSED',
  LISTEN: 'LISTEN',
  SYN_SENT: 'SYN-SENT',
  SYN_RECEIVED: 'SYN-RECEIVED',
  ESTABLISHED: 'ESTABLISHED',
  FIN_WAIT_1: 'FIN-WAIT-1',
  FIN_WAIT_2: 'FIN-WAIT-2',
  CLOSE_WAIT: 'CLOSE-WAIT',
  CLOSING: 'CLOSING',
  LAST_ACK: 'LAST-ACK',
  TIME_WAIT: 'TIME-WAIT',
} as const;
export type TcpState = (typeof TcpState)[keyof typeof TcpState];

/** What moves a connection from state to state. `delete`: a reset, an abort, a timeout. */
export type TcpStep =
  | 'active-open'
  | 'passive-open'
  | 'syn'
  | 'syn-ack'
  | 'ack-of-syn'
  | 'close'
  | 'fin'
  | 'ack-of-fin'
  | 'time-wait-over'
  | 'delete';

type Steps = Readonly<Partial<Record<TcpStep, TcpState>>>;

/** Legal steps. A pair that is not here is our bug: what the peer may not do is refused before. */
export const TRANSITIONS: Readonly<Record<TcpState, Steps>> = {
  CLOSED: { 'active-open': 'SYN-SENT', 'passive-open': 'LISTEN' },
  LISTEN: { syn: 'SYN-RECEIVED', delete: 'CLOSED' },
  'SYN-SENT': { syn: 'SYN-RECEIVED', 'syn-ack': 'ESTABLISHED', delete: 'CLOSED' },
  'SYN-RECEIVED': { 'ack-of-syn': 'ESTABLISHED', delete: 'CLOSED' },
  ESTABLISHED: { close: 'FIN-WAIT-1', fin: 'CLOSE-WAIT', delete: 'CLOSED' },
  'FIN-WAIT-1': { 'ack-of-fin': 'FIN-WAIT-2', fin: 'CLOSING', delete: 'CLOSED' },
  'FIN-WAIT-2': { fin: 'TIME-WAIT', delete: 'CLOSED' },
  'CLOSE-WAIT': { close: 'LAST-ACK', delete: 'CLOSED' },
  CLOSING: { 'ack-of-fin': 'TIME-WAIT', delete: 'CLOSED' },
  'LAST-ACK': { 'ack-of-fin': 'CLOSED', delete: 'CLOSED' },
  'TIME-WAIT': { 'time-wait-over': 'CLOSED', delete: 'CLOSED' },
};

/** The state after `step`. @throws Error for a pair that is not in {@link TRANSITIONS} */
export function nextState(state: TcpState, step: TcpStep): TcpState {
  const next = TRANSITIONS[state][step];
  if (next === undefined) throw new Error(`tcp: ${step} in ${state}`);
  return next;
}

/** Whether the application may still send: neither closed nor asked to close. */
export function maySend(state: TcpState): boolean {
  return state === TcpState.ESTABLISHED || state === TcpState.CLOSE_WAIT;
}

/** Whether the peer may still send data. */
export function mayReceive(state: TcpState): boolean {
  return (
    state === TcpState.ESTABLISHED || state === TcpState.FIN_WAIT_1 || state === TcpState.FIN_WAIT_2
  );
}
