import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { Tracer } from '../../src/model/tracer.ts';
import { HandshakeTrace } from '../../src/trace/handshake-trace.ts';
import { joinTracers } from '../../src/trace/join-tracers.ts';
import { Pair } from './pair.ts';
import { simIdentity } from './sim-identity.ts';

const PASSWORD = 'canary-password';
const TOKEN = 'canary-token';

/** All that `inspect`, JSON and a template string make of `value`. */
function shown(value: unknown): string {
  const everything = inspect(value, {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    getters: true,
    maxArrayLength: null,
    maxStringLength: null,
  });
  return `${everything}\n${JSON.stringify(value)}\n${String(value)}`;
}

/** How `secret` may look: as text, in hex, and as `inspect` writes the bytes of a buffer. */
function looksOf(secret: Buffer): string[] {
  const hex = secret.toString('hex');
  return [secret.toString('latin1'), hex, hex.replace(/..(?=.)/g, '$& '), secret.join(',')];
}

test('no layer, event, trace, error or outer packet of a session shows a secret', async () => {
  const { profile, server } = await simIdentity('tls-crypt');
  const { wrap } = profile;
  if (wrap.kind !== 'tls-crypt') throw new Error('expected tls-crypt');
  const keyLine = server.key.split('\n')[1] ?? '';
  const secrets = [
    ...[PASSWORD, TOKEN, keyLine, profile.key?.reveal().split('\n')[1] ?? ''].map((text) =>
      Buffer.from(text),
    ),
    wrap.key.reveal().subarray(0, 32),
  ];
  const datagrams: Buffer[] = [];
  const wire: Tracer = {
    datagramIn: (packet) => datagrams.push(Buffer.from(packet)),
    datagramOut: (packet) => datagrams.push(Buffer.from(packet)),
  };
  const trace = new HandshakeTrace();
  const lines: string[] = [];
  const logger = (level: string, layer: string, text: string) =>
    lines.push(`${level} ${layer} ${text}`);
  const pair = await Pair.connected({
    profile: { authUserPass: { username: 'alice', password: new Secret(PASSWORD) } },
    clientTracer: joinTracers(trace, wire),
    server: { pushes: [`auth-token ${TOKEN}`], logger },
  });
  pair.client.renegotiate();
  expect(await pair.until(() => pair.server.keyIds.length === 1, 60_000)).toBe(true);
  const { client } = pair;
  const seen = [pair, client, client.info, client.stats, pair.server.session, trace, lines];
  const alive = seen.map(shown).join('\n');
  // The token is refused: the error tells of it, the token itself stays hidden.
  const leaving = pair.server.session?.close({
    kind: 'auth-failed',
    reason: 'expired',
    temporary: undefined,
    session: true,
    challenge: undefined,
  });
  await pair.outcome(leaving ?? Promise.resolve(), 60_000);
  expect(pair.clientEnding).toMatchObject({ code: 'OVPN_AUTH_FAILED', reason: 'expired' });

  const texts = [alive, shown(pair.clientEnding), shown(profile), JSON.stringify(trace)].join('\n');
  expect(texts.length).toBeGreaterThan(10_000);
  expect([trace.events.length, datagrams.length].every((count) => count > 10)).toBe(true);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(10);
    for (const look of looksOf(secret)) expect(texts.includes(look)).toBe(false);
    for (const datagram of datagrams) expect(datagram.includes(secret)).toBe(false);
  }
  await pair.stop();
});
