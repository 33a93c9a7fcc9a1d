import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MAX_PROXY_HEADER_CHARS, MAX_PROXY_HEADERS } from '../../src/config/read-proxies.ts';
import { errorOf, inline, profileWith, REQUIRED, read } from './sample-profile.ts';

const ASKED = { username: undefined, password: undefined };
const TCP = 'proto tcp';
const USER = inline('http-proxy-user-pass', 'me\nhunter2');

describe('http-proxy', () => {
  test.each([
    { args: '', auth: 'none', credentials: undefined },
    { args: 'auto', auth: 'auto', credentials: ASKED },
    { args: 'auto-nct', auth: 'auto-nct', credentials: ASKED },
    { args: 'stdin', auth: 'basic', credentials: ASKED },
    { args: 'stdin basic', auth: 'basic', credentials: ASKED },
    { args: 'stdin none', auth: 'none', credentials: undefined },
  ])('$args', ({ args, auth, credentials }) => {
    expect(read(TCP, `http-proxy proxy.example 3128 ${args}`).proxy).toEqual({
      kind: 'http',
      host: 'proxy.example',
      port: 3128,
      auth,
      credentials,
      headers: [],
    });
  });

  test.each([
    { lines: [USER, 'http-proxy p 80'], auth: 'auto' },
    { lines: ['http-proxy p 80', USER], auth: 'auto' },
    { lines: ['http-proxy p 80 auto-nct', USER], auth: 'auto-nct' },
    { lines: ['http-proxy p 80 stdin basic', USER], auth: 'basic' },
  ])('a block has the credentials: $auth', ({ lines, auth }) => {
    const { proxy } = read(TCP, ...lines);
    expect([proxy?.auth, proxy?.credentials?.username]).toEqual([auth, 'me']);
    expect(proxy?.credentials?.password?.reveal()).toBe('hunter2');
    expect(inspect(proxy, { depth: 9 }) + JSON.stringify(proxy)).not.toContain('hunter2');
  });

  test('options become headers, wherever they stand', () => {
    const { proxy, ignored } = read(
      TCP,
      'http-proxy-option AGENT "a browser"',
      'http-proxy p 80',
      'http-proxy-option VERSION 1.1',
      'http-proxy-option CUSTOM-HEADER Host front.example',
      'http-proxy-option CUSTOM-HEADER "X-One: a: b"',
      'http-proxy-option EXT1 X-Two: c',
    );
    expect(proxy?.headers).toEqual([
      ['User-Agent', 'a browser'],
      ['Host', 'front.example'],
      ['X-One', 'a: b'],
      ['X-Two', 'c'],
    ]);
    expect(ignored.map(({ directive, level }) => [directive, level])).toEqual([
      ['http-proxy-option', 'quiet'],
    ]);
  });

  test.each([
    { name: 'no port', line: 'http-proxy p' },
    { name: 'a port that is none', line: 'http-proxy p 0' },
    { name: 'no host', line: 'http-proxy "a b" 80' },
    { name: 'NTLM', line: 'http-proxy p 80 stdin ntlm2' },
    { name: 'another way to sign in', line: 'http-proxy p 80 stdin kerberos' },
    { name: 'a file in a profile of text', line: 'http-proxy p 80 pass.txt' },
    { name: 'another option', line: 'http-proxy-option X y' },
    { name: 'a header without its value', line: 'http-proxy-option CUSTOM-HEADER X' },
    { name: 'a header with a blank in its name', line: 'http-proxy-option CUSTOM-HEADER "A B" c' },
    { name: 'a value with C1', line: 'http-proxy-option CUSTOM-HEADER A "\u0085b"' },
    { name: 'a value beyond Latin-1', line: 'http-proxy-option AGENT "\u2028"' },
    {
      name: 'a long value',
      line: `http-proxy-option AGENT ${'x'.repeat(MAX_PROXY_HEADER_CHARS + 1)}`,
    },
  ])('refuses $name', ({ line }) => {
    expect(errorOf(profileWith(TCP, line)).problems).toHaveLength(1);
  });

  test.each(['\r', '\n', '\0'])('a header cannot be broken by %j', (character) => {
    const line = `http-proxy-option AGENT "a${character}Evil: b"`;
    expect(errorOf(profileWith(TCP, 'http-proxy p 80', line)).problems.length).toBeGreaterThan(0);
  });

  test('has a limit of headers', () => {
    const lines = Array.from({ length: MAX_PROXY_HEADERS + 1 }, () => 'http-proxy-option AGENT x');
    expect(errorOf(profileWith(TCP, ...lines)).problems).toHaveLength(1);
  });

  test('does not carry UDP', () => {
    const error = errorOf(`http-proxy p 80\n${profileWith()}`);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive: 'http-proxy', line: 1 });
    const other = REQUIRED.filter((line) => !line.startsWith('remote '));
    expect(
      errorOf(`${['http-proxy p 80', 'remote a 1 tcp', 'remote b 1 udp', ...other].join('\n')}\n`)
        .problems,
    ).toHaveLength(1);
  });

  test('of UDP remotes that proto-force leaves out does no harm', () => {
    const lines = ['remote a 1 tcp', 'proto-force tcp', 'http-proxy p 80'];
    expect(read(...lines).remotes.map(({ host }) => host)).toEqual(['a']);
  });
});

describe('socks-proxy', () => {
  test.each([
    { args: 'p', port: 1080, auth: 'none', credentials: undefined },
    { args: 'p 9050', port: 9050, auth: 'none', credentials: undefined },
    { args: 'p 9050 stdin', port: 9050, auth: 'basic', credentials: ASKED },
  ])('$args', ({ args, port, auth, credentials }) => {
    const { proxy } = read(`socks-proxy ${args}`);
    expect(proxy).toEqual({ kind: 'socks5', host: 'p', port, auth, credentials, headers: [] });
  });

  test('cannot stand beside http-proxy', () => {
    const error = errorOf(profileWith(TCP, 'http-proxy p 80', 'socks-proxy q'));
    expect(error.problems).toHaveLength(1);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive: 'socks-proxy' });
  });

  test.each(['socks-proxy', 'socks-proxy p 65536'])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).directive).toBe('socks-proxy');
  });
});
