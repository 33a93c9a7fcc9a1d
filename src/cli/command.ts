import { Command, InvalidArgumentError, Option } from 'commander';
import { ExitStatus, exitStatusOf } from './exit-status.ts';
import { Output } from './output.ts';

/** Options that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What a command's body gets: where to write, and the signal that ends it. */
export interface Run {
  readonly output: Output;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** A command with the options that every command has. */
export function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--json', 'results as JSON lines on standard output')
    .option('--verbose', 'tell on standard error what happens');
}

/** An option in seconds, whose value the command gets in milliseconds. */
export function secondsOption(flags: string, description: string, defaultMs: number): Option {
  return new Option(flags, description)
    .argParser(seconds)
    .default(defaultMs, String(defaultMs / 1000));
}

/**
 * Runs a command's body to its exit status: its own, or that of the error it threw. The first
 * SIGINT or SIGTERM asks it to stop in order, the second one ends the process.
 */
export async function runCommand(
  flags: CommonFlags,
  body: (run: Run) => Promise<ExitStatus>,
): Promise<void> {
  const output = new Output(flags);
  const stop = new AbortController();
  let status: ExitStatus | undefined;
  const end = (signalStatus: ExitStatus) => () => {
    if (status !== undefined) process.exit(status);
    status = signalStatus;
    stop.abort(new Error('interrupted'));
  };
  const interrupted = end(ExitStatus.INTERRUPTED);
  const terminated = end(ExitStatus.TERMINATED);
  process.on('SIGINT', interrupted).on('SIGTERM', terminated);
  try {
    const own = await body({ output, signal: stop.signal });
    status ??= own;
  } catch (error) {
    if (status === undefined) {
      status = exitStatusOf(error);
      output.failure(error);
    }
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', terminated);
  }
  process.exitCode = status;
}

/** A whole or decimal number of seconds above 0, as an option's value; gives milliseconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || value <= 0) {
    throw new InvalidArgumentError('expected seconds, such as 30 or 0.5');
  }
  return value * 1000;
}

/** A whole number between `min` and `max`, as an option's value. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,10}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`expected a whole number, ${min} to ${max}`);
    }
    return value;
  };
}
