import { once } from 'node:events';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { CredentialsRequest } from '../../src/model/credentials.ts';
import type {
  AuthenticationRequest,
  AuthenticationVerdict,
} from '../../src/tlsstate/handshake-step.ts';
import { HandshakeTrace } from '../../src/trace/handshake-trace.ts';
import type { ChallengeEvent } from '../../src/vpnclient/events.ts';
import { type ProfileChanges, pingOnce, Site, startError } from './site.ts';

const FIXED = { username: 'ada', password: 'correct horse' };
const ASKS: ProfileChanges = { authUserPass: true };

/** A server that judges by `verdict`, and what it was shown: `key id user:password>answer`. */
async function siteWith(
  verdict: (request: AuthenticationRequest, count: number) => AuthenticationVerdict,
) {
  const seen: string[] = [];
  const site = await Site.open({
    server: {
      authenticate: (request) => {
        const { keyId, username, password, response } = request;
        const answer = response === undefined ? '' : `>${response.reveal()}`;
        seen.push(`${keyId} ${username}:${password?.reveal()}${answer}`);
        return verdict(request, seen.length);
      },
    },
  });
  return { site, seen, [Symbol.asyncDispose]: () => site[Symbol.asyncDispose]() };
}

describe('a dynamic challenge', () => {
  const question = { text: 'one-time code?', stateId: 'c3RhdGU=' };
  const verdict = ({ password }: AuthenticationRequest): AuthenticationVerdict =>
    password?.reveal() === 'CRV1::c3RhdGU=::123 456'
      ? { ok: true }
      : { ok: false, challenge: question };

  test('is answered by the callback, over a new connection', async () => {
    await using lab = await siteWith(verdict);
    const asked: CredentialsRequest[] = [];
    const credentials = (request: CredentialsRequest) => {
      asked.push(request);
      return request.kind === 'user-password' ? FIXED : { response: '123 456' };
    };
    const client = await lab.site.connected(ASKS, { credentials });
    expect(lab.seen).toEqual(['0 ada:correct horse', '0 ada:CRV1::c3RhdGU=::123 456']);
    expect(asked.map(({ kind, prompt, username }) => [kind, prompt, username])).toEqual([
      ['user-password', undefined, undefined],
      ['challenge', 'one-time code?', 'ada'],
    ]);
    lab.site.serverDialer();
    await pingOnce(TunDialer.over(client), '10.8.0.1');
  });

  test('is answered by a listener, a wrong answer is asked again', async () => {
    await using lab = await siteWith(verdict);
    const client = lab.site.client(ASKS, { credentials: FIXED });
    const answers = ['no', '123 456'];
    const events: ChallengeEvent[] = [];
    client.on('challenge', (event) => {
      events.push(event);
      event.answer(answers.shift() ?? '');
    });
    await client.start();
    expect(lab.seen).toHaveLength(3);
    expect(events).toMatchObject([{ kind: 'dynamic-challenge' }, { kind: 'dynamic-challenge' }]);
  });

  test('ends it where nobody answers: OVPN_AUTH_CHALLENGE with the question', async () => {
    await using lab = await siteWith(verdict);
    const error = await startError(lab.site.client(ASKS, { credentials: FIXED }));
    expect(error).toMatchObject({ code: 'OVPN_AUTH_CHALLENGE' });
    expect(error.message).toContain('"one-time code?"');
    expect(lab.seen).toHaveLength(1);
  });
});

describe('a static challenge', () => {
  test('reaches the server as SCRV1', async () => {
    await using lab = await siteWith(() => ({ ok: true }));
    const credentials = ({ kind }: CredentialsRequest) =>
      kind === 'static-challenge' ? { response: '42' } : FIXED;
    const lines = ['static-challenge "one-time code?" 1'];
    await lab.site.connected({ ...ASKS, lines }, { credentials });
    expect(lab.seen).toEqual(['0 ada:SCRV1:Y29ycmVjdCBob3JzZQ==:NDI=']);
  });
});

