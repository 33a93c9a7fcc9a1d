import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Site } from '../embedded/site.ts';
import { behindTunnel } from './behind-tunnel.ts';
import { records, Tundial, tundial } from './run-tundial.ts';

const QUICK = ['-c', '2', '-i', '0.05', '-W', '1'];

let directory: string;
let site: Site;
let profile: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tundial-cli-'));
  site = await Site.open({ server: { pushes: ['dhcp-option DNS 10.8.0.1'] } });
  behindTunnel(site.serverDialer());
  profile = join(directory, 'client.ovpn');
  writeFileSync(profile, site.profile());
});

afterAll(async () => {
  await site[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

describe('tundial demo', () => {
  test('shows all it can do and ends by itself, quickly', async () => {
    const { status, stdout, stderr, elapsedMs } = await tundial('demo');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    for (const text of [
      'server on udp 127.0.0.1 port',
      'negotiating  S_PRE_START',
      'tunnel up: 10.8.0.2 and fd00:8::2, AES-256-GCM, TLSv1.3',
      'demo.tundial.test is 10.8.0.1, asked inside the tunnel',
      'page fetched, ',
      'This page came through an OpenVPN tunnel.',
      'UDP echo: "hello through the tunnel"',
      '4 packets transmitted, 4 received, 0% packet loss',
      'through the tunnel: ',
      'down',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(elapsedMs).toBeLessThan(20_000);
  });

  test('--json: a record for each thing', async () => {
    const finished = await tundial('demo', '--json');
    const events = records(finished).map(({ event }) => event);
    expect(finished.status).toBe(0);
    expect(new Set(events)).toEqual(new Set(['step', 'up', 'page', 'ping', 'traffic']));
  });
});

describe('signals', () => {
  test.each([
    { signal: 'SIGINT', expected: 130 },
    { signal: 'SIGTERM', expected: 143 },
  ] as const)('$signal: the statistics so far, the server is told, $expected', async (row) => {
    const running = new Tundial(['ping', profile, '10.8.0.1', '-c', '1000', '-i', '0.05']);
    const left = new Promise((resolve) => site.server.once('disconnect', resolve));
    await running.until('seq=2');
    running.kill(row.signal);
    const { status, stdout } = await running.finished;
    expect(stdout).toContain('--- 10.8.0.1 ping statistics ---');
    expect(status).toBe(row.expected);
    expect(await left).toMatchObject({ error: undefined });
  });

  test('SIGINT in the middle of a page: 130', async () => {
    const running = new Tundial(['fetch', profile, 'http://10.8.0.1/slow']);
    await running.until('the beginning');
    running.kill('SIGINT');
    expect(await running.finished).toMatchObject({ status: 130, stderr: '' });
  });

  test('a reader that goes away ends it quietly', async () => {
    const running = new Tundial(['fetch', profile, 'http://10.8.0.1/page']);
    running.closeStdout();
    expect(await running.finished).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('tundial serve', () => {
  test('writes a profile that works, tells who comes and goes, and ends with 130', async () => {
    const path = join(directory, 'served.ovpn');
    const server = new Tundial(['serve', '--port', '0', '-o', path, '--subnet', '10.77.0.0/24']);
    await server.until('listening on udp 127.0.0.1 port');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const pinged = await tundial('ping', path, '10.77.0.1', ...QUICK);
    expect(pinged).toMatchObject({ status: 0, stderr: '' });
    await server.until('10.77.0.2 left');
    server.kill('SIGINT');
    const { status, stdout, stderr } = await server.finished;
    expect(status).toBe(130);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/127\.0\.0\.1 port \d+ joined as 10\.77\.0\.2\n/);
  });

  test.each([
    { wrap: 'none', block: undefined },
    { wrap: 'tls-auth', block: '<tls-auth>' },
    { wrap: 'tls-crypt', block: '<tls-crypt>' },
    { wrap: 'tls-crypt-v2', block: '<tls-crypt-v2>' },
  ])('--wrap $wrap is what clients come by', async ({ wrap, block }) => {
    const path = join(directory, `${wrap}.ovpn`);
    const server = new Tundial(['serve', '--port', '0', '--wrap', wrap, '-o', path]);
    await server.until('listening on udp');
    const blocks = readFileSync(path, 'utf8').match(/^<tls-.*>$/gm) ?? [];
    expect(blocks).toEqual(block === undefined ? [] : [block]);
    expect((await tundial('ping', path, '10.8.0.1', ...QUICK)).status).toBe(0);
    server.kill('SIGTERM');
    expect((await server.finished).status).toBe(143);
  });

  test('tells a client to leave when it ends: 75 there', async () => {
    const path = join(directory, 'tcp.ovpn');
    const args = ['serve', '--port', '0', '--proto', 'tcp', '--wrap', 'none', '-o', path];
    const server = new Tundial(args);
    await server.until('listening on tcp');
    const ping = new Tundial(['ping', path, '10.8.0.1', '-c', '1000', '-i', '0.05']);
    await ping.until('seq=1');
    server.kill('SIGTERM');
    expect((await server.finished).status).toBe(143);
    expect(await ping.finished).toMatchObject({
      status: 75,
      stderr: expect.stringContaining('OVPN_PEER_RESTART'),
    });
  });

  test('--json holds the profile where no file is named, for the host that clients use', async () => {
    const server = new Tundial(['serve', '--json', '--port', '0', '--remote', 'vpn.example']);
    await server.until('"listening"');
    server.kill('SIGTERM');
    const [listening] = records(await server.finished);
    expect(listening).toMatchObject({
      event: 'listening',
      protocol: 'udp',
      profile: expect.stringMatching(/^remote vpn\.example \d+$/m),
    });
  });
});

describe('tundial', () => {
  test('wrong use: 64, on standard error', async () => {
    expect(await tundial('ping')).toMatchObject({ status: 64, stdout: '' });
    expect(await tundial('--help')).toMatchObject({ status: 0, stderr: '' });
  });
});
