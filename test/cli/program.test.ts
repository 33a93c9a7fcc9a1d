import { readFileSync } from 'node:fs';
import type { Command, CommanderError } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What parsing said, and the exit code that it asked for; -1 when a command would run. */
async function parse(...args: string[]): Promise<{ text: string; exitCode: number }> {
  let text = '';
  const program = createProgram();
  const keep = (output: string) => {
    text += output;
  };
  let ran = false;
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeOut: keep, writeErr: keep });
    if (command !== program) {
      command.action(() => {
        ran = true;
      });
    }
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    return { text, exitCode: (error as CommanderError).exitCode };
  }
  return { text, exitCode: ran ? -1 : 0 };
}

function command(name: string): Command {
  const found = createProgram().commands.find((candidate) => candidate.name() === name);
  if (found === undefined) throw new Error(`no command ${name}`);
  return found;
}

const COMMANDS = ['demo', 'fetch', 'ping', 'dns', 'trace', 'check', 'serve'];

describe('what is wrongly used', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no command',             args: [],                                           says: 'Usage: tundial' },
    { name: 'an unknown command',     args: ['dial'],                                     says: "unknown command 'dial'" },
    { name: 'an unknown option',      args: ['demo', '--colour'],                         says: "unknown option '--colour'" },
    { name: 'no profile',             args: ['ping'],                                     says: "missing required argument 'profile'" },
    { name: 'no host',                args: ['ping', 'x.ovpn'],                           says: "missing required argument 'host'" },
    { name: 'too much',               args: ['trace', 'x.ovpn', 'y'],                     says: 'too many arguments' },
    { name: 'what is no URL',         args: ['fetch', 'x.ovpn', 'example.com'],           says: 'expected a URL' },
    { name: 'another scheme',         args: ['fetch', 'x.ovpn', 'ftp://example.com'],     says: 'expected a URL' },
    { name: 'a wrong number',         args: ['ping', 'x.ovpn', 'h', '-c', '0'],           says: 'expected a whole number, 1 to' },
    { name: 'a number with a tail',   args: ['ping', 'x.ovpn', 'h', '-c', '4x'],          says: 'expected a whole number' },
    { name: 'a wrong time',           args: ['ping', 'x.ovpn', 'h', '-i', '-1'],          says: 'expected seconds' },
    { name: 'no time',                args: ['trace', 'x.ovpn', '--timeout', '0'],        says: 'expected seconds' },
    { name: 'a wrong record type',    args: ['dns', 'x.ovpn', 'n', 'ANY'],                says: 'expected one of A, AAAA' },
    { name: 'a wrong DNS server',     args: ['dns', 'x.ovpn', 'n', '--dns-server', 'host'], says: 'expected an address, such as' },
    { name: 'a wrong protocol',       args: ['serve', '--proto', 'sctp'],                 says: 'Allowed choices are udp, tcp' },
    { name: 'a wrong port',           args: ['serve', '--port', '65536'],                 says: 'expected a whole number, 0 to 65535' },
    { name: 'a password in argv',     args: ['ping', 'x.ovpn', 'h', '--password', 'p'],   says: "unknown option '--password'" },
  ])('$name is told, with a way on', async ({ args, says }) => {
    const { text, exitCode } = await parse(...args);
    expect(exitCode).toBe(1);
    expect(text).toContain(says);
    expect(text).toMatch(/--help|Usage/);
  });
});

describe('options', () => {
  test('in seconds become milliseconds', () => {
    const ping = command('ping')
      .exitOverride()
      .action(() => {});
    ping.parse(['x.ovpn', 'h', '-i', '0.2', '-W', '1.5', '--timeout', '10'], { from: 'user' });
    expect(ping.opts()).toEqual({ count: 4, interval: 200, wait: 1500, size: 56, timeout: 10_000 });
  });

  test('have defaults that the help shows in the unit of the option', () => {
    expect(command('ping').helpInformation()).toMatch(/--timeout <seconds>.*\(default: 30\)/);
    expect(command('ping').helpInformation()).toMatch(/--interval <seconds>.*\(default: 1\)/);
  });

  test('--dns-server may be given more than once', () => {
    const dns = command('dns')
      .exitOverride()
      .action(() => {});
    const servers = ['10.8.0.1', 'tls://[fd00::1]:853#dns.example'];
    dns.parse(['x.ovpn', 'n', ...servers.flatMap((server) => ['--dns-server', server])], {
      from: 'user',
    });
    expect(dns.opts()).toMatchObject({ dnsServer: servers });
  });

  test('a record type may be in lower case', () => {
    const dns = command('dns')
      .exitOverride()
      .action(() => {});
    dns.parse(['x.ovpn', 'n', 'aaaa'], { from: 'user' });
    expect(dns.processedArgs).toEqual(['x.ovpn', 'n', 'AAAA']);
  });

  test('push may be given more than once', () => {
    const serve = command('serve')
      .exitOverride()
      .action(() => {});
    serve.parse(['--push', 'a 1', '--push', 'b 2'], { from: 'user' });
    expect(serve.opts()).toMatchObject({ push: ['a 1', 'b 2'], port: 1194, host: '127.0.0.1' });
  });
});

describe('--help', () => {
  test('lists every command and every exit status', async () => {
    const { text, exitCode } = await parse('--help');
    expect(exitCode).toBe(0);
    for (const name of COMMANDS) expect(text).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    for (const status of [0, 1, 64, 66, 68, 69, 70, 75, 76, 77, 78, 124, 130, 143]) {
      expect(text).toMatch(new RegExp(`(^|\\s)${status} [a-zA-Z]`));
    }
    expect(text).toContain('tundial demo');
  });

  test.each(COMMANDS)('of %s says what is needed, and has --json and --verbose', async (name) => {
    const { text, exitCode } = await parse(name, '--help');
    expect(exitCode).toBe(0);
    expect(text).toContain('--json');
    expect(text).toContain('--verbose');
    for (const argument of command(name).registeredArguments) {
      expect(argument.description).not.toBe('');
      expect(text).toContain(argument.name());
    }
    for (const { description, long } of command(name).options) {
      expect(`${long} ${description}`).toMatch(/^--\S+ \S+/);
    }
  });

  test.each(['fetch', 'ping', 'dns', 'trace', 'check', 'serve'])(
    'of %s has an example',
    async (name) => {
      expect((await parse(name, '--help')).text).toMatch(new RegExp(`^ {2}tundial ${name} `, 'm'));
    },
  );
});

test('--version is the package’s', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect((await parse('--version')).text.trim()).toBe(version);
});
