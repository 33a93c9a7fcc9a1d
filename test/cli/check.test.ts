import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { inline, profileWith, REQUIRED, TLS_CRYPT } from '../config/sample-profile.ts';
import { inProcess, records } from './run-tundial.ts';

const directory = mkdtempSync(join(tmpdir(), 'tundial-check-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(...lines: string[]): string {
  const path = join(directory, 'office.ovpn');
  writeFileSync(path, profileWith(...lines));
  return path;
}

describe('tundial check', () => {
  test('shows what a profile asks for, what it needs and what is ignored', async () => {
    const path = file(
      'remote backup.example 443 tcp6',
      'remote-random',
      'socks-proxy 127.0.0.1 9050 stdin',
      'auth-user-pass',
      'static-challenge "Your code" 1',
      'verb 3',
      'up /bin/true',
      inline('tls-crypt', TLS_CRYPT),
    );
    const { status, stdout, stderr } = await inProcess('check', path);
    const first = profileWith().trimEnd().split('\n').length;
    expect(stdout).toBe(`${path}: accepted

  remotes  vpn.example port 1194, UDP
           backup.example port 443, TCP over IPv6
           in random order
  proxy    socks5 127.0.0.1:9050
  wrap     tls-crypt
  ciphers  AES-256-GCM, AES-128-GCM, CHACHA20-POLY1305
  needs    a user name and a password for the proxy
           a user name and a password
           an answer to "Your code"

  ignored
     line ${first + 6}  verb  what is told is chosen by options of the program
  !  line ${first + 7}  up    no program is ever started
`);
    expect([stderr, status]).toEqual(['', 0]);
  });

  test('shows some of many remotes', async () => {
    const path = file(...Array.from({ length: 20 }, (_, at) => `remote host-${at}`));
    const { stdout } = await inProcess('check', path);
    expect(stdout).toMatch(/ {11}host-6 port 1194, UDP\n {11}and 13 more\n/);
    expect(stdout).toContain('needs    nothing\n');
  });

  test('lists all problems of one that is refused: 78', async () => {
    const path = join(directory, 'bad.ovpn');
    writeFileSync(
      path,
      `ping hunter2\nhunter2\ntls-verify hunter2\n${REQUIRED.slice(2).join('\n')}\n`,
    );
    const { status, stdout, stderr } = await inProcess('check', path);
    expect(stdout).toBe(`${path}: refused, 5 problems

  line 1  ping        expected a whole number 0 to 86400
  line 2              unknown directive
  line 3  tls-verify  is not supported: no program is ever started, and ignoring the check would weaken it
                      expected client or pull: other modes are not supported
                      no remote: the profile names no server
`);
    expect([stderr, status]).toEqual(['', 78]);
  });

  test('a file that cannot be read: 66', async () => {
    const path = join(directory, 'nothing.ovpn');
    const { status, stdout } = await inProcess('check', path);
    expect(stdout).toContain(`${path}: refused, 1 problem\n`);
    expect(stdout).toContain('cannot be read (ENOENT)');
    expect(status).toBe(66);
  });

  test('--json is one object', async () => {
    const path = file('remote b 443 tcp', 'auth-user-pass', 'route-method exe');
    const finished = await inProcess('check', '--json', path);
    expect(records(finished)).toEqual([
      {
        profile: path,
        accepted: true,
        problems: [],
        remotes: [
          { host: 'vpn.example', port: 1194, protocol: 'udp', family: 0 },
          { host: 'b', port: 443, protocol: 'tcp', family: 0 },
        ],
        remoteRandom: false,
        proxy: null,
        wrap: 'none',
        ciphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
        needs: [{ kind: 'user-password' }],
        ignored: [
          {
            directive: 'route-method',
            line: expect.any(Number),
            reason: "the host's routes are never touched",
            level: 'warn',
          },
        ],
      },
    ]);
    expect([finished.stderr, finished.status]).toEqual(['', 0]);
  });

  test('--json of one that is refused has the problems: 78', async () => {
    const finished = await inProcess('check', '--json', file('fragment 1200', 'proto tcp'));
    expect(records(finished)).toEqual([
      expect.objectContaining({
        accepted: false,
        wrap: null,
        problems: [
          {
            code: 'OVPN_CONFIG_REFUSED',
            directive: 'fragment',
            line: expect.any(Number),
            message: 'is for UDP, and a remote is reached over TCP',
          },
        ],
      }),
    ]);
    expect(finished.status).toBe(78);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',            lines: ['setenv CLIENT_CERT 0'],                                  needs: [] },
    { name: 'a stored password',  lines: [inline('auth-user-pass', 'me\nhunter2')],                 needs: [] },
    { name: 'a stored user name', lines: [inline('auth-user-pass', 'me')],                          needs: [{ kind: 'password' }] },
    { name: 'a user name alone',  lines: ['auth-user-pass username-only'],                          needs: [{ kind: 'username' }] },
    { name: 'a proxy in a block', lines: [inline('connection', 'remote a\nsocks-proxy p 1 stdin')], needs: [{ kind: 'proxy' }] },
    { name: 'a challenge',        lines: [inline('auth-user-pass', 'me\nhunter2'), 'static-challenge PIN 0'], needs: [{ kind: 'static-challenge', text: 'PIN' }] },
  ])('needs $name', async ({ lines, needs }) => {
    const finished = await inProcess('check', '--json', file(...lines));
    expect(records(finished)[0]).toMatchObject({ accepted: true, needs });
  });

  test('shows no secret', async () => {
    const path = file(
      'proto tcp',
      'http-proxy p 80 auto',
      inline('http-proxy-user-pass', 'me\nhunter2'),
      inline('auth-user-pass', 'me\nhunter2'),
      'http-proxy-option CUSTOM-HEADER Authorization hunter2',
      'scramble obfuscate hunter2',
      'setenv PASSWORD hunter2',
      inline('tls-crypt', TLS_CRYPT),
    );
    const key = TLS_CRYPT.split('\n').find((line) => /^[0-9a-f]{32}$/.test(line)) ?? '?';
    for (const flags of [[], ['--json'], ['--verbose']]) {
      const { stdout, stderr, status } = await inProcess('check', ...flags, path);
      expect(`${stdout}${stderr}`).not.toMatch(new RegExp(`hunter2|${key}`));
      expect(status).toBe(0);
    }
  });
});
