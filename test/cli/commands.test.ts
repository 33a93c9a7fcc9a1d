import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ProfileChanges, Site } from '../embedded/site.ts';
import { behindTunnel, PAGE } from './behind-tunnel.ts';
import { inProcess, records } from './run-tundial.ts';

const QUICK = ['-c', '2', '-i', '0.05', '-W', '1'];

let directory: string;
let site: Site;
let profile: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tundial-cli-'));
  site = await Site.open({
    server: {
      pushes: ['dhcp-option DNS 10.8.0.1'],
      authenticate: ({ username, password }) => ({
        ok: username === '' || username === undefined || password?.reveal() === 'sesame',
      }),
    },
  });
  behindTunnel(site.serverDialer());
  profile = profileFile('client.ovpn');
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

function profileFile(name: string, changes: ProfileChanges = {}): string {
  return file(name, site.profile(changes));
}

function file(name: string, text: string, mode = 0o600): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode });
  return path;
}

describe('tundial ping', () => {
  test('prints as ping does', async () => {
    const { status, stdout, stderr } = await inProcess('ping', profile, '10.8.0.1', ...QUICK);
    expect(stdout).toMatch(
      /^PING 10\.8\.0\.1: 56 bytes of payload\n56 bytes from 10\.8\.0\.1: seq=1 ttl=64 time=\d+\.\d\d ms\n/,
    );
    expect(stdout).toContain(
      '2 packets transmitted, 2 received, 0% packet loss\nrtt min/avg/max/mdev = ',
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test('resolves names inside the tunnel; --json: a record for each reply', async () => {
    const finished = await inProcess('ping', '--json', profile, 'demo.tundial.test', ...QUICK);
    expect(records(finished)).toMatchObject([
      { sequence: 1, from: '10.8.0.1', bytes: 56, ttl: 64 },
      { sequence: 2, from: '10.8.0.1', bytes: 56, ttl: 64 },
    ]);
    expect(finished.status).toBe(0);
  });

  test('no reply: 1', async () => {
    const { status, stdout } = await inProcess('ping', profile, '10.8.0.9', '-c', '1', '-W', '0.1');
    expect(stdout).toContain('no reply: seq=1 timed-out');
    expect(stdout).toContain('1 packets transmitted, 0 received, 100% packet loss');
    expect(status).toBe(1);
  });
});

describe('tundial fetch', () => {
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

  test('-o: the page in a file, nothing on standard output', async () => {
    const path = join(directory, 'page');
    const url = 'http://demo.tundial.test/page';
    const { status, stdout, stderr } = await inProcess(
      'fetch',
      '--verbose',
      profile,
      url,
      '-o',
      path,
    );
    expect(sha256(readFileSync(path))).toBe(sha256(PAGE));
    expect(stdout).toBe('');
    expect(stderr).toMatch(/up in \d+ ms: udp 127\.0\.0\.1 port \d+, AES-256-GCM, 10\.8\.0\.\d+/);
    expect(stderr).toMatch(/HTTP 200, 300\.0 kB in \d/);
    expect(status).toBe(0);
  });

  test('the page on standard output, whatever it answers: HTTP 404 is 1', async () => {
    const { status, stdout, stderr } = await inProcess('fetch', profile, 'http://10.8.0.1/none');
    expect(stdout).toBe('not here');
    expect(stderr).toBe('tundial: http://10.8.0.1/none answered HTTP 404\n');
    expect(status).toBe(1);
  });

  test('a redirection is told, not followed', async () => {
    const { status, stdout, stderr } = await inProcess('fetch', profile, 'http://10.8.0.1/moved');
    expect(stdout).toBe('elsewhere');
    expect(stderr).toContain('answered HTTP 302, see /page');
    expect(status).toBe(0);
  });

  test('--json: a record in place of the page', async () => {
    const url = 'http://10.8.0.1/page';
    const finished = await inProcess('fetch', '--json', profile, url);
    expect(records(finished)).toEqual([
      { url, status: 200, bytes: PAGE.length, elapsedMs: expect.any(Number) },
    ]);
    expect(finished.status).toBe(0);
  });

  test.each([
    { name: 'no such name', url: 'http://nobody.test/', status: 68 },
    { name: 'nobody listens', url: 'http://10.8.0.1:81/', status: 69 },
  ])('$name: $status', async ({ url, status }) => {
    const finished = await inProcess('fetch', profile, url);
    expect(finished.stderr).toMatch(/^tundial: /);
    expect(finished.status).toBe(status);
  });

  test('a file that cannot be written: 66', async () => {
    const url = 'http://10.8.0.1/page';
    const finished = await inProcess('fetch', profile, url, '-o', join(directory, 'no', 'page'));
    expect(finished.stderr).toContain('ENOENT');
    expect(finished.status).toBe(66);
  });
});

describe('tundial dns', () => {
  test('one line a record', async () => {
    const { status, stdout } = await inProcess('dns', profile, 'demo.tundial.test');
    expect(stdout).toBe('demo.tundial.test\t60\tA\t10.8.0.1\n');
    expect(status).toBe(0);
  });

  test('--json', async () => {
    const finished = await inProcess('dns', '--json', profile, 'demo.tundial.test', 'a');
    expect(records(finished)).toMatchObject([
      { type: 'A', text: '10.8.0.1', ttl: 60, server: '10.8.0.1:53' },
    ]);
  });

  test('--dns-server asks another one: 69 where nobody listens', async () => {
    const args = ['dns', profile, 'demo.tundial.test', '--dns-server'];
    expect((await inProcess(...args, '10.8.0.1:53')).status).toBe(0);
    const { status, stderr } = await inProcess(...args, '10.8.0.1:5300');
    expect(stderr).toMatch(/^tundial: .*ECONNREFUSED.*demo\.tundial\.test/);
    expect(status).toBe(69);
  });

  test('no such name: 68', async () => {
    const { status, stderr } = await inProcess('dns', profile, 'nobody.test');
    expect(stderr).toMatch(/^tundial: .*ENOTFOUND.*nobody\.test/);
    expect(status).toBe(68);
  });
});

describe('tundial trace', () => {
  test('prints packets and states in the order of their times', async () => {
    const { status, stdout } = await inProcess('trace', profile);
    const lines = stdout.trimEnd().split('\n');
    const times = lines.filter((line) => / ms /.test(line)).map((line) => Number.parseFloat(line));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(lines[0]).toMatch(/^ +0\.000 ms {2}S_PRE_START {6}state$/);
    expect(lines[1]).toMatch(
      /ms {2}S_PRE_START {6}-> P_CONTROL_HARD_RESET_CLIENT_V2 id 0, 0 bytes/,
    );
    expect(stdout).toMatch(/^up: udp 127\.0\.0\.1 port \d+, TLSv1\.3, AES-256-GCM$/m);
    expect(status).toBe(0);
  });

  test('--json and --pcapng', async () => {
    const path = join(directory, 'handshake.pcapng');
    const finished = await inProcess('trace', '--json', profile, '--pcapng', path);
    expect(records(finished)[0]).toEqual({
      operation: 'state',
      stage: 'S_PRE_START',
      t: 0,
      tags: [],
      packet: null,
    });
    expect(readFileSync(path).readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(statSync(path).size).toBeGreaterThan(2_000);
  });

  test('a capture file that cannot be written is told before anything else: 66', async () => {
    const finished = await inProcess('trace', profile, '--pcapng', join(directory, 'no', 'x'));
    expect(finished).toMatchObject({ status: 66, stdout: '' });
  });
});

describe('tundial serve', () => {
  test('a port that is taken: 69', async () => {
    const { port } = site.server.address();
    const { status, stderr } = await inProcess('serve', '--port', String(port));
    expect(stderr).toBe(
      `tundial: cannot listen on udp 127.0.0.1 port ${port} (EADDRINUSE) (OVPN_LINK_FAILED)\n`,
    );
    expect(status).toBe(69);
  });

  test('a network that is none: 64', async () => {
    const { status, stderr } = await inProcess('serve', '--port', '0', '--subnet', '10.0.0.1');
    expect(stderr).toContain('OVPN_USAGE');
    expect(status).toBe(64);
  });
});

describe('--auth-user-pass', () => {
  const asking = () => profileFile('asking.ovpn', { authUserPass: true });
  const ping = (...args: string[]) => inProcess('ping', asking(), '10.8.0.1', ...QUICK, ...args);

  test('gives user and password from a file', async () => {
    const path = file('good', 'ali\nsesame\n');
    expect(await ping('--auth-user-pass', path)).toMatchObject({ status: 0, stderr: '' });
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a wrong password',             path: () => file('wrong', 'ali\nbaba\n'),         status: 77, says: /OVPN_AUTH_FAILED/ },
    { name: 'a file with one line',         path: () => file('short', 'ali\n'),               status: 78, says: /expected the user name and the password/ },
    { name: 'a file that others can read',  path: () => file('open', 'ali\nsesame\n', 0o644), status: 78, says: /chmod 600/ },
    { name: 'no such file',                 path: () => join(directory, 'nowhere'),           status: 66, says: /ENOENT/ },
  ])('$name: $status', async ({ path, status, says }) => {
    const finished = await ping('--auth-user-pass', path());
    expect(finished.stderr).toMatch(says);
    expect(finished.stderr).not.toContain('sesame');
    expect(finished.status).toBe(status);
  });

  test('none where one is asked for: 77, and what to do', async () => {
    expect(await ping()).toMatchObject({
      status: 77,
      stderr: expect.stringMatching(/--auth-user-pass FILE.*OVPN_CREDENTIALS_MISSING/),
    });
  });
});

describe('what goes wrong', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no such profile',       profile: () => join(directory, 'nothing.ovpn'),                                                    status: 66, code: 'OVPN_FILE_UNREADABLE' },
    { name: 'a profile with a hook', profile: () => profileFile('hook.ovpn', { lines: ['tls-verify /bin/true'] }),                      status: 78, code: 'OVPN_CONFIG_REFUSED' },
    { name: 'no server there',       profile: () => profileFile('dead.ovpn', { port: 9 }),                                              status: 69, code: 'OVPN_UNREACHABLE' },
    { name: 'another name',          profile: () => profileFile('name.ovpn', { lines: ['verify-x509-name other name'] }),               status: 77, code: 'OVPN_CERT_NAME' },
    { name: 'no shared cipher',      profile: () => profileFile('cipher.ovpn', { lines: ['data-ciphers AES-256-CBC'] }),                status: 76, code: 'OVPN_NO_SHARED_CIPHER' },
  ])('$name: $status, $code', async ({ profile: path, status, code }) => {
    const finished = await inProcess('ping', '--json', path(), '10.8.0.1');
    expect(records(finished)).toEqual([{ error: expect.objectContaining({ code }) }]);
    expect(finished.stderr).toContain(code);
    expect(finished.status).toBe(status);
  });

  test('out of time: 124, and how far it came', async () => {
    const authenticate = () => new Promise<never>(() => {});
    await using undecided = await Site.open({ server: { authenticate } });
    const path = file('undecided.ovpn', undecided.profile());
    const { status, stderr } = await inProcess('ping', '--timeout', '0.5', path, '10.8.0.1');
    expect(stderr).toMatch(
      /a tunnel within 0\.5 s, got as far as S_SENT_KEY \(OVPN_DIAL_TIMEOUT\)/,
    );
    expect(status).toBe(124);
  });
});
