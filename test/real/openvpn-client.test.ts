import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import type { ThrowAwayOptions } from '../../src/server/throw-away-server.ts';
import type { Background } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { Lab } from '../lab/lab.ts';
import { LAB, type Wrap } from '../lab/openvpn-config.ts';
import { PageServer } from '../lab/page-server.ts';

/** Our server's own addresses in the tunnel. */
const INSIDE = { 4: '10.8.0.1', 6: 'fd00:8::1' } as const;

/** What the server is made with, beside its address. */
type Options = Omit<ThrowAwayOptions, 'authenticate'> & {
  readonly login?: { readonly username: string; readonly password: string };
};

/** One server and what the client does with it. */
interface Row {
  readonly protocol: 'udp' | 'tcp';
  readonly wrap: Wrap;
  readonly cipher: string;
  /** The digest of the CBC cipher, and of tls-auth. */
  readonly auth: string;
  readonly tls: '1.2' | '1.3';
  readonly compression: CompressionFraming;
  /** Who starts the renegotiation. */
  readonly rekeyBy: 'server' | 'client';
}

/** Every wrap with every cipher; the rest is spread so that each value meets each wrap. */
// biome-ignore format: a table, one row a line
const ROWS: readonly Row[] = [
  { wrap: 'none',         cipher: 'AES-128-GCM',       auth: 'SHA1',   protocol: 'udp', tls: '1.3', compression: 'none',        rekeyBy: 'server' },
  { wrap: 'none',         cipher: 'AES-192-GCM',       auth: 'SHA1',   protocol: 'tcp', tls: '1.2', compression: 'comp-lzo-no', rekeyBy: 'client' },
  { wrap: 'none',         cipher: 'AES-256-GCM',       auth: 'SHA256', protocol: 'udp', tls: '1.2', compression: 'stub',        rekeyBy: 'client' },
  { wrap: 'none',         cipher: 'CHACHA20-POLY1305', auth: 'SHA1',   protocol: 'tcp', tls: '1.3', compression: 'stub-v2',     rekeyBy: 'server' },
  { wrap: 'none',         cipher: 'AES-128-CBC',       auth: 'SHA1',   protocol: 'udp', tls: '1.3', compression: 'stub',        rekeyBy: 'client' },
  { wrap: 'none',         cipher: 'AES-256-CBC',       auth: 'SHA256', protocol: 'tcp', tls: '1.2', compression: 'none',        rekeyBy: 'server' },

  { wrap: 'tls-auth',     cipher: 'AES-128-GCM',       auth: 'SHA512', protocol: 'tcp', tls: '1.2', compression: 'stub',        rekeyBy: 'client' },
  { wrap: 'tls-auth',     cipher: 'AES-192-GCM',       auth: 'SHA256', protocol: 'udp', tls: '1.3', compression: 'stub-v2',     rekeyBy: 'server' },
  { wrap: 'tls-auth',     cipher: 'AES-256-GCM',       auth: 'SHA1',   protocol: 'tcp', tls: '1.3', compression: 'none',        rekeyBy: 'server' },
  { wrap: 'tls-auth',     cipher: 'CHACHA20-POLY1305', auth: 'SHA384', protocol: 'udp', tls: '1.2', compression: 'comp-lzo-no', rekeyBy: 'client' },
  { wrap: 'tls-auth',     cipher: 'AES-128-CBC',       auth: 'SHA1',   protocol: 'tcp', tls: '1.2', compression: 'none',        rekeyBy: 'server' },
  { wrap: 'tls-auth',     cipher: 'AES-256-CBC',       auth: 'SHA256', protocol: 'udp', tls: '1.3', compression: 'comp-lzo-no', rekeyBy: 'client' },

  { wrap: 'tls-crypt',    cipher: 'AES-128-GCM',       auth: 'SHA1',   protocol: 'udp', tls: '1.2', compression: 'none',        rekeyBy: 'client' },
  { wrap: 'tls-crypt',    cipher: 'AES-192-GCM',       auth: 'SHA1',   protocol: 'tcp', tls: '1.3', compression: 'stub',        rekeyBy: 'server' },
  { wrap: 'tls-crypt',    cipher: 'AES-256-GCM',       auth: 'SHA512', protocol: 'udp', tls: '1.3', compression: 'comp-lzo-no', rekeyBy: 'server' },
  { wrap: 'tls-crypt',    cipher: 'CHACHA20-POLY1305', auth: 'SHA1',   protocol: 'tcp', tls: '1.2', compression: 'none',        rekeyBy: 'client' },
  { wrap: 'tls-crypt',    cipher: 'AES-128-CBC',       auth: 'SHA1',   protocol: 'udp', tls: '1.2', compression: 'stub-v2',     rekeyBy: 'server' },
  { wrap: 'tls-crypt',    cipher: 'AES-256-CBC',       auth: 'SHA256', protocol: 'tcp', tls: '1.3', compression: 'none',        rekeyBy: 'client' },

  { wrap: 'tls-crypt-v2', cipher: 'AES-128-GCM',       auth: 'SHA1',   protocol: 'tcp', tls: '1.3', compression: 'comp-lzo-no', rekeyBy: 'server' },
  { wrap: 'tls-crypt-v2', cipher: 'AES-192-GCM',       auth: 'SHA1',   protocol: 'udp', tls: '1.2', compression: 'none',        rekeyBy: 'client' },
  { wrap: 'tls-crypt-v2', cipher: 'AES-256-GCM',       auth: 'SHA1',   protocol: 'tcp', tls: '1.2', compression: 'stub-v2',     rekeyBy: 'client' },
  { wrap: 'tls-crypt-v2', cipher: 'CHACHA20-POLY1305', auth: 'SHA1',   protocol: 'udp', tls: '1.3', compression: 'stub',        rekeyBy: 'server' },
  { wrap: 'tls-crypt-v2', cipher: 'AES-128-CBC',       auth: 'SHA1',   protocol: 'tcp', tls: '1.3', compression: 'none',        rekeyBy: 'client' },
  { wrap: 'tls-crypt-v2', cipher: 'AES-256-CBC',       auth: 'SHA256', protocol: 'udp', tls: '1.2', compression: 'stub',        rekeyBy: 'server' },
];

