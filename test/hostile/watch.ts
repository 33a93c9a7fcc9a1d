import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Logger } from '../../src/core/log.ts';

/** What a mode has cost. The server's work in the same process is in it. */
export interface Figures {
  /** Most that the process has grown since the beginning. */
  readonly rssGrowthMiB: number;
  /** How late a timer was, 99 of 100 times, by the clock: other programs' work is in it. */
  readonly loopP99Ms: number;
  /** The same by the time that the processor has worked for this process. */
  readonly busyP99Ms: number;
  readonly logLines: number;
  /** Most lines of one client within one second. */
  readonly linesPerSecond: number;
}

/** Unit: milliseconds. */
const TICK_MS = 5;
const MIB = 1024 * 1024;

/** Looks at the process while a mode runs: memory, event loop, log, and what nobody has caught. */
export class Watch {
  /** Every line of every client. */
  readonly log: string[] = [];
  /** Errors that reached the process. */
  readonly uncaught: unknown[] = [];
  /** When each client wrote its lines. */
  readonly #loggedAt: number[][] = [];
  readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: TICK_MS });
  readonly #base: number;
  readonly #timer: NodeJS.Timeout;
  readonly #keep = (thrown: unknown): void => {
    this.uncaught.push(thrown);
  };
  /** Work between two ticks. Unit: milliseconds. */
  readonly #busy: number[] = [];
  #cpu: NodeJS.CpuUsage;
  #peak = 0;
  #figures: Figures | undefined;

  constructor() {
    collectGarbage();
    this.#base = process.memoryUsage.rss();
    process.on('uncaughtExceptionMonitor', this.#keep);
    process.on('unhandledRejection', this.#keep);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#loop.enable();
    this.#cpu = process.cpuUsage();
  }

  /** The logger of one client. */
  logger(): Logger {
    const loggedAt: number[] = [];
    this.#loggedAt.push(loggedAt);
    return (_level, layer, text) => {
      this.log.push(`${layer}: ${text}`);
      loggedAt.push(performance.now());
    };
  }

  /** Only once it has stopped. */
  get figures(): Figures {
    if (this.#figures === undefined) throw new Error('the watch goes on');
    return this.#figures;
  }

  /** Ends it. Once. */
  stop(): void {
    this.#loop.disable();
    this.#tick();
    clearInterval(this.#timer);
    process.off('uncaughtExceptionMonitor', this.#keep);
    process.off('unhandledRejection', this.#keep);
    const sorted = this.#busy.sort((a, b) => a - b);
    const busyMs = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    this.#figures = {
      rssGrowthMiB: Math.round((this.#peak - this.#base) / MIB),
      loopP99Ms: late(this.#loop.percentile(99) / 1e6),
      busyP99Ms: late(busyMs),
      logLines: this.log.length,
      linesPerSecond: Math.max(0, ...this.#loggedAt.map(busiestSecond)),
    };
  }

  #tick(): void {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    this.#busy.push((user + system) / 1000);
    this.#peak = Math.max(this.#peak, process.memoryUsage.rss());
  }
}

function late(ms: number): number {
  return Math.max(0, Math.round(ms - TICK_MS));
}

/** Frees all that nobody holds. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

function busiestSecond(times: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, at] of times.entries()) {
    while ((times[first] ?? at) <= at - 1000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
