import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a finished command left. */
export interface Finished {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/** `tundial` as a process of its own; `npm test` has built it. */
export class Tundial {
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  readonly #waiting: (() => void)[] = [];
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[]) {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const look of this.#waiting) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      for (const look of this.#waiting) look();
    });
    this.finished = new Promise((resolve) => {
      child.once('close', (status) => {
        const elapsedMs = performance.now() - startedAt;
        resolve({ status, stdout: this.#stdout, stderr: this.#stderr, elapsedMs });
        for (const look of this.#waiting) look();
      });
    });
  }

  /** Waits until `text` was written. @throws Error when the process ends without it */
  until(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (this.#stdout.includes(text) || this.#stderr.includes(text)) resolve();
        else if (this.#child.exitCode !== null) {
          reject(new Error(`ended without "${text}": ${this.#stdout}${this.#stderr}`));
        }
      };
      this.#waiting.push(look);
      look();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Reads no more of standard output, as `head` does. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }
}

export function tundial(...args: string[]): Promise<Finished> {
  return new Tundial(args).finished;
}

/** The same without a process of its own: for all that needs no signals. One at a time. */
export async function inProcess(...args: string[]): Promise<Finished> {
  const startedAt = performance.now();
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((chunk, ...rest) => {
      written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      for (const done of rest) if (typeof done === 'function') queueMicrotask(() => done(null));
      return true;
    }),
  );
  const earlier = process.exitCode;
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    const status = Number(process.exitCode ?? -1);
    return { ...written, status, elapsedMs: performance.now() - startedAt };
  } finally {
    process.exitCode = earlier;
    for (const spy of spies) spy.mockRestore();
  }
}

/** The JSON lines on standard output. */
export function records({ stdout }: Finished): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
