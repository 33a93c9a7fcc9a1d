import type { Answers } from './answers.ts';
import type { Line } from './transfer.ts';

/** One thing that was promised: what both clients reached, and what was wanted. */
export interface Goal {
  readonly what: string;
  readonly unit: string;
  /** Undefined where the C client has none. */
  readonly openvpn: number | undefined;
  readonly tundial: number;
  /** tundial's in parts of openvpn's, where there is one; else tundial's own. */
  readonly reached: number;
  readonly wanted: string;
  readonly met: boolean;
}

/** The least part of openvpn's rate, and the largest of its processor time. */
const TRANSFERS = {
  udp: { download: { rate: 1.3, cpu: 1 }, upload: { rate: 1.15, cpu: 1.2 } },
  tcp: { download: { rate: 1.3, cpu: undefined }, upload: { rate: 1.3, cpu: undefined } },
} as const;
/** A server that has a whole core to itself can do no more; counted for UDP downloads only. */
const SATURATED = 0.95;
const FIRST_REPLY = 0.5;
const PING = 1;
const OWN_CODE_NS = 1000;
const IDLE_FLOW_BYTES = 10 * 1024;

/** What is wanted of transfers. */
export function transferGoals(lines: readonly Line[]): Goal[] {
  return lines.flatMap(({ transport, direction, openvpn, tundial }) => {
    const { rate, cpu } = TRANSFERS[transport][direction];
    const what = `${transport} ${direction}`;
    const rates = atLeast(what, 'Mbit/s', openvpn.mbitPerSecond, tundial.mbitPerSecond, rate);
    const isSaturated = what === 'udp download' && tundial.serverLoad >= SATURATED;
    const rateGoal = isSaturated
      ? { ...rates, met: true, what: `${what}, server at its end` }
      : rates;
    if (cpu === undefined) return [rateGoal];
    return [rateGoal, atMost(what, 'CPU ms/MB', openvpn.tunnelCpu, tundial.tunnelCpu, cpu)];
  });
}

/** What is wanted of the first answers. */
export function answerGoals(openvpn: Answers, tundial: Answers): Goal[] {
  const added = ({ pingMs, directPingMs }: Answers) => pingMs - directPingMs;
  return [
    atMost('first reply', 'ms', openvpn.firstReplyMs, tundial.firstReplyMs, FIRST_REPLY),
    atMost('added to a ping', 'ms', added(openvpn), added(tundial), PING),
  ];
}

/** What is wanted of this process alone. @param ownCode nanoseconds a packet, down and up */
export function ownGoals(ownCode: { down: number; up: number }, idleFlowBytes: number): Goal[] {
  return [
    alone('own code a packet down', 'ns', ownCode.down, OWN_CODE_NS),
    alone('own code a packet up', 'ns', ownCode.up, OWN_CODE_NS),
    alone('idle TCP flow of 10,000', 'bytes', idleFlowBytes, IDLE_FLOW_BYTES),
  ];
}

function atLeast(
  what: string,
  unit: string,
  openvpn: number,
  tundial: number,
  least: number,
): Goal {
  const reached = tundial / openvpn;
  return { what, unit, openvpn, tundial, reached, wanted: `≥ ${least} ×`, met: reached >= least };
}

function atMost(what: string, unit: string, openvpn: number, tundial: number, most: number): Goal {
  const reached = tundial / openvpn;
  return { what, unit, openvpn, tundial, reached, wanted: `≤ ${most} ×`, met: reached <= most };
}

function alone(what: string, unit: string, tundial: number, most: number): Goal {
  const wanted = `≤ ${most}`;
  return {
    what,
    unit,
    openvpn: undefined,
    tundial,
    reached: tundial,
    wanted,
    met: tundial <= most,
  };
}

/** One line a goal. */
export function goalTable(goals: readonly Goal[]): string[] {
  const number = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(0));
  return goals.map(({ what, unit, openvpn, tundial, reached, wanted, met }) => {
    const theirs = openvpn === undefined ? '' : number(openvpn);
    const ratio = openvpn === undefined ? '' : `× ${reached.toFixed(2)}`;
    const cells = [theirs.padStart(8), number(tundial).padStart(8), ratio.padStart(8)];
    const row = [what.padEnd(32), unit.padEnd(10), ...cells, wanted.padEnd(10)];
    return `${row.join('  ')}${met ? 'met' : 'missed'}`;
  });
}
