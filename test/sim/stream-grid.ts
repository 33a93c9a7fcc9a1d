import type { TcpOptions } from '../../src/netstack/tcp/tcp-options.ts';
import { SeededRandom } from './seeded-random.ts';
import type { LineOptions } from './sim-link.ts';
import { MAX_SEND_BYTES, type StreamPlan } from './stream-grid-end.ts';

/** Everything about one transfer, decided by its seed. */
export interface GridCase {
  readonly seed: number;
  readonly family: 4 | 6;
  readonly mtu: number;
  readonly routerMtu: number;
  /** Packets that wait between a stack and its tunnel. */
  readonly slots: number;
  readonly line: LineOptions & { readonly delayMs: number; readonly lossPercent: number };
  readonly leftTcp: Partial<TcpOptions>;
  readonly rightTcp: Partial<TcpOptions>;
  readonly left: StreamPlan;
  readonly right: StreamPlan;
}

const LOSS_PERCENT = [0, 0.1, 1, 5, 10] as const;
const REORDER_PERCENT = [0, 1, 10] as const;
const DUPLICATE_PERCENT = [0, 1, 10] as const;
const DELAY_MS = [1, 2, 5, 10, 20, 50, 100, 200] as const;
const MTUS = { 4: [576, 1280, 1400, 1500, 9000], 6: [1280, 1400, 1500, 9000] } as const;
const SMALLEST_MTU = { 4: 576, 6: 1280 } as const;
const RECEIVE_BUFFER_BYTES = [4096, 16_384, 65_536, 262_144] as const;
const SEND_BUFFER_BYTES = [8192, 65_536, 262_144] as const;
const CHUNK_BYTES = [100, 1000, 8192, 65_536] as const;
const SLOTS = [4, 64, 256] as const;

/**
 * The case of a seed. Loss, reordering and duplication go through all their combinations, 45 of
 * them; the rest is drawn.
 */
export function gridCase(seed: number): GridCase {
  const random = new SeededRandom(seed);
  const of = <V>(values: readonly V[]): V => at(values, random.uint32());
  const family = of([4, 6] as const);
  const mtu = of<number>(MTUS[family]);
  const delayMs = of(DELAY_MS);
  const oneIn = (count: number) => random.uint32() % count === 0;
  return {
    seed,
    family,
    mtu,
    routerMtu: oneIn(8) ? between(random, SMALLEST_MTU[family], mtu) : Number.POSITIVE_INFINITY,
    slots: of(SLOTS),
    line: {
      delayMs,
      lossPercent: at(LOSS_PERCENT, seed),
      reorderPercent: at(REORDER_PERCENT, Math.floor(seed / 5)),
      duplicatePercent: at(DUPLICATE_PERCENT, Math.floor(seed / 15)),
      jitterMs: oneIn(3) ? delayMs / 2 : 0,
      corruptPercent: oneIn(4) ? 1 : 0,
      ...(oneIn(2) && { reorderMs: delayMs / 2 }),
      ...(oneIn(8) && { burst: { beginPercent: 0.5, endPercent: 60 } }),
      ...(oneIn(4) && { rate: { bytesPerMs: of([50, 1250]), queueBytes: of([10_000, 100_000]) } }),
    },
    leftTcp: tcpOptions(random),
    rightTcp: tcpOptions(random),
    left: streamPlan(random),
    right: streamPlan(random),
  };
}

/** The case as one line that a report can print. */
export function describeCase(grid: GridCase): string {
  const { seed, family, mtu, routerMtu, line } = grid;
  const router = routerMtu === Number.POSITIVE_INFINITY ? '' : ` router ${routerMtu}`;
  return `seed ${seed}: IPv${family} mtu ${mtu}${router} ${JSON.stringify(line)}`;
}

function tcpOptions(random: SeededRandom): Partial<TcpOptions> {
  const receiveBufferBytes = at(RECEIVE_BUFFER_BYTES, random.uint32());
  return {
    receiveBufferBytes,
    ...(random.chance(50) && { maxReceiveBufferBytes: receiveBufferBytes }),
    sendBufferBytes: at(SEND_BUFFER_BYTES, random.uint32()),
    timestamps: random.chance(80),
    windowScaling: random.chance(80),
    sack: random.chance(80),
    ecn: random.chance(30),
  };
}

function streamPlan(random: SeededRandom): StreamPlan {
  const sendBytes = random.chance(10) ? random.uint32() % 3 : random.uint32() % MAX_SEND_BYTES;
  return {
    sendBytes,
    chunkBytes: at(CHUNK_BYTES, random.uint32()),
    from: random.uint32() % 60_000,
    readEveryMs: random.chance(10) ? 20 : 0,
  };
}

function between(random: SeededRandom, least: number, most: number): number {
  return least + (random.uint32() % (most - least + 1));
}

function at<V>(values: readonly V[], index: number): V {
  const value = values[index % values.length];
  if (value === undefined) throw new Error('expected a list that is not empty');
  return value;
}
