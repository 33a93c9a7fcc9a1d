import { isEquivalent, staleEntries } from './equivalent.ts';
import type { Mutant, Verdict } from './mutant.ts';
import { type Findings, type Output, Progress } from './report.ts';
import { MutantRunner } from './run-mutant.ts';
import { findTargets, type Target } from './targets.ts';
import { WorkingCopy } from './working-copy.ts';

export interface ExamineOptions {
  /** Only files whose path contains this. */
  readonly file: string;
  readonly boundaries: boolean;
  /** Mutants at a time. */
  readonly workers: number;
  readonly output: Output;
  readonly signal: AbortSignal;
}

/** Runs the mutants of all files, each in its copy of the project. */
export async function examine(root: string, options: ExamineOptions): Promise<Findings> {
  const copies = await WorkingCopy.several(root, options.workers);
  try {
    return await new Examination(copies, options).run();
  } finally {
    for (const copy of copies) await copy.remove();
  }
}

/** Whether a mutant is one of those that were asked for. */
export function isWanted({ kind }: Mutant, boundaries: boolean): boolean {
  return boundaries || kind === 'negated';
}

class Examination {
  readonly #copies: readonly WorkingCopy[];
  readonly #targets: readonly Target[];
  readonly #boundaries: boolean;
  readonly #signal: AbortSignal;
  readonly #progress: Progress;
  readonly #verdicts = new Map<Mutant, Verdict>();
  readonly #runners = new Map<Target, Promise<MutantRunner | undefined>>();

  constructor(copies: readonly WorkingCopy[], options: ExamineOptions) {
    const [first] = copies;
    this.#copies = copies;
    this.#targets = first === undefined ? [] : findTargets(first.folder, options.file);
    this.#boundaries = options.boundaries;
    this.#signal = options.signal;
    const total = this.#targets.flatMap((target) => this.#wanted(target)).length;
    this.#progress = new Progress(options.output, total);
  }

  async run(): Promise<Findings> {
    const waiting = this.#targets.flatMap((target) =>
      this.#wanted(target).map((mutant) => ({ target, mutant })),
    );
    const work = async (copy: WorkingCopy) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const runner = await this.#runnerOf(next.target, copy);
        if (runner === undefined) continue;
        const verdict = await runner.run(next.mutant, copy, this.#signal);
        this.#verdicts.set(next.mutant, verdict);
        this.#progress.verdict(next.mutant, verdict);
      }
    };
    await Promise.all(this.#copies.map(work));
    this.#progress.end();
    return this.#findings();
  }

  /** Made by whoever comes to a file first; the others wait for it. */
  #runnerOf(target: Target, copy: WorkingCopy): Promise<MutantRunner | undefined> {
    const known = this.#runners.get(target);
    if (known !== undefined) return known;
    this.#progress.file(target.file, this.#wanted(target).length);
    const runner = MutantRunner.of(target, copy, this.#signal);
    this.#runners.set(target, runner);
    return runner;
  }

  #wanted({ mutants }: Target): Mutant[] {
    return mutants.filter((mutant) => isWanted(mutant, this.#boundaries));
  }

  async #findings(): Promise<Findings> {
    const broken: string[] = [];
    const partial: string[] = [];
    for (const [{ file }, made] of this.#runners) {
      const runner = await made;
      if (runner === undefined) broken.push(file);
      else if (runner.isPartial) partial.push(file);
    }
    const verdicts = this.#verdicts;
    const known = this.#targets.flatMap(({ mutants }) => mutants);
    const survived = known.filter((mutant) => verdicts.get(mutant) === 'survived');
    return {
      verdicts,
      broken,
      partial,
      survivors: survived.filter((mutant) => !isEquivalent(mutant)),
      reviewed: survived.filter((mutant) => isEquivalent(mutant)),
      stale: staleEntries(known, verdicts),
    };
  }
}