describe('while the server waits', () => {
  test('CR_TEXT is answered in the same session', async () => {
    await using lab = await siteWith(({ response }) => {
      if (response?.reveal() === 'grün') return { ok: true };
      const text = response === undefined ? 'colour?' : 'no: colour?';
      const question = { kind: 'cr-text', text, echo: true, responseRequired: true } as const;
      return { ok: false, pending: { timeoutMs: 20_000, question } };
    });
    const client = lab.site.client(ASKS, { credentials: FIXED });
    const told: unknown[] = [];
    client.on('challenge', ({ kind, text, deadlineMs, answer }) => {
      told.push([kind, text, deadlineMs]);
      answer(text.startsWith('no') ? 'grün' : 'blau');
    });
    await client.start();
    expect(told).toEqual([
      ['cr-text', 'colour?', 20_000],
      ['cr-text', 'no: colour?', 20_000],
    ]);
    const shown = '0 ada:correct horse';
    expect(lab.seen).toEqual([shown, `${shown}>blau`, `${shown}>grün`]);
    expect(lab.site.server.peers).toHaveLength(1);
    lab.site.serverDialer();
    await pingOnce(TunDialer.over(client), '10.8.0.1');
  });

  test('WEB_AUTH tells the page; the grant comes when the user is done there', async () => {
    let isDone = false;
    const url = 'https://vpn.example/login?id=7';
    const web = { url, hidden: false, external: true, proxy: undefined };
    await using lab = await siteWith(({ peerInfo }) => {
      expect(peerInfo.get('IV_SSO')).toBe('webauth,crtext');
      const question = { kind: 'web-auth', web } as const;
      return isDone ? { ok: true } : { ok: false, pending: { timeoutMs: 20_000, question } };
    });
    // Longer than the connect timeout: the user's time is not counted.
    const client = lab.site.client(ASKS, { credentials: FIXED, connectTimeoutMs: 900 });
    const pages: unknown[] = [];
    client.on('challenge', (event) => {
      pages.push(event.web);
      isDone = true;
    });
    await client.start();
    expect(pages).toEqual([web]);
  });

  test('time runs out: the user has not come', async () => {
    await using lab = await siteWith(() => ({ ok: false, pending: { timeoutMs: 1_000 } }));
    const error = await startError(lab.site.client(ASKS, { credentials: FIXED }));
    expect(error).toMatchObject({ code: 'OVPN_PUSH_TIMEOUT', timeoutMs: 1_000 });
    expect(lab.site.server.peers).toEqual([]);
  });

  test('a refusal after all ends it', async () => {
    await using lab = await siteWith(({ pending }) =>
      pending ? { ok: false, reason: 'not you' } : { ok: false, pending: {} },
    );
    const error = await startError(lab.site.client(ASKS, { credentials: FIXED }));
    expect(error).toMatchObject({ code: 'OVPN_AUTH_FAILED', reason: 'not you' });
  });

  test('nobody could answer: IV_SSO is not announced', async () => {
    await using lab = await siteWith(({ peerInfo }) => ({ ok: !peerInfo.has('IV_SSO') }));
    await lab.site.connected(ASKS, { credentials: FIXED });
  });
});

describe('a token', () => {
  test('takes the place of the password, and is replaced by newer ones', async () => {
    await using lab = await siteWith((_request, count) => ({ ok: true, token: `token-${count}` }));
    let asked = 0;
    const client = await lab.site.connected(
      { ...ASKS, lines: ['auth-nocache'] },
      {
        credentials: () => {
          asked += 1;
          return FIXED;
        },
      },
    );
    for (const _ of [1, 2]) {
      const rekeyed = once(client, 'rekey');
      client.renegotiate();
      await rekeyed;
    }
    expect(lab.seen).toEqual(['0 ada:correct horse', '1 ada:token-1', '2 ada:token-2']);
    expect(asked).toBe(1);
  });

  test('comes with a name of its own', async () => {
    const tokenUser = 'ada@token';
    await using lab = await siteWith(() => ({ ok: true, token: 'token', tokenUser }));
    const client = await lab.site.connected(ASKS, { credentials: FIXED });
    const rekeyed = once(client, 'rekey');
    client.renegotiate();
    await rekeyed;
    expect(lab.seen.at(-1)).toBe('1 ada@token:token');
  });

  test('that has expired is dropped: the password is sent again, once', async () => {
    await using lab = await siteWith(({ password }, count) => {
      if (password?.reveal() === 'token') return { ok: false, session: true, reason: 'expired' };
      return count > 2 ? { ok: false } : { ok: true, token: 'token' };
    });
    const client = await lab.site.connected(ASKS, { credentials: FIXED });
    const down = once(client, 'down');
    client.renegotiate();
    const [{ error }] = await down;
    expect(error).toMatchObject({ code: 'OVPN_AUTH_FAILED', retryable: false });
    const password = '0 ada:correct horse';
    expect(lab.seen).toEqual([password, '1 ada:token', password]);
  });
});

