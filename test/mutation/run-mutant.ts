import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mutant, mutatedText, type Verdict } from './mutant.ts';
import { runTests } from './run-tests.ts';
import type { Target } from './targets.ts';
import type { WorkingCopy } from './working-copy.ts';

/** How much longer than without a mutant the tests may take. */
const LIMIT_FACTOR = 8;
const MIN_LIMIT_MS = 20_000;
const BASELINE_LIMIT_MS = 120_000;

/** Runs the tests of one source file on mutants of it. */
export class MutantRunner {
  /** Whether the layer's other tests are left out, because they do not pass as things are. */
  readonly isPartial: boolean;
  readonly #stages: readonly (readonly string[])[];
  readonly #limitMs: number;

  private constructor(stages: readonly (readonly string[])[], limitMs: number, isPartial: boolean) {
    this.#stages = stages;
    this.#limitMs = limitMs;
    this.isPartial = isPartial;
  }

  /** Undefined when no tests are left that pass as things are. */
  static async of(
    { own, layer }: Target,
    copy: WorkingCopy,
    signal: AbortSignal,
  ): Promise<MutantRunner | undefined> {
    const startedAt = performance.now();
    const stages: (readonly string[])[] = [];
    for (const tests of [own, layer]) {
      if (tests.length === 0) continue;
      const outcome = await runTests(copy, tests, { limitMs: BASELINE_LIMIT_MS, signal });
      if (outcome === 'passed') stages.push(tests);
      else if (tests === own) return undefined;
    }
    if (stages.length === 0) return undefined;
    const limitMs = Math.max(MIN_LIMIT_MS, (performance.now() - startedAt) * LIMIT_FACTOR);
    return new MutantRunner(stages, limitMs, !stages.includes(layer));
  }

  /** Whether the tests notice the mutant: the file's own first, then those of its layer. */
  async run(mutant: Mutant, copy: WorkingCopy, signal: AbortSignal): Promise<Verdict> {
    const text = await readFile(join(copy.folder, mutant.file), 'utf8');
    return copy.with(mutant.file, mutatedText(text, mutant), async () => {
      for (const tests of this.#stages) {
        const outcome = await runTests(copy, tests, { limitMs: this.#limitMs, signal });
        if (outcome !== 'passed') return outcome === 'late' ? 'late' : 'caught';
      }
      return 'survived';
    });
  }
}
