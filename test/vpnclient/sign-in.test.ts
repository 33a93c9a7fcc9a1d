import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { OvpnAuthError, OvpnPeerError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Credentials, CredentialsRequest } from '../../src/model/credentials.ts';
import { SessionMemory } from '../../src/tlsstate/agreement.ts';
import type { ChallengeEvent } from '../../src/vpnclient/events.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { read } from '../config/sample-profile.ts';

const WITH_PASSWORD = ['<auth-user-pass>', 'ada', 'of the profile', '</auth-user-pass>'];
const WITH_USER_ONLY = ['<auth-user-pass>', 'ada', '</auth-user-pass>'];
const NAME_ONLY = ['auth-user-pass username-only'];
const FIXED = { username: 'bob', password: 'own' };

/** What one key exchange would send. */
async function sent(signIn: SignIn): Promise<string | undefined> {
  const given = await signIn.credentials();
  signIn.sent();
  return given && `${given.username}:${given.password.reveal()}`;
}

/** A callback that numbers its passwords, and what it was asked. */
function counting() {
  const asked: CredentialsRequest[] = [];
  const credentials = (request: CredentialsRequest) => {
    asked.push(request);
    if (request.kind !== 'user-password') return { response: `answer ${asked.length}` };
    return { username: 'eve', password: `password ${asked.length}` };
  };
  return { asked, credentials };
}

function challenge(changes: { username?: string; responseRequired?: boolean } = {}) {
  const stateId = new Secret('state');
  return {
    echo: false,
    responseRequired: true,
    stateId,
    username: 'ada',
    text: 'code?',
    ...changes,
  };
}

const refusal = (code: 'OVPN_AUTH_FAILED' | 'OVPN_AUTH_TEMPORARY') =>
  new OvpnAuthError(code, 'no', { layer: 'tlsstate' });
const restart = (flags: string) =>
  new OvpnPeerError('OVPN_PEER_RESTART', 'again', { layer: 'tlsstate', flags });

describe('whose user name and password are sent', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; lines: string[]; credentials: Credentials | undefined; given: string | undefined }>([
    { name: 'none',                         lines: [],              credentials: undefined,                                       given: undefined },
    { name: 'the profile’s',                lines: WITH_PASSWORD,   credentials: undefined,                                       given: 'ada:of the profile' },
    { name: 'the caller’s first',           lines: WITH_PASSWORD,   credentials: FIXED,                                           given: 'bob:own' },
    { name: 'a callback’s',                 lines: [],              credentials: () => ({ username: 'eve', password: 'now' }),    given: 'eve:now' },
    { name: 'a slow callback’s',            lines: [],              credentials: async () => ({ username: 'eve', password: 'later' }), given: 'eve:later' },
    { name: 'the profile’s, where a callback knows none', lines: WITH_PASSWORD, credentials: () => undefined,                     given: 'ada:of the profile' },
    { name: 'none, where a callback knows none',          lines: [],            credentials: () => undefined,                     given: undefined },
    { name: 'a name alone',                 lines: NAME_ONLY,       credentials: () => ({ username: 'eve', password: 'unused' }), given: 'eve:[[BLANK]]' },
    { name: 'an empty password',            lines: ['auth-user-pass'], credentials: { username: 'bob', password: '' },            given: 'bob:' },
    { name: 'UTF-8',                        lines: ['auth-user-pass'], credentials: { username: 'zoë', password: '密码' },         given: 'zoë:密码' },
  ])('$name', async ({ lines, credentials, given }) => {
    expect(await sent(new SignIn(read(...lines), { credentials }))).toBe(given);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing that is needed',  lines: [] as string[],      request: { needed: false, usernameOnly: false, username: undefined } },
    { name: 'what it has itself',      lines: WITH_PASSWORD,       request: { needed: false, usernameOnly: false, username: 'ada' } },
    { name: 'a password for its user', lines: WITH_USER_ONLY,      request: { needed: true,  usernameOnly: false, username: 'ada' } },
    { name: 'both',                    lines: ['auth-user-pass'],  request: { needed: true,  usernameOnly: false, username: undefined } },
    { name: 'a name alone',            lines: NAME_ONLY,           request: { needed: true,  usernameOnly: true,  username: undefined } },
  ])('the callback hears what the profile wants: $name', async ({ lines, request }) => {
    const { asked, credentials } = counting();
    await new SignIn(read(...lines), { credentials }).prepare();
    const [{ signal, ...heard } = { signal: undefined }] = asked;
    const shape = { kind: 'user-password', prompt: undefined, echo: false, web: undefined };
    const rest = { ...shape, refused: false };
    expect(heard).toEqual({ ...rest, deadlineMs: Number.POSITIVE_INFINITY, ...request });
    expect(signal?.aborted).toBe(false);
  });

  test('what a callback throws is told', async () => {
    const failure = new Error('no terminal');
    const signIn = new SignIn(read(), { credentials: () => Promise.reject(failure) });
    await expect(signIn.prepare()).rejects.toBe(failure);
  });

  test.each([{ username: 'eve' }, { response: 'x' }, { username: 'eve', password: 7 }, null])(
    'an answer of another shape is refused: %j',
    async (answer) => {
      const credentials = (() => answer) as unknown as () => undefined;
      const signIn = new SignIn(read('auth-user-pass'), { credentials });
      await expect(signIn.prepare()).rejects.toMatchObject({ code: 'OVPN_USAGE' });
    },
  );

  test.each([
    { name: 'nobody has any', lines: ['auth-user-pass'] },
    { name: 'there is a user without a password', lines: WITH_USER_ONLY },
    { name: 'there is no name', lines: NAME_ONLY },
  ])('fails before anything is sent where $name', async ({ lines }) => {
    const missing = { code: 'OVPN_CREDENTIALS_MISSING', initiator: 'user', retryable: false };
    expect(() => new SignIn(read(...lines), {})).toThrow(expect.objectContaining(missing));
    const signIn = new SignIn(read(...lines), { credentials: () => undefined });
    await expect(signIn.prepare()).rejects.toMatchObject(missing);
  });

  test('an abort ends the wait', async () => {
    const stop = new AbortController();
    const signIn = new SignIn(read(), { credentials: () => new Promise(() => {}) });
    const prepared = signIn.prepare(stop.signal);
    stop.abort(new Error('enough'));
    await expect(prepared).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
  });
});

