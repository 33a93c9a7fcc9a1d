import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { Lab } from '../lab/lab.ts';
import { LAB } from '../lab/openvpn-config.ts';
import { PageServer } from '../lab/page-server.ts';

/** Our server's own addresses in the tunnel. */
const INSIDE = { 4: '10.8.0.1', 6: 'fd00:8::1' } as const;

/** What the server is made with, beside its address. */
interface Options {
  readonly protocol?: 'udp' | 'tcp';
  readonly wrap?: 'none' | 'tls-crypt';
  readonly dataCiphers?: readonly string[];
  readonly renegSecMs?: number;
  readonly login?: { readonly username: string; readonly password: string };
}

describeInLab(
  "Debian's openvpn as client of our server",
  (lab) => {
    afterEach(() => lab.quiet());

    // biome-ignore format: a table, one row a line
    describe.each([
      { protocol: 'udp', wrap: 'none',      cipher: 'AES-256-GCM' },
      { protocol: 'udp', wrap: 'none',      cipher: 'CHACHA20-POLY1305' },
      { protocol: 'udp', wrap: 'tls-crypt', cipher: 'AES-256-GCM' },
      { protocol: 'udp', wrap: 'tls-crypt', cipher: 'CHACHA20-POLY1305' },
      { protocol: 'tcp', wrap: 'none',      cipher: 'AES-256-GCM' },
      { protocol: 'tcp', wrap: 'none',      cipher: 'CHACHA20-POLY1305' },
      { protocol: 'tcp', wrap: 'tls-crypt', cipher: 'AES-256-GCM' },
      { protocol: 'tcp', wrap: 'tls-crypt', cipher: 'CHACHA20-POLY1305' },
    ] as const)('$protocol, $wrap, $cipher', ({ protocol, wrap, cipher }) => {
      test('it joins, pings both ways, fetches and uploads, and leaves', async () => {
        const { server, pages, profile } = await serve(lab, { protocol, wrap, dataCiphers: [cipher] });
        const client = await join(lab, profile);

        expect(client.count(`Cipher '${cipher}' initialized`)).toBeGreaterThan(0);
        for (const family of [4, 6] as const) {
          expect(await ping(lab, INSIDE[family])).toContain(' 0% packet loss');
          await transfers(lab, pages, family);
        }
        await server.until('"event":"pinged"');
        expect(event(server, 'pinged')).toEqual({ timeMs: expect.any(Number) });

        await client.stop();
        await server.until('"event":"disconnect"');
        expect(event(server, 'disconnect')).toEqual({});
      });
    });

    test('a transfer across renegotiations from both sides keeps its hash', async () => {
      const { server, pages, profile } = await serve(lab, { renegSecMs: 1_700 });
      const client = await join(lab, profile, ['--reneg-sec', '2']);

      await fetchPage(lab, pages, '/bytes/12000000?mbit=8', 4);

      const byClient = client.count('TLS: soft reset');
      const all = client.count('Control Channel: TLSv1.3') - 1;
      expect(byClient).toBeGreaterThanOrEqual(1);
      expect(all - byClient).toBeGreaterThanOrEqual(1);
      expect(all).toBeGreaterThanOrEqual(4);
      expect(server.count('"event":"disconnect"')).toBe(0);
    });

    describe('user name and password', () => {
      const login = { username: 'lab', password: 'correct horse' };

      test('the right ones join', async () => {
        const { server, pages, profile } = await serve(lab, { login });
        const file = lab.loginFile(login.password);

        await join(lab, profile, ['--auth-user-pass', file]);

        await transfers(lab, pages, 4);
        expect(event(server, 'authenticate')).toEqual({ username: 'lab', keyId: 0, ok: true });
        expect(event(server, 'connect')).toMatchObject({ username: 'lab' });
      });

      test('wrong ones are told so and are not let in', async () => {
        const { server, profile } = await serve(lab, { login });
        const file = lab.loginFile('wrong');

        const client = lab.background(
          lab.inClient(['openvpn', '--config', profile, '--dev', 'tun0', '--auth-user-pass', file]),
        );

        await client.until('AUTH_FAILED');
        expect(await client.exited).toBe(0);
        expect(client.count('Initialization Sequence Completed')).toBe(0);
        expect(event(server, 'authenticate')).toEqual({ username: 'lab', keyId: 0, ok: false });
        expect(server.count('"event":"connect"')).toBe(0);
      });
    });
  },
  ['ping', 'curl'],
);

/** Starts our server in the server's namespace, with pages behind it. */
async function serve(lab: Lab, options: Options) {
  const profile = lab.write('client.ovpn', '');
  const chosen = { host: LAB.server, port: LAB.port, ...options };
  const script = 'test/lab/vpn-server.js';
  const server = lab.script('server', script, [profile, JSON.stringify(chosen)]);
  await server.until('"event":"listening"');
  return { server, pages: new PageServer(server, INSIDE), profile };
}

/** Starts the openvpn client and waits until its tunnel is up. */
async function join(lab: Lab, profile: string, more: readonly string[] = []): Promise<Background> {
  const command = ['openvpn', '--config', profile, '--dev', 'tun0', '--verb', '4', ...more];
  const client = lab.background(lab.inClient(command));
  await client.until('Initialization Sequence Completed');
  return client;
}

async function ping(lab: Lab, address: string): Promise<string> {
  const command = ['ping', '-q', '-c', '5', '-i', '0.1', '-s', '1200', address];
  return (await lab.background(lab.inClient(command)).finished(20_000)).stdout;
}

async function transfers(lab: Lab, pages: PageServer, family: 4 | 6): Promise<void> {
  await fetchPage(lab, pages, `/bytes/5000000?seed=${family}`, family);
  const upload = lab.write('upload', '');
  writeFileSync(upload, randomBytes(5_000_000));
  await curl(lab, ['-T', upload, pages.url(`/upload/${family}`, family)]);
  expect(await pages.sha256(`/upload/${family}`)).toBe(sha256(upload));
}

async function fetchPage(lab: Lab, pages: PageServer, path: string, family: 4 | 6): Promise<void> {
  const file = lab.write('page', '');
  await curl(lab, ['-o', file, pages.url(path, family)]);
  expect(sha256(file)).toBe(await pages.sha256(path));
}

async function curl(lab: Lab, args: readonly string[]): Promise<void> {
  const command = lab.inClient(['curl', '-sS', '--fail', '--max-time', '60', ...args]);
  const { status, stderr } = await lab.background(command).finished();
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** What the server told of the first event of that name. */
function event(server: Background, name: string): object {
  const line = server.stdout.split('\n').find((text) => text.includes(`"event":"${name}"`));
  const { event: _name, ...detail } = JSON.parse(line ?? '{}') as { event?: string };
  return detail;
}
