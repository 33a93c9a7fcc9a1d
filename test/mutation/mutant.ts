/** `negated`: the condition says the opposite. `boundary`: `<` is `<=` and the like. */
export type MutantKind = 'negated' | 'boundary';

/** One change of one condition in a source file. */
export interface Mutant {
  /** relative to the project */
  readonly file: string;
  readonly kind: MutantKind;
  /** from 1 */
  readonly line: number;
  readonly column: number;
  /** The whole condition in one line, before and after. */
  readonly original: string;
  readonly mutated: string;
  /** What of the text is replaced. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** What the tests said to it. `late`: they came to no end, as when a loop does not. */
export type Verdict = 'caught' | 'late' | 'survived';

/** The text of the source file with the mutant in it. */
export function mutatedText(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
