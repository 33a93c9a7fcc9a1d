import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { examine, isWanted } from './examine.ts';
import { reportText } from './report.ts';
import { findTargets } from './targets.ts';

const HELP = `Usage: npm run test:mutation -- [options]

Makes one condition after another of the security comparisons say the opposite, in a copy of the
project, and reports those that no test notices.

  --file PART    only files whose path contains PART
  --boundaries   also < for <=, > for >= and the reverse
  --list         print the mutants, run nothing
  --workers N    mutants at a time (default: 2)
  --help         this text

Exit status: 0 every mutant was noticed or is reviewed as equivalent, 1 there are others, 64 wrong
use, 70 some tests fail without a mutant, 130 interrupted.
`;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXIT = { done: 0, survivors: 1, usage: 64, broken: 70, interrupted: 130 } as const;

interface Arguments {
  readonly file: string;
  readonly boundaries: boolean;
  readonly workers: number;
  readonly list: boolean;
  readonly help: boolean;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const values = readArguments(args);
  if (typeof values === 'string') {
    process.stderr.write(`${values}\n`);
    return EXIT.usage;
  }
  if (values.help) {
    process.stdout.write(HELP);
    return EXIT.done;
  }
  if (findTargets(ROOT, values.file).length === 0) {
    process.stderr.write(`no such file: ${values.file}\n`);
    return EXIT.usage;
  }
  return values.list ? list(values) : run(values);
}

function readArguments(args: string[]): Arguments | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        file: { type: 'string', default: '' },
        boundaries: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
        workers: { type: 'string', default: '2' },
        help: { type: 'boolean', default: false },
      },
    });
    const workers = Number(values.workers);
    if (!Number.isInteger(workers) || workers < 1) return `not a number: ${values.workers}`;
    return { ...values, workers };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function list({ file, boundaries }: Arguments): number {
  for (const mutant of findTargets(ROOT, file).flatMap(({ mutants }) => mutants)) {
    if (!isWanted(mutant, boundaries)) continue;
    const { line, column, original, mutated } = mutant;
    process.stdout.write(`${mutant.file}:${line}:${column}  ${original}  →  ${mutated}\n`);
  }
  return EXIT.done;
}

async function run({ file, boundaries, workers }: Arguments): Promise<number> {
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const { signal } = interruption;
  try {
    const findings = await examine(ROOT, {
      file,
      boundaries,
      workers,
      output: process.stderr,
      signal,
    });
    process.stdout.write(reportText(findings));
    if (findings.broken.length > 0) return EXIT.broken;
    return findings.survivors.length > 0 ? EXIT.survivors : EXIT.done;
  } catch (error) {
    if (signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
