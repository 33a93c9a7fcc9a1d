import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { OvpnError, type OvpnErrorCode } from '../../src/core/errors.ts';
import { createStaticKeyText } from '../../src/server/pki.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import {
  CLIENT_AUTH,
  createAuthority,
  type Issued,
  serverOptions,
} from '../tlsstate/certificates.ts';
import { authority, type ProfileChanges, Site, type SiteOptions, startError } from './site.ts';

const DAY_MS = 86_400_000;
const otherAuthority = createAuthority('another authority');

interface Case {
  readonly name: string;
  readonly code: OvpnErrorCode;
  readonly site?: SiteOptions;
  readonly profile?: ProfileChanges;
  /** What the message must say. */
  readonly says: RegExp;
}

const fingerprint = 'AA:'.repeat(31).concat('AA');

const identity = (issued: Issued): SiteOptions => ({ identity: issued });

/** The server shows a certificate that is not to be accepted; it must not hear of our password. */
// biome-ignore format: a table, one row a line
const CERTIFICATES: readonly Case[] = [
  { name: 'an authority that we do not know', code: 'OVPN_CERT_UNTRUSTED',     says: /check that ca holds/,   site: identity(otherAuthority.issue(serverOptions())) },
  { name: 'one that has expired',             code: 'OVPN_CERT_EXPIRED',       says: /has expired/,           site: identity(authority.issue(serverOptions({ notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }))) },
  { name: 'one that is not valid yet',        code: 'OVPN_CERT_NOT_YET_VALID', says: /not valid yet/,         site: identity(authority.issue(serverOptions({ notBefore: new Date(Date.now() + DAY_MS), notAfter: new Date(Date.now() + 9 * DAY_MS) }))) },
  { name: 'one made for a client',            code: 'OVPN_CERT_PURPOSE',       says: /made for a server/,     site: identity(authority.issue(serverOptions({ extendedKeyUsage: [CLIENT_AUTH] }))) },
  { name: 'one without extended key usage',   code: 'OVPN_CERT_NO_EKU',        says: /remote-cert-tls/,       site: identity(authority.issue(serverOptions({ extendedKeyUsage: undefined }))) },
  { name: 'one without key usage',            code: 'OVPN_CERT_KEY_USAGE',     says: /keyUsage/,              site: identity(authority.issue(serverOptions({ keyUsage: undefined }))) },
  { name: 'one with another name',            code: 'OVPN_CERT_NAME',          says: /other-name.*vpn\.example/, profile: { lines: ['verify-x509-name other-name name'] } },
  { name: 'one with another fingerprint',     code: 'OVPN_CERT_FINGERPRINT',   says: /SHA-256/,               profile: { lines: [`peer-fingerprint ${fingerprint}`] } },
];

