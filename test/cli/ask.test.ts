import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { askedCredentials, Terminal } from '../../src/cli/ask.ts';
import type { CredentialsRequest } from '../../src/model/credentials.ts';

const NEVER = new AbortController().signal;

/** A terminal at which nobody sits: what is typed is written into it. */
class Keyboard extends PassThrough {
  readonly modes: boolean[] = [];

  setRawMode(on: boolean): this {
    this.modes.push(on);
    return this;
  }

  get isRaw(): boolean {
    return this.modes.at(-1) ?? false;
  }
}

function terminal() {
  const input = new Keyboard();
  const output = new PassThrough();
  let shown = '';
  output.on('data', (text) => {
    shown += String(text);
  });
  let interrupts = 0;
  const interrupt = () => {
    interrupts += 1;
  };
  return {
    terminal: new Terminal({ input, output, interrupt }),
    input,
    /** What stands on the screen, without what moves the cursor. */
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
    shown: () => shown.replace(/\x1b\[[0-9;]*[A-Za-z]/g, ''),
    interrupts: () => interrupts,
    async type(...lines: string[]) {
      for (const line of lines) {
        await turn();
        await turn();
        input.write(line);
      }
      await turn();
    },
  };
}

describe('Terminal', () => {
  test('shows what is typed, and gives the terminal back', async () => {
    const { terminal: asked, input, shown, type } = terminal();
    const answer = asked.ask('user name: ', { echo: true, signal: NEVER });
    await type('ada\r');
    expect(await answer).toBe('ada');
    expect(shown()).toContain('user name: ada');
    expect(input.isRaw).toBe(false);
  });

  test('shows nothing of a password, not its length either', async () => {
    const { terminal: asked, input, shown, type } = terminal();
    const answer = asked.ask('password: ', { echo: false, signal: NEVER });
    await type('hunter', '2\r');
    expect(await answer).toBe('hunter2');
    expect(shown()).toBe('password: \n');
    expect(input.modes).toContain(true);
    expect(input.isRaw).toBe(false);
  });

  test('asks one question after the other', async () => {
    const { terminal: asked, shown, type } = terminal();
    const answers = Promise.all([
      asked.ask('first? ', { echo: true, signal: NEVER }),
      asked.ask('second? ', { echo: false, signal: NEVER }),
    ]);
    await turn();
    expect(shown()).not.toContain('second?');
    await type('1\r', '2\r');
    expect(await answers).toEqual(['1', '2']);
  });

  test.each([
    { name: 'Ctrl-C', key: '\x03', interrupts: 1 },
    { name: 'Ctrl-D', key: '\x04', interrupts: 0 },
  ])('$name ends the question, and gives the terminal back', async ({ key, interrupts }) => {
    for (const echo of [true, false]) {
      const line = terminal();
      const answer = line.terminal.ask('code? ', { echo, signal: NEVER });
      const failed = expect(answer).rejects.toMatchObject({ code: 'OVPN_CREDENTIALS_MISSING' });
      await line.type(key);
      await failed;
      expect(line.interrupts()).toBe(interrupts);
      expect(line.input.isRaw).toBe(false);
    }
  });

  test('Ctrl-C of a command that stops for it: its reason counts', async () => {
    const stop = new AbortController();
    const input = new Keyboard();
    const interrupt = () => stop.abort(new Error('interrupted'));
    const asked = new Terminal({ input, output: new PassThrough(), interrupt });
    const answer = asked.ask('password: ', { echo: false, signal: stop.signal });
    const failed = expect(answer).rejects.toThrow('interrupted');
    await turn();
    input.write('\x03');
    await failed;
    expect(input.isRaw).toBe(false);
  });

  test('a question that is no longer wanted goes away, the next one is asked', async () => {
    const { terminal: asked, input, type } = terminal();
    const stop = new AbortController();
    const first = asked.ask('first? ', { echo: false, signal: stop.signal });
    const second = asked.ask('second? ', { echo: true, signal: NEVER });
    const failed = expect(first).rejects.toThrow('granted elsewhere');
    await turn();
    stop.abort(new Error('granted elsewhere'));
    await failed;
    expect(input.modes.filter((on) => !on)).not.toEqual([]);
    await type('2\r');
    expect(await second).toBe('2');
    await expect(asked.ask('third? ', { echo: true, signal: stop.signal })).rejects.toThrow();
  });
});

describe('askedCredentials', () => {
  const request = (changes: Partial<CredentialsRequest>): CredentialsRequest => ({
    kind: 'user-password',
    prompt: undefined,
    echo: false,
    username: undefined,
    needed: true,
    refused: false,
    usernameOnly: false,
    web: undefined,
    deadlineMs: 60_000,
    signal: NEVER,
    ...changes,
  });
  const LOGIN = { username: 'ada', password: 'hunter2' };
  const file = { username: 'eve', password: 'of the file' };

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'both',                        asked: {},                                          typed: ['ada\r', 'hunter2\r'], given: LOGIN,                      shown: ['user name: ', 'password: '] },
    { name: 'the password of a user',      asked: { username: 'ada' },                         typed: ['hunter2\r'],          given: LOGIN,                      shown: ['password of ada: '] },
    { name: 'a name alone',                asked: { usernameOnly: true },                      typed: ['ada\r'],              given: { username: 'ada', password: '' }, shown: ['user name: '] },
    { name: 'nothing that is not needed',  asked: { needed: false },                           typed: [],                     given: undefined,                  shown: [] },
    { name: 'the file',                    asked: {}, file,                                    typed: [],                     given: file,                       shown: [] },
    { name: 'the file before the profile', asked: { needed: false }, file,                     typed: [],                     given: file,                       shown: [] },
    { name: 'what the file lacks',         asked: {}, file: { username: 'ada' },               typed: ['hunter2\r'],          given: LOGIN,                      shown: ['password of ada: '] },
    { name: 'both, after the file’s was refused', asked: { refused: true, username: 'eve' }, file, typed: ['ada\r', 'hunter2\r'], given: LOGIN,                  shown: ['user name: ', 'password: '] },
    { name: 'for a proxy',                 asked: { kind: 'proxy', prompt: 'HTTP proxy p port 1' }, file, typed: ['ada\r', 'hunter2\r'], given: LOGIN,            shown: ['user name for the HTTP proxy p port 1: ', 'password for the HTTP proxy p port 1: '] },
    { name: 'an answer',                   asked: { kind: 'challenge', prompt: 'code?', echo: true }, typed: ['42\r'],        given: { response: '42' },         shown: ['code? 42'] },
    { name: 'a hidden answer',             asked: { kind: 'static-challenge', prompt: 'pin?' }, typed: ['4711\r'],            given: { response: '4711' },       shown: ['pin? \n'] },
    { name: 'a passphrase',                asked: { kind: 'key-passphrase', prompt: 'passphrase of key.pem:' }, typed: ['x\r'], given: { response: 'x' },         shown: ['passphrase of key.pem: \n'] },
  ] as const)('$name', async ({ asked, typed, given, shown, ...rest }) => {
    const line = terminal();
    const output = { note: () => {}, clear: () => {} };
    const credentials = askedCredentials(line.terminal, output, 'file' in rest ? rest.file : {});
    if (typeof credentials !== 'function') throw new Error('expected a callback');
    const answer = credentials(request(asked));
    await line.type(...typed);
    expect(await answer).toEqual(given);
    for (const text of shown) expect(line.shown()).toContain(text);
    expect(line.shown()).not.toContain('hunter2');
    if (typed.length === 0) expect(line.shown()).toBe('');
  });

  test('a page is printed, and nothing is asked', async () => {
    const notes: string[] = [];
    const line = terminal();
    const output = { note: (text: string) => void notes.push(text), clear: () => {} };
    const credentials = askedCredentials(line.terminal, output);
    if (typeof credentials !== 'function') throw new Error('expected a callback');
    const web = { url: 'https://vpn.example/', hidden: false, external: true, proxy: undefined };
    expect(await credentials(request({ kind: 'challenge', prompt: '', web }))).toBeUndefined();
    const told = request({ kind: 'challenge', prompt: 'look at your phone', needed: false });
    expect(await credentials(told)).toBeUndefined();
    expect(notes).toEqual([
      'to sign in, open this page in a browser:\n\n  https://vpn.example/\n',
      'the server says: look at your phone',
    ]);
    expect(line.shown()).toBe('');
  });
});
