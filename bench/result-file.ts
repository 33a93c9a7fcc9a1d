import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { inPackage } from '../test/lab/package-root.ts';

const RESULT_FOLDER = 'bench/results';

/** On what a measurement was made. */
export interface Machine {
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly processor: string;
}

/** This machine, and the commit that is checked out. */
export function thisMachine(): Machine {
  return {
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    processor: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  };
}

/** Keeps a result, and what it was measured on, for comparison; says where. */
export function saveResult(name: string, result: object): void {
  const file = join(RESULT_FOLDER, name);
  mkdirSync(inPackage(RESULT_FOLDER), { recursive: true });
  const content = { ...thisMachine(), ...result };
  writeFileSync(inPackage(file), `${JSON.stringify(content, undefined, 2)}\n`);
  console.log(`\nwritten to ${file}`);
}

/** What was kept last under that name; undefined when nothing was. */
export function loadResult<T>(name: string): T | undefined {
  const file = inPackage(join(RESULT_FOLDER, name));
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined;
}

/** With a mark when the tree has changes that no commit holds. */
function commit(): string {
  const words = ['describe', '--always', '--dirty', '--abbrev=10'];
  try {
    return execFileSync('git', words, { cwd: inPackage('.'), encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
