import { Bench } from 'tinybench';
import { allocatedBytes } from './allocated.ts';
import type { Row } from './row.ts';

/** One operation to be timed. */
export interface Task {
  readonly task: string;
  /** Payload that one operation carries; 0 for none. */
  readonly bytes: number;
  readonly run: () => void;
  readonly note?: string;
}

/** Operations in one timed call, so that the clock costs nothing. */
const CALLS = 64;
const TIME_MS = 400;

/** Times the tasks one after the other; the median counts, because the machine may be busy. */
export async function measure(tasks: readonly Task[]): Promise<Row[]> {
  const timing = new Bench({ time: TIME_MS, warmupTime: TIME_MS / 4 });
  for (const { task, run } of tasks) {
    timing.add(task, batchOf(run));
  }
  await timing.run();
  return tasks.map((task, index) => {
    const result = timing.tasks[index]?.result;
    if (result === undefined || !('latency' in result)) {
      throw new Error(`${task.task} did not finish`);
    }
    const row = rowOf(task, (result.latency.p50 * 1e6) / CALLS);
    return { ...row, allocatedBytes: allocatedBytes(batchOf(task.run), CALLS) };
  });
}

function batchOf(run: () => void): () => void {
  return () => {
    for (let call = 0; call < CALLS; call += 1) run();
  };
}

/** The row of an operation that takes so many nanoseconds. */
export function rowOf({ task, bytes, note }: Omit<Task, 'run'>, nanoseconds: number): Row {
  const opsPerSecond = 1e9 / nanoseconds;
  return {
    task,
    opsPerSecond,
    ...(bytes > 0 && { bytesPerSecond: opsPerSecond * bytes }),
    note: `${timeOf(nanoseconds)}${note === undefined ? '' : `, ${note}`}`,
  };
}

function timeOf(nanoseconds: number): string {
  if (nanoseconds < 10_000) return `${Math.round(nanoseconds)} ns`;
  return nanoseconds < 1e6
    ? `${(nanoseconds / 1e3).toFixed(1)} µs`
    : `${(nanoseconds / 1e6).toFixed(2)} ms`;
}
