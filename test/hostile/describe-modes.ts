import { appendFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { hasControlCharacter } from '../../src/core/log.ts';
import { resourcesSince } from '../embedded/resources.ts';
import { clientIdentity, staticKeyText } from '../embedded/site.ts';
import type { HostileMode } from './mode.ts';
import { PASSWORD, Scene, TOKEN } from './scene.ts';
import { type Figures, Watch } from './watch.ts';

const MAX_RSS_GROWTH_MIB = 64;
const MAX_LINES_PER_SECOND = 10;

/** Of the processor's time: what the clock says depends on the programs beside the tests. */
const MAX_LOOP_DELAY_MS = 100;

const CANARIES = [
  PASSWORD,
  TOKEN,
  clientIdentity.keyPem.split('\n')[1] ?? '',
  staticKeyText.split('\n').find((line) => /^[0-9a-f]{32}$/.test(line)) ?? '',
];

/** Runs each of `modes` against a client, and expects of all of them what R24 asks for. */
export function describeModes(name: string, modes: readonly HostileMode[]): void {
  describe(name, () => {
    const table: (Figures & { readonly mode: string })[] = [];

    test('is honest at first', warmUp);

    test.each(modes)('$rule: $name', async (mode) => {
      const { figures, uncaught, log, errors, resources } = await staged(mode);
      table.push({ mode: `${mode.rule} ${mode.name}`, ...figures });
      const shown = [...log, ...errors.map((error) => inspect(error, { depth: 8 }))].join('\n');

      expect(uncaught).toEqual([]);
      expect(resources).toEqual([]);
      expect(log.filter(hasControlCharacter)).toEqual([]);
      expect(CANARIES.filter((canary) => shown.includes(canary))).toEqual([]);
      expect(figures.rssGrowthMiB).toBeLessThanOrEqual(MAX_RSS_GROWTH_MIB);
      expect(figures.busyP99Ms).toBeLessThanOrEqual(MAX_LOOP_DELAY_MS);
      expect(figures.linesPerSecond).toBeLessThanOrEqual(MAX_LINES_PER_SECOND);
    });

    test('was met in every way of the table', () => {
      writeFigures(table);
      expect(CANARIES.every((canary) => canary.length > 10)).toBe(true);
      expect(table).toHaveLength(modes.length);
    });
  });
}

/** The first mode's cost would be that of compiling everything. */
async function warmUp(): Promise<void> {
  const scene = new Scene(new Watch());
  await scene.up();
  await scene.close();
  scene.watch.stop();
}

/** One mode from its beginning until all of it is cleared away. */
async function staged({ run }: HostileMode): Promise<Staged> {
  const before = process.getActiveResourcesInfo();
  const watch = new Watch();
  const scene = new Scene(watch);
  try {
    await run(scene);
  } finally {
    await scene.close();
    watch.stop();
  }
  const { uncaught, log, figures } = watch;
  return { figures, uncaught, log, errors: scene.errors, resources: await resourcesSince(before) };
}

/** Into the file that `HOSTILE_FIGURES` names, where somebody wants to read them. */
function writeFigures(table: readonly object[]): void {
  const path = process.env['HOSTILE_FIGURES'];
  if (path === undefined) return;
  for (const row of table) appendFileSync(path, `${JSON.stringify(row)}\n`);
}

interface Staged {
  readonly figures: Figures;
  readonly uncaught: readonly unknown[];
  readonly log: readonly string[];
  readonly errors: readonly Error[];
  /** What still keeps the process busy. */
  readonly resources: readonly string[];
}
