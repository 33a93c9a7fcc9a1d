import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { HandshakeTrace } from '../../src/trace/handshake-trace.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { clientIdentity, Site, type SiteOptions, serverIdentity, staticKeyText } from './site.ts';

const PASSWORD = 'correct-horse-battery-staple';

/** Pieces of each secret, as text and as the hex and base64 in which bytes may be shown. */
function fragments(): string[] {
  const keyLine = (pem: string) => pem.split('\n')[1]?.slice(4, 44) ?? '';
  const staticKey = Buffer.from(
    staticKeyText
      .split('\n')
      .filter((line) => /^[0-9a-f]{32}$/.test(line))
      .join(''),
    'hex',
  );
  const bytes = [Buffer.from(PASSWORD), staticKey.subarray(8, 24)];
  return [
    PASSWORD,
    keyLine(clientIdentity.keyPem),
    keyLine(serverIdentity.keyPem),
    ...bytes.flatMap((secret) => [secret.toString('hex'), secret.toString('base64').slice(0, 16)]),
    ...bytes.map((secret) => (secret.toString('hex').match(/../g) ?? []).join(' ')),
  ];
}

function shown(...values: unknown[]): string {
  return values
    .flatMap((value) => [
      inspect(value, { depth: 12, showHidden: true, maxArrayLength: null }),
      String(value),
      value instanceof Error ? `${value.stack} ${inspect(value.cause, { depth: 6 })}` : '',
      typeof value === 'object' && !isStream(value) ? JSON.stringify(value) : '',
    ])
    .join('\n');
}

/** Streams have cycles that JSON refuses. */
function isStream(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'pipe' in value;
}

/** A client with secrets in all places, and everything that could be seen of it. */
async function watched(
  options: SiteOptions,
  changes: Parameters<Site['client']>[0],
): Promise<string> {
  const log: string[] = [];
  const logger = (...line: unknown[]) => log.push(line.join(' '));
  const traces = { client: new HandshakeTrace(), server: new HandshakeTrace() };
  await using site = await Site.open({
    ...options,
    server: {
      authenticate: async ({ password }) => ({ ok: password?.reveal() === PASSWORD }),
      ...options.server,
      logger,
      tracer: traces.server,
    },
  });
  const refused: unknown[] = [];
  site.server.on('refused', (event) => refused.push(event));
  const client = site.client(
    { lines: ['<auth-user-pass>', 'ada', PASSWORD, '</auth-user-pass>'], ...changes },
    { logger, tracer: traces.client },
  );
  const events: unknown[] = [];
  for (const name of ['state', 'push', 'up', 'down'] as const) {
    client.on(name, (payload: unknown) => events.push(payload));
  }
  const outcome = await client.start().catch((error: unknown) => error);
  const seen = shown(client, client.profile, site.server, outcome, events, refused, log, traces);
  await client.close();
  return `${seen}\n${shown(client, await client.ended)}`;
}

// biome-ignore format: a table, one row a line
const CASES = [
  { name: 'a tunnel that works',            site: {},                                                     profile: {} },
  { name: 'a password that is refused',     site: { server: { authenticate: async () => ({ ok: false }) } }, profile: {} },
  { name: 'a certificate that is refused',  site: {},                                                     profile: { lines: ['<auth-user-pass>', 'ada', PASSWORD, '</auth-user-pass>', 'verify-x509-name other name'] } },
  { name: 'a judge that throws it',         site: { server: { authenticate: async () => { throw new Error(PASSWORD); } } }, profile: {} },
] as const;

describe('no secret is shown', () => {
  test.each(CASES)('by $name', async ({ site, profile }) => {
    const seen = await watched(site, profile);
    expect(seen.length).toBeGreaterThan(2_000);
    for (const fragment of fragments()) {
      expect(fragment.length).toBeGreaterThan(8);
      expect(seen.includes(fragment) ? fragment : 'nothing').toBe('nothing');
    }
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a key that does not fit', changes: { identity: { ...clientIdentity, keyPem: serverIdentity.keyPem } } },
    { name: 'a line in the wrong place', changes: { lines: [`remote-cert-tls ${PASSWORD}`, `${PASSWORD} ${PASSWORD}`] } },
    { name: 'a static key of another length', changes: { tlsCryptKey: staticKeyText.split('\n').toSpliced(5, 1).join('\n') } },
  ])('by a profile with $name', async ({ changes }) => {
    await using site = await Site.open();
    let seen = '';
    try {
      site.client(changes);
    } catch (error) {
      seen = shown(error);
    }
    expect(seen).toContain('OvpnConfigError');
    for (const fragment of fragments()) expect(seen).not.toContain(fragment);
  });

  test('the search itself finds what is there', async () => {
    await using site = await Site.open();
    const text = site.profile({
      lines: ['<auth-user-pass>', 'ada', PASSWORD, '</auth-user-pass>'],
    });
    const found = fragments().filter((fragment) => shown(text).includes(fragment));
    expect(found).toHaveLength(3);
  });

  test('by a client that nobody has started', async () => {
    await using site = await Site.open();
    const client: VpnClient = site.client(
      {},
      {
        credentials: { username: 'ada', password: PASSWORD },
      },
    );
    expect(shown(client)).not.toContain(PASSWORD);
  });
});