describe('how often a callback is asked', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'once for all key exchanges',         lines: [] as string[],      sent: ['eve:password 1', 'eve:password 1', 'eve:password 1'] },
    { name: 'for each one with auth-nocache',     lines: ['auth-nocache'],    sent: ['eve:password 1', 'eve:password 2', 'eve:password 3'] },
  ])('$name', async ({ lines, sent: expected }) => {
    const { credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', ...lines), { credentials });
    await signIn.prepare();
    await signIn.prepare();
    expect([await sent(signIn), await sent(signIn), await sent(signIn)]).toEqual(expected);
  });

  test('what was not sent is still good for the next try', async () => {
    const { asked, credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', 'auth-nocache'), { credentials });
    await signIn.prepare();
    await signIn.credentials();
    signIn.refused(new Error('the server was silent'));
    await signIn.prepare();
    expect(await sent(signIn)).toBe('eve:password 1');
    expect(asked).toHaveLength(1);
  });

  test('never while a token is held, and again once it is refused', async () => {
    const { asked, credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', 'auth-nocache'), { credentials });
    expect(await sent(signIn)).toBe('eve:password 1');
    signIn.held.hold(new Secret('token'));
    await signIn.prepare();
    expect(asked).toHaveLength(1);
    signIn.held.refuse();
    signIn.refused(refusal('OVPN_AUTH_FAILED'));
    await signIn.prepare();
    expect(await sent(signIn)).toBe('eve:password 2');
  });
});

describe('after a refusal', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'none keeps the password',                    lines: ['auth-retry none'],       error: refusal('OVPN_AUTH_FAILED'),    next: 'eve:password 1' },
    { name: 'nointeract keeps the password',              lines: ['auth-retry nointeract'], error: refusal('OVPN_AUTH_FAILED'),    next: 'eve:password 1' },
    { name: 'interact asks for another one',              lines: ['auth-retry interact'],   error: refusal('OVPN_AUTH_FAILED'),    next: 'eve:password 2' },
    { name: 'interact keeps it for a temporary one',      lines: ['auth-retry interact'],   error: refusal('OVPN_AUTH_TEMPORARY'), next: 'eve:password 1' },
    { name: 'interact keeps it for an end of the link',   lines: ['auth-retry interact'],   error: new Error('closed'),            next: 'eve:password 1' },
    { name: 'RESTART asks for another one',               lines: [],                        error: restart(''),                    next: 'eve:password 2' },
    { name: 'RESTART,[N] asks for another one',           lines: [],                        error: restart('N'),                   next: 'eve:password 2' },
    { name: 'RESTART,[P] keeps the password',             lines: [],                        error: restart('P'),                   next: 'eve:password 1' },
  ])('$name', async ({ lines, error, next }) => {
    const { credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', ...lines), { credentials });
    await sent(signIn);
    signIn.refused(error);
    await signIn.prepare();
    expect(await sent(signIn)).toBe(next);
  });

  test('interact asks in place of what the profile has', async () => {
    const { asked, credentials } = counting();
    const answers: Credentials = (request) => (request.needed ? credentials(request) : undefined);
    const profile = read(...WITH_PASSWORD, 'auth-retry interact');
    const signIn = new SignIn(profile, { credentials: answers });
    expect(await sent(signIn)).toBe('ada:of the profile');
    signIn.refused(refusal('OVPN_AUTH_FAILED'));
    expect(await sent(signIn)).toBe('eve:password 1');
    expect(asked[0]).toMatchObject({ needed: true, refused: true, username: 'ada' });
    expect(await sent(signIn)).toBe('eve:password 1');
  });

  test.each([
    { who: 'nobody', credentials: undefined },
    { who: 'fixed credentials', credentials: FIXED },
    { who: 'a callback that knows nothing', credentials: () => undefined },
  ])('interact ends where $who can be asked', async ({ credentials }) => {
    const profile = read(...WITH_PASSWORD, 'auth-retry interact');
    const signIn = new SignIn(profile, { credentials });
    await sent(signIn);
    signIn.refused(refusal('OVPN_AUTH_FAILED'));
    await expect(signIn.prepare()).rejects.toMatchObject({
      code: 'OVPN_CREDENTIALS_MISSING',
      message: expect.stringContaining('refused'),
    });
  });

  test('a token that was refused is no refusal of the password', async () => {
    const { credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', 'auth-retry interact'), { credentials });
    await sent(signIn);
    const memory = new SessionMemory(signIn.held);
    memory.authToken = new Secret('token');
    memory.authToken = undefined;
    signIn.refused(refusal('OVPN_AUTH_FAILED'));
    expect(await sent(signIn)).toBe('eve:password 1');
    signIn.refused(refusal('OVPN_AUTH_FAILED'));
    expect(await sent(signIn)).toBe('eve:password 2');
  });

  test.each([
    { flags: '', token: undefined },
    { flags: 'P', token: 'token' },
  ])('RESTART,[$flags] leaves the token $token', ({ flags, token }) => {
    const signIn = new SignIn(read(), {});
    signIn.held.hold(new Secret('token'));
    signIn.refused(restart(flags));
    expect(signIn.held.token?.reveal()).toBe(token);
  });
});

