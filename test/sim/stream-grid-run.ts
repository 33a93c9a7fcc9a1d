import type { Millis } from '../../src/core/machine.ts';
import { address, NetstackPair } from './netstack-pair.ts';
import { describeCase, type GridCase, gridCase } from './stream-grid.ts';
import { digestOfPlan, StreamGridEnd } from './stream-grid-end.ts';

const PORT = 80;
/** After this both ends' TIME-WAIT is over. */
const AFTERMATH_MS = 300_000;

/** Some burst of 10,000 seeds loses eleven answers in a row, which is three minutes of backing off. */
const BURST_MS = 300_000;

/** What came of a transfer. */
export interface GridOutcome {
  /** What is wrong, with the seed and the line; undefined when nothing is. */
  readonly fault: string | undefined;
  /** Virtual time until both ends were closed, and what the case was given for it. */
  readonly tookMs: Millis;
  readonly limitMs: Millis;
}

/** Streams both ways at once, over the line of `seed`; checks what arrives and what stays behind. */
export function runSeed(seed: number): GridOutcome {
  const grid = gridCase(seed);
  const pair = new NetstackPair(grid);
  const { clock } = pair;
  const left = new StreamGridEnd(clock, grid.left);
  const rights: StreamGridEnd[] = [];
  pair.right.listenTcp({ port: PORT }, (connection) => {
    const end = new StreamGridEnd(clock, grid.right).start(connection);
    rights.push(end);
    return end;
  });
  left.start(pair.left.connectTcp(address(grid.family === 4 ? '10.8.0.2' : 'fd00::2'), PORT, left));
  const limitMs = timeLimit(grid);
  const over = () => left.closings.length > 0 && (rights[0]?.closings.length ?? 0) > 0;
  const inTime = pair.runUntil(over, limitMs);
  const tookMs = clock.now();
  pair.runUntil(() => false, AFTERMATH_MS);
  const faults = [
    ...(inTime ? [] : [`not over in ${limitMs} ms`]),
    ...(rights.length === 1 ? [] : [`${rights.length} connections were accepted`]),
    ...endFaults('left', left, grid.right),
    ...rights.flatMap((right) => endFaults('right', right, grid.left)),
    ...remains(pair),
  ];
  const fault = faults.length === 0 ? undefined : `${describeCase(grid)}: ${faults.join('; ')}`;
  return { fault, tookMs, limitMs };
}

/**
 * How long the transfer may take: its bytes at a window of a few segments, and at the line's rate,
 * and some timeouts for every percent that is lost.
 */
function timeLimit({ line, mtu, left, right }: GridCase): Millis {
  const roundTripMs = 2 * (line.delayMs + (line.jitterMs ?? 0)) + 100;
  const bytes = Math.max(left.sendBytes, right.sendBytes);
  const segments = 20 + bytes / Math.min(mtu, 1500);
  const readMs = Math.max(left.readEveryMs, right.readEveryMs);
  const rateMs = line.rate === undefined ? 0 : bytes / line.rate.bytesPerMs;
  const base = line.burst === undefined ? 60_000 : BURST_MS;
  return base + segments * (roundTripMs + readMs) + 4 * rateMs + 10_000 * line.lossPercent;
}

function endFaults(side: string, end: StreamGridEnd, theirs: GridCase['left']): string[] {
  const { closings, ended, receivedBytes } = end;
  const whole = receivedBytes === theirs.sendBytes && end.digest === digestOfPlan(theirs);
  return [
    ...(whole ? [] : [`${side} received ${receivedBytes} of ${theirs.sendBytes} bytes, or others`]),
    ...(ended ? [] : [`${side} heard no end`]),
    ...(closings.length === 1 && closings[0] === undefined
      ? []
      : [`${side} closed: ${closings.map((failure) => failure ?? 'in order').join(', ')}`]),
  ];
}

/** Flows and timers that are still there. */
function remains({ left, right, clock }: NetstackPair): string[] {
  const flows = left.stats().tcpFlows + right.stats().tcpFlows;
  return [
    ...(flows === 0 ? [] : [`${flows} flows stay`]),
    ...(clock.nextAt === Number.POSITIVE_INFINITY && !clock.busy ? [] : ['a timer stays']),
  ];
}
