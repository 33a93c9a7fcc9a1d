import type { Equivalent } from './equivalent.ts';
import type { Mutant, Verdict } from './mutant.ts';

/** Where lines go; only a terminal has one that can be written again. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const CLEAR_LINE = '\r\x1b[2K';

/** Says how far the run is: on a terminal in one line, else a line for every file and survivor. */
export class Progress {
  readonly #output: Output;
  readonly #total: number;
  #done = 0;
  #survived = 0;

  constructor(output: Output, total: number) {
    this.#output = output;
    this.#total = total;
  }

  /** A file begins. */
  file(name: string, mutants: number): void {
    if (!this.#output.isTTY) this.#output.write(`${name}: ${mutants}\n`);
  }

  verdict(mutant: Mutant, verdict: Verdict): void {
    this.#done += 1;
    if (verdict === 'survived') {
      this.#survived += 1;
      if (!this.#output.isTTY) this.#output.write(`${mutantText('survived', mutant)}\n`);
    }
    if (!this.#output.isTTY) return;
    const counts = `${this.#done}/${this.#total}, ${this.#survived} survived`;
    this.#output.write(`${CLEAR_LINE}${counts}  ${mutant.file}:${mutant.line}`);
  }

  end(): void {
    if (this.#output.isTTY) this.#output.write(CLEAR_LINE);
  }
}

/** What a whole run has found. */
export interface Findings {
  readonly verdicts: ReadonlyMap<Mutant, Verdict>;
  /** Files whose tests fail as they are: nothing is known about them. */
  readonly broken: readonly string[];
  /** Files that only their own tests were run for, as others of their layer fail. */
  readonly partial: readonly string[];
  /** Survivors that nobody has reviewed. */
  readonly survivors: readonly Mutant[];
  /** Survivors that were reviewed. */
  readonly reviewed: readonly Mutant[];
  readonly stale: readonly Equivalent[];
}

/**
 * The findings as text: survivors with their place, those that only time has caught (a busy machine
 * may do that too), stale entries, the score.
 */
export function reportText({
  verdicts,
  broken,
  partial,
  survivors,
  reviewed,
  stale,
}: Findings): string {
  const counts = { caught: 0, late: 0, survived: 0 };
  for (const verdict of verdicts.values()) counts[verdict] += 1;
  const noticed = counts.caught + counts.late;
  const percent = ((100 * noticed) / Math.max(1, verdicts.size - reviewed.length)).toFixed(1);
  const late = [...verdicts].filter(([, verdict]) => verdict === 'late');
  return [
    ...survivors.map((mutant) => mutantText('survived', mutant)),
    ...late.map(([mutant]) => mutantText('no end', mutant)),
    ...broken.map((file) => `not examined: the tests of ${file} fail without a mutant`),
    ...partial.map((file) => `own tests only: others of the layer of ${file} fail`),
    ...stale.map(({ file, original, mutated }) => `stale entry: ${file}  ${original} → ${mutated}`),
    `${verdicts.size} mutants: ${noticed} noticed (${counts.late} by time), ` +
      `${reviewed.length} equivalent, ${survivors.length} survived: ${percent} %`,
    '',
  ].join('\n');
}

function mutantText(verdict: string, { file, line, column, original, mutated }: Mutant): string {
  return `${verdict}  ${file}:${line}:${column}\n    ${original}\n  → ${mutated}`;
}