describe('the token, from session to session', () => {
  test('is shared, with the name that goes with it, and replaced by newer ones', () => {
    const signIn = new SignIn(read(), {});
    const first = new SessionMemory(signIn.held);
    first.username = 'ada';
    first.authToken = new Secret('one');
    first.authToken = new Secret('two');
    first.username = 'of the token';
    first.forget();
    first.authToken = new Secret('late');
    const second = new SessionMemory(signIn.held);
    expect([second.username, second.authToken?.reveal()]).toEqual(['of the token', 'two']);
    signIn.forget();
    expect([second.username, second.authToken]).toEqual([undefined, undefined]);
  });
});

describe('challenges', () => {
  const STATIC = 'static-challenge "one-time code?" 1';

  test.each([
    { format: '', password: 'SCRV1:b3du:YW5zd2Vy' },
    { format: ' scrv1', password: 'SCRV1:b3du:YW5zd2Vy' },
    { format: ' concat', password: 'ownanswer' },
  ])('the profile’s own joins the password$format', async ({ format, password }) => {
    const events: ChallengeEvent[] = [];
    const signIn = new SignIn(
      read('auth-user-pass', STATIC + format),
      { credentials: FIXED },
      { challenged: (event) => void events.push(event), listening: () => true },
    );
    const prepared = signIn.prepare();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toMatchObject([
      { kind: 'static-challenge', text: 'one-time code?', echo: true, responseRequired: true },
    ]);
    events[0]?.answer('answer');
    await prepared;
    expect(await sent(signIn)).toBe(`bob:${password}`);
  });

  test('an answer is good for one key exchange, the password for all', async () => {
    const { asked, credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', `${STATIC} concat`), { credentials });
    expect(await sent(signIn)).toBe('eve:password 1answer 2');
    expect(await sent(signIn)).toBe('eve:password 1answer 3');
    expect(asked.map(({ kind }) => kind)).toEqual([
      'user-password',
      'static-challenge',
      'static-challenge',
    ]);
    expect(asked[1]).toMatchObject({ prompt: 'one-time code?', echo: true, username: 'eve' });
  });

  test('a dynamic one takes the place of the password, once', async () => {
    const { credentials } = counting();
    const signIn = new SignIn(read('auth-user-pass', STATIC), { credentials });
    signIn.challenged(challenge());
    expect(await sent(signIn)).toBe('ada:CRV1::state::answer 1');
    expect(await sent(signIn)).toMatch(/^eve:SCRV1:/);
  });

  test.each([
    {
      name: 'one that names nobody is for who was sent last',
      changes: { username: '' },
      given: 'eve:CRV1::state::answer 1',
    },
    {
      name: 'one that wants no answer gets none',
      changes: { responseRequired: false },
      given: 'ada:CRV1::state::',
    },
  ])('$name', async ({ changes, given }) => {
    const { credentials } = counting();
    const signIn = new SignIn(read(), { credentials });
    signIn.held.sentAs('eve');
    signIn.challenged(challenge(changes));
    expect(await sent(signIn)).toBe(given);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the profile’s own',   lines: [STATIC], dynamic: false, credentials: FIXED,          code: 'OVPN_CREDENTIALS_MISSING' },
    { name: 'a dynamic one',       lines: [],       dynamic: true,  credentials: FIXED,          code: 'OVPN_AUTH_CHALLENGE' },
    { name: 'a dynamic one, to a callback without an answer', lines: [], dynamic: true, credentials: () => undefined, code: 'OVPN_AUTH_CHALLENGE' },
  ])('that nobody can answer end it: $name', async ({ lines, dynamic, credentials, code }) => {
    const signIn = new SignIn(read('auth-user-pass', ...lines), { credentials });
    if (dynamic) signIn.challenged(challenge());
    await expect(signIn.prepare()).rejects.toMatchObject({
      code,
      retryable: false,
      message: expect.stringMatching(/"(code|one-time code)\?".*credentials/),
    });
  });

  test('a listener answers where the callback leaves it to it', async () => {
    const listeners = {
      challenged: ({ answer }: ChallengeEvent) => void setImmediate(answer, 'from the listener'),
      listening: () => true,
    };
    const signIn = new SignIn(read(), { credentials: () => undefined }, listeners);
    signIn.challenged(challenge());
    expect(await sent(signIn)).toBe('ada:CRV1::state::from the listener');
  });
});

test('no secret of a client that signs in is shown', async () => {
  const secrets = ['canary-password', 'canary-answer', 'canary-token', 'canary-state'];
  const profile = read('auth-user-pass', 'static-challenge code 0');
  const signIn = new SignIn(profile, {
    credentials: ({ kind }) =>
      kind === 'user-password'
        ? { username: 'ada', password: 'canary-password' }
        : { response: 'canary-answer' },
  });
  await signIn.prepare();
  signIn.held.hold(new Secret('canary-token'));
  signIn.challenged({ ...challenge(), stateId: new Secret('canary-state') });
  const shown = [
    inspect(signIn, { depth: 9, showHidden: true }),
    JSON.stringify(signIn),
    inspect(await signIn.credentials()),
  ].join();
  for (const secret of secrets) expect(shown).not.toContain(secret);
});
