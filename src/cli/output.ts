import { OvpnError } from '../core/errors.ts';
import { type Logger, printable } from '../core/log.ts';

/**
 * Where a command writes: results to standard output (text, or JSON lines with `--json`), all else
 * to standard error; progress only when that is a terminal.
 */
export class Output {
  readonly json: boolean;
  readonly verbose: boolean;
  readonly #terminal = process.stderr.isTTY === true;
  #progressShown = false;

  constructor({ json = false, verbose = false }: { json?: boolean; verbose?: boolean }) {
    this.json = json;
    this.verbose = verbose;
  }

  /** A line of the result, for people; nothing with `--json`. */
  line(text = ''): void {
    this.clear();
    if (!this.json) process.stdout.write(`${text}\n`);
  }

  /** A result, for programs; nothing without `--json`. */
  record(value: object): void {
    this.clear();
    if (this.json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** A line beside the result. */
  note(text: string): void {
    this.clear();
    process.stderr.write(`tundial: ${text}\n`);
  }

  /** A line that only `--verbose` shows. */
  detail(text: string): void {
    if (this.verbose) this.note(text);
  }

  /** Warnings are always shown, the rest with `--verbose`. */
  readonly logger: Logger = (level, layer, text) => {
    if (level === 'error' || level === 'warn') this.note(`${layer}: ${text}`);
    else this.detail(`${layer}: ${text}`);
  };

  /** What is going on now: overwritten by whatever comes next. */
  progress(text: string): void {
    if (!this.#terminal || this.verbose) return;
    process.stderr.write(`\r\x1b[K${text}`);
    this.#progressShown = true;
  }

  /** The error that ends the command: what failed, its code, and what lies beneath. */
  failure(error: unknown): void {
    this.clear();
    if (this.json) this.record({ error: describe(error) });
    const { message, code } = describe(error);
    const suffix = code === undefined || message.includes(code) ? '' : ` (${code})`;
    process.stderr.write(`tundial: ${message}${suffix}\n`);
    if (this.verbose && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  }

  /** Takes away what `progress` shows. */
  clear(): void {
    if (!this.#progressShown) return;
    process.stderr.write('\r\x1b[K');
    this.#progressShown = false;
  }
}

/**
 * An error as the JSON that `--json` prints. An error of the tunnel is told before that of a socket
 * in it, as the exit status does.
 */
export function describe(error: unknown): { message: string; code?: string; retryable?: boolean } {
  if (!(error instanceof Error)) return { message: printable(String(error)) };
  const beneath = tunnelErrorBeneath(error);
  if (beneath !== undefined) {
    return { ...describe(beneath), message: `${error.message}: ${beneath.message}` };
  }
  const code = (error as NodeJS.ErrnoException).code;
  return {
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error instanceof OvpnError ? { retryable: error.retryable } : {}),
  };
}

/** The first error of the tunnel among the causes of one that is none. */
function tunnelErrorBeneath(error: Error): OvpnError | undefined {
  if (error instanceof OvpnError) return undefined;
  for (let at = error.cause; at instanceof Error; at = at.cause) {
    if (at instanceof OvpnError) return at;
  }
  return undefined;
}

/** `1.4 MB`, `312 B`: decimal, as transfers are spoken of. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