/** When our server renegotiates, and after how much the client does. */
const SERVER_REKEY_MS = 800;
const CLIENT_REKEY_BYTES = 1_000_000;

/** A page that takes 1.5 s. */
const SLOW_PAGE = '/bytes/3000000?mbit=16';

/** What the client logs when it starts a renegotiation, and when a TLS handshake is done. */
const STARTED = 'TLS: soft reset';
const NEGOTIATED = 'Control Channel: TLSv';

/** Over TCP it only hangs up, which is a reset where a packet of ours was on its way. */
const HOW_IT_LEFT = {
  udp: [{}],
  tcp: [{}, { reason: 'the peer closed the link (ECONNRESET)' }],
} as const;

describeInLab(
  "Debian's openvpn as client of our server",
  (lab) => {
    afterEach(() => lab.quiet());

    test.each(ROWS)(
      '$wrap, $cipher, $auth, $protocol, TLS $tls, $compression, rekey by $rekeyBy: it joins, pings both ways, fetches, uploads, leaves',
      async ({ cipher, tls, rekeyBy, ...row }) => {
        const { server, pages, profile } = await serve(lab, {
          ...row,
          dataCiphers: [cipher],
          tlsVersionMin: tls,
          tlsVersionMax: tls,
          renegSecMs: rekeyBy === 'server' ? SERVER_REKEY_MS : 0,
        });
        const bytes = rekeyBy === 'client' ? CLIENT_REKEY_BYTES : 0;
        const client = await join(lab, profile, ['--reneg-bytes', String(bytes)]);

        await fetchPage(lab, pages, SLOW_PAGE, 4);
        await expect.poll(() => client.count(`${NEGOTIATED}${tls}`)).toBeGreaterThan(1);
        expect(client.count(STARTED) > 0).toBe(rekeyBy === 'client');
        expect(client.count(`Cipher '${cipher}' initialized`)).toBeGreaterThan(2);
        for (const family of [4, 6] as const) {
          expect(await ping(lab, INSIDE[family])).toContain(' 0% packet loss');
        }
        await upload(lab, pages, 6);
        await server.until('"event":"pinged"');
        expect(event(server, 'pinged')).toEqual({ timeMs: expect.any(Number) });

        await client.stop();
        await server.until('"event":"disconnect"');
        expect(HOW_IT_LEFT[row.protocol]).toContainEqual(event(server, 'disconnect'));
      },
    );

    test('a transfer across renegotiations from both sides keeps its hash', async () => {
      const { server, pages, profile } = await serve(lab, { renegSecMs: 1_700 });
      const client = await join(lab, profile, ['--reneg-sec', '2']);

      await fetchPage(lab, pages, '/bytes/12000000?mbit=8', 4);

      const byClient = client.count(STARTED);
      const all = client.count(NEGOTIATED) - 1;
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

        await fetchPage(lab, pages, '/bytes/5000000', 4);
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
  const command = ['ping', '-q', '-c', '3', '-i', '0.05', '-s', '1200', address];
  return (await lab.background(lab.inClient(command)).finished(20_000)).stdout;
}

async function upload(lab: Lab, pages: PageServer, family: 4 | 6): Promise<void> {
  const file = lab.write('upload', '');
  writeFileSync(file, randomBytes(5_000_000));
  await curl(lab, ['-T', file, pages.url('/upload', family)]);
  expect(await pages.sha256('/upload')).toBe(sha256(file));
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
