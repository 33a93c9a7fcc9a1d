import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { OvpnAuthError } from '../core/errors.ts';
import type {
  Credentials,
  CredentialsAnswer,
  CredentialsRequest,
  UserPassword,
} from '../model/credentials.ts';
import type { Output } from './output.ts';

/** What a {@link Terminal} reads from and writes to. */
export interface TerminalEnds {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  /** What Ctrl-C does, at once: a terminal that is asked gives no signal by itself. */
  readonly interrupt: () => void;
}

/** Asks whoever sits in front of it, one question at a time. */
export class Terminal {
  readonly #ends: TerminalEnds;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ends: TerminalEnds) {
    this.#ends = ends;
  }

  /** The process's own; undefined where nobody sits there. */
  static ofProcess(): Terminal | undefined {
    const { stdin, stderr } = process;
    if (!stdin.isTTY || !stderr.isTTY) return undefined;
    const interrupt = () => void process.emit('SIGINT');
    return new Terminal({ input: stdin, output: stderr, interrupt });
  }

  /**
   * One line.
   *
   * @throws the reason of `signal`; OvpnAuthError `OVPN_CREDENTIALS_MISSING` after Ctrl-C or Ctrl-D
   */
  ask(prompt: string, how: { echo: boolean; signal: AbortSignal }): Promise<string> {
    const answer = this.#last.then(() => this.#ask(prompt, how));
    this.#last = answer.catch(() => {});
    return answer;
  }

  #ask(prompt: string, { echo, signal }: { echo: boolean; signal: AbortSignal }): Promise<string> {
    const { input, output, interrupt } = this.#ends;
    signal.throwIfAborted();
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({
      input,
      output: echo ? output : nowhere,
      terminal: true,
      historySize: 0,
    });
    if (!echo) output.write(prompt);
    return new Promise((resolve, reject) => {
      const end = () => lines.close();
      signal.addEventListener('abort', end, { once: true });
      // Closing gives the terminal back as it was.
      lines.once('close', () => {
        signal.removeEventListener('abort', end);
        if (!echo) output.write('\n');
        reject(signal.aborted ? signal.reason : noAnswer());
      });
      lines.once('SIGINT', () => {
        if (echo) output.write('\n');
        interrupt();
        lines.close();
      });
      lines.question(echo ? prompt : '', (line) => {
        resolve(line);
        lines.close();
      });
    });
  }
}

/**
 * Credentials of a command: those of a file, and what is asked on `terminal`. A page to sign in at
 * is printed, never opened.
 */
export function askedCredentials(
  terminal: Terminal,
  output: Pick<Output, 'note' | 'clear'>,
  file: Partial<UserPassword> = {},
): Credentials {
  return async (request) => {
    const { kind, web, needed, prompt, echo, signal } = request;
    output.clear();
    if (web !== undefined) {
      output.note(`to sign in, open this page in a browser:\n\n  ${web.url}\n`);
      return undefined;
    }
    if (kind === 'user-password') return userPassword(terminal, output, file, request);
    if (kind === 'proxy') return login(terminal, request, ` for the ${prompt}`);
    if (needed) return { response: await terminal.ask(`${prompt} `, { echo, signal }) };
    output.note(`the server says: ${prompt}`);
    return undefined;
  };
}

async function userPassword(
  terminal: Terminal,
  output: Pick<Output, 'note'>,
  file: Partial<UserPassword>,
  request: CredentialsRequest,
): Promise<CredentialsAnswer> {
  const { needed, refused, usernameOnly } = request;
  const { username, password } = file;
  if (refused) {
    output.note('the server refused user name and password');
    return login(terminal, request, '');
  }
  if (username === undefined) return needed ? login(terminal, request, '') : undefined;
  if (password !== undefined || usernameOnly) return { username, password: password ?? '' };
  return login(terminal, { ...request, username }, '');
}

/** Asks for what is not known. */
async function login(
  terminal: Terminal,
  { username: known, usernameOnly, refused, signal }: CredentialsRequest,
  what: string,
): Promise<UserPassword> {
  const isKnown = known !== undefined && !refused;
  const username = isKnown
    ? known
    : await terminal.ask(`user name${what}: `, { echo: true, signal });
  if (usernameOnly) return { username, password: '' };
  const whose = isKnown ? ` of ${username}` : '';
  const password = await terminal.ask(`password${whose}${what}: `, { echo: false, signal });
  return { username, password };
}

function noAnswer(): OvpnAuthError {
  return new OvpnAuthError('OVPN_CREDENTIALS_MISSING', 'expected an answer, got none', {
    layer: 'cli',
    initiator: 'user',
  });
}
