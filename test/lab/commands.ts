import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a finished command left. */
export interface Finished {
  /** -1 when it was killed or did not start. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/** Runs a short command to its end. @throws Error for any status but 0 */
export function run(command: readonly string[]): string {
  const { status, stdout, stderr } = attempt(command);
  if (status !== 0) {
    throw new Error(`${command.join(' ')}: status ${status}\n${stdout}${stderr}`);
  }
  return stdout;
}

/** Runs a short command to its end, whatever its status. */
export function attempt(command: readonly string[]): Finished {
  const [file = '', ...args] = command;
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
    timeout: 60_000,
  });
  const elapsedMs = performance.now() - startedAt;
  return { status: status ?? -1, stdout: stdout ?? '', stderr: stderr ?? '', elapsedMs };
}

/** Whether a command of that name is there. */
export function isInstalled(name: string): boolean {
  return attempt(['sh', '-c', `command -v ${name}`]).status === 0;
}

/** A process that runs beside the test. */
export class Background {
  /** Its status; -1 when a signal ended it or it did not start. */
  readonly exited: Promise<number>;
  readonly #child: ChildProcess;
  readonly #startedAt = performance.now();
  #stdout = '';
  #stderr = '';

  constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#stderr += error.message;
        resolve(-1);
      });
      this.#child.once('close', (status) => resolve(status ?? -1));
    });
  }

  /** Undefined when it did not start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** All that it has written so far. */
  get output(): string {
    return this.#stdout + this.#stderr;
  }

  /** How often `text` is in its output. */
  count(text: string): number {
    return this.output.split(text).length - 1;
  }

  /** Waits until its output has `text`. @throws Error when it ends or time runs out before */
  async until(text: string, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (this.count(text) === 0) {
      if (!this.#running || performance.now() > deadline) {
        throw new Error(
          `expected ${JSON.stringify(text)} from ${this.#name}, got:\n${this.output}`,
        );
      }
      await sleep(POLL_MS);
    }
  }

  /** Waits for its end. @throws Error when time runs out; it is killed then */
  async finished(timeoutMs = 120_000): Promise<Finished> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), timeoutMs);
    const status = await this.exited;
    clearTimeout(late);
    const elapsedMs = performance.now() - this.#startedAt;
    if (this.#child.signalCode === 'SIGKILL') {
      throw new Error(`expected ${this.#name} to end in ${timeoutMs} ms, got:\n${this.output}`);
    }
    return { status, stdout: this.#stdout, stderr: this.#stderr, elapsedMs };
  }

  /** Ends it, by force when it does not end itself within five seconds. May be called twice. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (!this.#running) return this.exited;
    this.#child.kill(signal);
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    const status = await this.exited;
    clearTimeout(force);
    return status;
  }

  get #running(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  get #name(): string {
    return this.#child.spawnargs.join(' ');
  }
}

const POLL_MS = 20;
