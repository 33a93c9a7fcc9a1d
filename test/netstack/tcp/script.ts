import { serialAdd } from '../../../src/core/serial.ts';
import type { TcpConnection } from '../../../src/netstack/tcp/connection.ts';
import type { TcpState } from '../../../src/netstack/tcp/state.ts';
import type { TcpOptions } from '../../../src/netstack/tcp/tcp-options.ts';
import { type Extras, inState, LOCAL_ISN, type ScriptedPeer } from './scripted-peer.ts';

/**
 * One step of a script; distances are from the initial sequence numbers.
 *
 * - `in`: a segment comes; `out`: exactly what is sent for it
 * - `do`: the application acts; `out`: what is sent for it
 * - `wait`: time passes; `out`: what is sent meanwhile, each with its moment
 * - `icmp`, `tooBig`: an error about the segment at that distance comes
 * - `state`, `events`: where the connection stands then, and what its owner has heard
 */
export interface Step {
  readonly in?: readonly [flags: string, sequence: number, ack: number, extras?: Extras];
  readonly do?: (connection: TcpConnection) => unknown;
  readonly wait?: number;
  readonly icmp?: readonly [kind: 'unreachable' | 'network-unreachable' | 'refused', at: number];
  readonly tooBig?: readonly [mtu: number, at: number];
  readonly out?: readonly string[];
  readonly state?: TcpState;
  readonly events?: readonly string[];
}

export interface Script {
  readonly name: string;
  readonly from: TcpState;
  readonly options?: Partial<TcpOptions>;
  readonly steps: readonly Step[];
}

/** Runs a script; one line per step of what was seen and of what was wanted. */
export function run({ from, options = {}, steps }: Script): { seen: string[]; wanted: string[] } {
  const peer = inState(from, { sack: false, ...options });
  const seen: string[] = [];
  const wanted: string[] = [];
  steps.forEach((step, index) => {
    const out = act(peer, step);
    const parts = (sent: readonly string[], state: string, events: readonly string[]) =>
      `${index}: [${sent.join(', ')}] ${state} ${events.join(', ')}`;
    const events = peer.events.splice(0);
    seen.push(parts(out, peer.state, step.events === undefined ? [] : events));
    wanted.push(parts(step.out ?? [], step.state ?? peer.state, step.events ?? []));
  });
  return { seen, wanted };
}

function act(peer: ScriptedPeer, step: Step): string[] {
  const { connection } = peer;
  if (step.in !== undefined) peer.send(...step.in);
  if (step.do !== undefined) step.do(connection);
  if (step.icmp !== undefined) {
    connection.icmpError(step.icmp[0], serialAdd(LOCAL_ISN, step.icmp[1]));
  }
  if (step.tooBig !== undefined) {
    const [mtu, at] = step.tooBig;
    connection.pathMtu(mtu, serialAdd(LOCAL_ISN, at), peer.now);
  }
  return step.wait === undefined ? peer.take() : peer.pass(step.wait);
}