describe.each(['udp', 'tcp'] as const)('over %s', (protocol) => {
  test.each(CERTIFICATES)('a certificate: $name: $code', async ({ code, site, profile, says }) => {
    const exchanges: unknown[] = [];
    await using opened = await Site.open({
      ...site,
      protocol,
      server: {
        authenticate: async (request) => {
          exchanges.push(request);
          return { ok: true };
        },
      },
    });
    let asked = 0;
    const client = opened.client(
      { ...profile, authUserPass: true },
      {
        credentials: async () => {
          asked += 1;
          return { username: 'ada', password: 'correct horse' };
        },
      },
    );
    const startedAt = performance.now();
    const error = await startError(client);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(says);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(exchanges).toEqual([]);
    expect(asked).toBeLessThanOrEqual(1);
    expect(opened.server.peers).toEqual([]);
  });

  test('another tls-crypt key: OVPN_WRAP_UNANSWERED or the end of the link', async () => {
    await using site = await Site.open({ protocol });
    const lines = ['server-poll-timeout 1'];
    const client = site.client({ tlsCryptKey: createStaticKeyText(), lines });
    const error = await startError(client);
    const code = protocol === 'udp' ? 'OVPN_WRAP_UNANSWERED' : 'OVPN_LINK_CLOSED';
    expect(error).toMatchObject({ code, retryable: true });
    if (protocol === 'udp') expect(error.message).toMatch(/tls-crypt key is not the profile's/);
  });

  test('a server that says nothing: OVPN_SERVER_SILENT', async () => {
    const silent = protocol === 'udp' ? await silentUdp() : await silentTcp();
    await using site = await Site.open({ protocol, wrap: 'none' });
    const lines = ['server-poll-timeout 1'];
    const error = await startError(site.client({ port: silent.port, lines }));
    silent.close();
    expect(error).toMatchObject({
      code: 'OVPN_SERVER_SILENT',
      phase: 'hard reset',
      timeoutMs: 1000,
    });
    expect(error.message).toContain(`that ${protocol} port`);
  });

  test('no server: OVPN_UNREACHABLE, at once', async () => {
    await using site = await Site.open({ protocol });
    const dead = protocol === 'udp' ? await silentUdp() : await silentTcp();
    dead.close();
    const startedAt = performance.now();
    expect(await startError(site.client({ port: dead.port }))).toMatchObject({
      code: 'OVPN_UNREACHABLE',
      cause: { code: 'ECONNREFUSED' },
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  // biome-ignore format: a table, one row a line
  test.each<Case>([
    { name: 'a wrong password',     code: 'OVPN_AUTH_FAILED',         says: /refused user name and password/, site: { server: { authenticate: async ({ password }) => ({ ok: password?.reveal() === 'right' }) } }, profile: { lines: ['<auth-user-pass>', 'ada', 'wrong', '</auth-user-pass>'] } },
    { name: 'no credentials',       code: 'OVPN_CREDENTIALS_MISSING', says: /--auth-user-pass FILE/,          profile: { authUserPass: true } },
    { name: 'no cipher in common',  code: 'OVPN_NO_SHARED_CIPHER',    says: /data-ciphers/,                   site: { server: { dataCiphers: ['AES-128-GCM'] } }, profile: { lines: ['data-ciphers CHACHA20-POLY1305'] } },
  ])('$name: $code', async ({ code, site, profile, says }) => {
    await using opened = await Site.open({ ...site, protocol });
    const startedAt = performance.now();
    const error = await startError(opened.client(profile));
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(says);
  });
});

describe('a profile', () => {
  const codeOf = (profile: string): unknown => {
    try {
      new VpnClient({ profile });
    } catch (error) {
      return error instanceof OvpnError ? error.code : error;
    }
    return undefined;
  };

  test('that cannot be read: OVPN_FILE_UNREADABLE', () => {
    expect(codeOf('/nowhere/client.ovpn')).toBe('OVPN_FILE_UNREADABLE');
  });

  test('that asks for what we never do: OVPN_CONFIG_REFUSED', async () => {
    await using site = await Site.open();
    const profile = site.profile({ lines: ['tls-verify /bin/true'] });
    expect(codeOf(profile)).toBe('OVPN_CONFIG_REFUSED');
  });

  test('that is none: OVPN_CONFIG_INVALID', () => {
    expect(codeOf('client\nremote\n')).toBe('OVPN_CONFIG_INVALID');
  });

  test('without any check of the server is told once, or refused where that is asked for', async () => {
    await using site = await Site.open();
    const log: string[] = [];
    const logger = (level: string, _layer: string, text: string) => log.push(`${level} ${text}`);
    await site.connected({ unchecked: true }, { logger });
    expect(log.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('does not say who the server is'),
    ]);
    const strict = site.client({ unchecked: true }, { requireServerCheck: true });
    expect(await startError(strict)).toMatchObject({ code: 'OVPN_USAGE' });
  });

  test('and a push that go well make no warning', async () => {
    await using site = await Site.open({ server: { pushes: ['route 10.1.0.0 255.255.0.0'] } });
    const log: string[] = [];
    await site.connected({}, { logger: (level, _layer, text) => log.push(`${level} ${text}`) });
    expect(log.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
  });
});

describe('the environment', () => {
  test.each(['NODE_TLS_REJECT_UNAUTHORIZED'])('%s changes no verdict', async (name) => {
    process.env[name] = '0';
    try {
      await using site = await Site.open(identity(otherAuthority.issue(serverOptions())));
      expect(await startError(site.client())).toMatchObject({ code: 'OVPN_CERT_UNTRUSTED' });
    } finally {
      delete process.env[name];
    }
  });
});

test('every code of the tables is another', () => {
  const codes = CERTIFICATES.map(({ code }) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(inspect(codes)).not.toContain('undefined');
});

async function silentUdp(): Promise<{ port: number; close(): void }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}

async function silentTcp(): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, close: () => server.close() };
}
