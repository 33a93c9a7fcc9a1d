import { spawn } from 'node:child_process';
import type { WorkingCopy } from './working-copy.ts';

/** What came of the tests: `late` had to be killed. */
export type TestOutcome = 'passed' | 'failed' | 'late';

const VITEST = 'node_modules/vitest/vitest.mjs';
const CONFIG = 'test/mutation/vitest.config.ts';

/** A mutant that fills the memory must not take that of others. */
const MAX_HEAP = '--max-old-space-size=768';

export interface TestRunOptions {
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

/** Runs test files of the copy, up to the first failure. @throws when `signal` is aborted */
export async function runTests(
  { folder }: WorkingCopy,
  tests: readonly string[],
  { limitMs, signal }: TestRunOptions,
): Promise<TestOutcome> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [MAX_HEAP, VITEST, 'run', '--config', CONFIG, ...tests], {
    cwd: folder,
    stdio: 'ignore',
  });
  const kill = () => child.kill('SIGKILL');
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, limitMs);
  signal.addEventListener('abort', kill);
  try {
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', resolve);
    });
    signal.throwIfAborted();
    if (isLate) return 'late';
    return status === 0 ? 'passed' : 'failed';
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  }
}
