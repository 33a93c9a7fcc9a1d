#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ExitStatus } from './exit-status.ts';
import { createProgram } from './program.ts';

process.on('uncaughtException', (error) => {
  process.stderr.write(`tundial: a bug of tundial: ${error.stack ?? error.message}\n`);
  process.exit(ExitStatus.OUR_BUG);
});

// Whoever reads the results has seen enough: `tundial … | head`.
process.stdout.on('error', () => process.exit(ExitStatus.DONE));

try {
  await createProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? ExitStatus.DONE : ExitStatus.USAGE;
}