describe('long credentials', () => {
  test.each([
    { name: '2 kB', bytes: 2_048 },
    { name: 'a full record', bytes: 16_384 },
    { name: 'all that the length field takes', bytes: 65_534 },
  ])('pass: $name', async ({ bytes }) => {
    const password = 'x'.repeat(bytes);
    await using lab = await siteWith((request) => ({
      ok: request.password?.reveal() === password,
    }));
    await lab.site.connected(ASKS, { credentials: { username: 'ada', password } });
    expect(lab.seen).toHaveLength(1);
  });

  test.each([
    { name: 'longer ones', password: 'x'.repeat(65_535) },
    { name: 'a NUL', password: 'x\0y' },
  ])('are refused before they are sent: $name', async ({ password }) => {
    await using lab = await siteWith(() => ({ ok: true }));
    const client = lab.site.client(ASKS, { credentials: { username: 'ada', password } });
    expect(await startError(client)).toMatchObject({ code: 'OVPN_USAGE' });
    expect(lab.seen).toEqual([]);
  });
});

describe('no secret of a sign-in is shown', () => {
  const CANARIES = [
    'canary-password',
    'canary-answer',
    'canary-token',
    'canary-state',
    'canary-cr',
  ];

  test('by events, errors, logs and traces of both ends', async () => {
    const log: string[] = [];
    const logger = (...line: unknown[]) => log.push(line.join(' '));
    const traces = { client: new HandshakeTrace(), server: new HandshakeTrace() };
    let exchanges = 0;
    const authenticate = ({ response }: AuthenticationRequest): AuthenticationVerdict => {
      exchanges += 1;
      if (exchanges === 1) {
        return { ok: false, challenge: { text: 'code?', stateId: 'canary-state' } };
      }
      if (exchanges > 3) return { ok: false, session: true };
      if (response !== undefined) return { ok: true, token: 'canary-token' };
      const question = { kind: 'cr-text', text: 'more?', echo: false, responseRequired: true };
      return { ok: false, pending: { question: question as never } };
    };
    await using site = await Site.open({ server: { authenticate, logger, tracer: traces.server } });
    const client = site.client(ASKS, {
      logger,
      tracer: traces.client,
      credentials: ({ kind, prompt }) => {
        if (kind === 'user-password') return { username: 'ada', password: 'canary-password' };
        return { response: prompt === 'more?' ? 'canary-cr' : 'canary-answer' };
      },
    });
    const events: unknown[] = [];
    for (const name of ['state', 'push', 'up', 'down', 'challenge', 'rekey'] as const) {
      client.on(name, (payload: unknown) => events.push(payload));
    }
    await client.start();
    const down = once(client, 'down');
    client.renegotiate();
    await down;
    const values = [client, client.profile, site.server, events, log, traces, await client.ended];
    const seen = values
      .map((value) => inspect(value, { depth: 12, showHidden: true, maxArrayLength: null }))
      .join();
    expect(exchanges).toBeGreaterThanOrEqual(4);
    expect(seen.length).toBeGreaterThan(5_000);
    for (const canary of CANARIES) expect(seen.includes(canary) ? canary : '').toBe('');
  });
});
