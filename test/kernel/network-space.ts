import { closeSync, openSync } from 'node:fs';
import { attempt, Background, type Finished, run } from '../lab/commands.ts';

let made = 0;

/** A network namespace of its own, and what runs in it. */
export class NetworkSpace {
  readonly name: string;
  readonly #running = new Set<Background>();

  constructor() {
    made += 1;
    this.name = `tk${process.pid}n${made}`;
    run(['ip', 'netns', 'add', this.name]);
    run(['ip', '-n', this.name, 'link', 'set', 'lo', 'up']);
  }

  /** Where the kernel shows it: what `setns` opens. */
  get file(): string {
    return `/run/netns/${this.name}`;
  }

  /** A command line that runs `command` in it. */
  inside(command: readonly string[]): string[] {
    return ['ip', 'netns', 'exec', this.name, ...command];
  }

  /** Runs a short command in it. @throws Error for any status but 0 */
  run(command: readonly string[]): string {
    return run(this.inside(command));
  }

  /** Runs a command beside the test, to its end. */
  async finished(command: readonly string[], timeoutMs?: number): Promise<Finished> {
    const background = this.start(command);
    try {
      return await background.finished(timeoutMs);
    } finally {
      this.#running.delete(background);
    }
  }

  /** Starts a command beside the test; it ends with the namespace at the latest. */
  start(command: readonly string[]): Background {
    const background = new Background(this.inside(command));
    this.#running.add(background);
    return background;
  }

  /** Sets `net.*` settings of this namespace. */
  configure(settings: Readonly<Record<string, string | number>>): void {
    for (const [name, value] of Object.entries(settings)) {
      this.run(['sysctl', '-q', '-w', `net.${name}=${value}`]);
    }
  }

  /** Ends what was started, and removes the namespace. */
  async remove(): Promise<void> {
    await Promise.all([...this.#running].map((background) => background.stop()));
    this.#running.clear();
    attempt(['ip', 'netns', 'del', this.name]);
  }
}

/** Calls `body` with an open file, and closes it. */
export function withFile<T>(file: string, body: (fd: number) => T): T {
  const fd = openSync(file, 'r');
  try {
    return body(fd);
  } finally {
    closeSync(fd);
  }
}
