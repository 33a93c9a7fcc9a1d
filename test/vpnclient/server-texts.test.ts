import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { Credentials } from '../../src/model/credentials.ts';
import type { AuthFailed, ControlMessage } from '../../src/tlsstate/control-message.ts';
import type { ChallengeEvent } from '../../src/vpnclient/events.ts';
import { SERVER_TEXTS_PER_SECOND, ServerTexts } from '../../src/vpnclient/server-texts.ts';
import { SignIn } from '../../src/vpnclient/sign-in.ts';
import { read } from '../config/sample-profile.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const CHALLENGE: AuthFailed = {
  kind: 'auth-failed',
  reason: undefined,
  temporary: undefined,
  session: false,
  challenge: {
    echo: true,
    responseRequired: true,
    stateId: new Secret('state'),
    username: 'ada',
    text: 'code?',
  },
};

/** The texts of one session's server, and all that comes of them. */
function texts({ credentials, listens = true }: { credentials?: Credentials; listens?: boolean }) {
  const clock = new VirtualClock();
  const shown: string[] = [];
  const events: ChallengeEvent[] = [];
  const replies: ControlMessage[] = [];
  const client = new AbortController();
  let asked = 0;
  const profile = read();
  const signIn = new SignIn(
    profile,
    { credentials },
    { challenged: (event) => void events.push(event), listening: () => listens },
  );
  const taker = new ServerTexts({
    profile,
    signIn,
    clock,
    logger: (level, _layer, text) => shown.push(`${level}: ${text}`),
    signal: client.signal,
    asked: () => {
      asked += 1;
    },
  });
  const send = (message: ControlMessage) => taker.take(message, (reply) => replies.push(reply));
  const info = (text: string) => send({ kind: 'info-pre', text });
  return { clock, shown, events, replies, client, signIn, send, info, asked: () => asked };
}

/** Lets promises settle. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('texts of the server', () => {
  test('are shown, at most so many a second', () => {
    const { clock, shown, events, send, info } = texts({});
    for (let count = 0; count < 1_000; count += 1) send({ kind: 'info', text: `text ${count}` });
    expect(shown).toHaveLength(SERVER_TEXTS_PER_SECOND);
    clock.advance(1_000);
    for (let count = 0; count < 1_000; count += 1) info('WEB_AUTH::https://vpn.example/');
    expect(events).toHaveLength(SERVER_TEXTS_PER_SECOND);
  });

  test('cannot move the cursor of a terminal', async () => {
    const { shown, events, send, info } = texts({});
    send({ kind: 'info', text: 'gone \x1b[2J' });
    info('OPEN_URL:\x1b]8;;');
    info('CR_TEXT:R:code\x1b[2J');
    await settled();
    expect(shown).toEqual([
      'info: the server says: gone \\x1b[2J',
      'warn: the server asks for something that tundial does not know',
    ]);
    expect(events.map(({ text }) => text)).toEqual(['code\\x1b[2J']);
  });

  test.each<ControlMessage>([
    { kind: 'unknown', text: 'HELLO' },
    { kind: 'push-reply', options: ['route 1.2.3.4'] },
    { ...CHALLENGE, challenge: undefined },
  ])('$kind is nobody’s question', (message) => {
    const { shown, events, send } = texts({});
    send(message);
    expect([shown, events]).toEqual([[], []]);
  });
});

describe('questions while the server waits', () => {
  test('CR_TEXT: the answer of a listener goes back in base64, once', async () => {
    const { events, replies, info } = texts({});
    info('CR_TEXT:E,R:Token code?');
    expect(events).toMatchObject([
      { kind: 'cr-text', text: 'Token code?', echo: true, responseRequired: true, web: undefined },
    ]);
    expect(Object.isFrozen(events[0])).toBe(true);
    events[0]?.answer('über 7');
    events[0]?.answer('another');
    await settled();
    expect(replies).toEqual([{ kind: 'cr-response', text: 'w7xiZXIgNw==' }]);
  });

  test('CR_TEXT: the callback answers as well', async () => {
    const asked: unknown[] = [];
    const { replies, info } = texts({
      credentials: ({ signal, ...request }) => {
        asked.push([request, signal.aborted]);
        return { response: '123456' };
      },
    });
    info('CR_TEXT:R:code?');
    await settled();
    const request = {
      kind: 'challenge',
      prompt: 'code?',
      echo: false,
      needed: true,
      web: undefined,
    };
    const rest = { username: undefined, refused: false, usernameOnly: false, deadlineMs: 60_000 };
    expect(asked).toEqual([[{ ...request, ...rest }, false]]);
    expect(replies).toEqual([{ kind: 'cr-response', text: 'MTIzNDU2' }]);
  });

  test('CR_TEXT without R is told, and not answered', async () => {
    const { events, replies, info } = texts({});
    info('CR_TEXT:E:look at your phone');
    events[0]?.answer('too eager');
    await settled();
    expect(events).toMatchObject([{ text: 'look at your phone', responseRequired: false }]);
    expect(replies).toEqual([]);
  });

  test('nobody answers: told once, nothing sent', async () => {
    const { shown, replies, info } = texts({ listens: false });
    info('CR_TEXT:R:code?');
    await settled();
    expect(shown).toEqual([expect.stringMatching(/^warn: no answer to the server: .*"code\?"/)]);
    expect(replies).toEqual([]);
  });

  test('what a callback throws is not quoted', async () => {
    const { shown, info } = texts({
      credentials: () => Promise.reject(new TypeError('password was hunter2')),
    });
    info('CR_TEXT:R:code?');
    await settled();
    expect(shown).toEqual(['warn: no answer to the server: TypeError']);
  });

  test.each([
    { text: 'CR_TEXT:R:code?', listens: true, times: 1 },
    { text: 'WEB_AUTH::https://vpn.example/', listens: true, times: 1 },
    { text: 'CR_TEXT:R:code?', listens: false, times: 0 },
  ])('tells that a user is waited for: $text, $times times', ({ text, listens, times }) => {
    const { asked, info } = texts({ listens });
    info(text);
    expect(asked()).toBe(times);
  });

  test('a newer question takes the place of an older one', async () => {
    const { events, replies, info } = texts({});
    info('CR_TEXT:R:first?');
    info('CR_TEXT:R:second?');
    events[0]?.answer('1');
    events[1]?.answer('2');
    await settled();
    expect(replies).toEqual([{ kind: 'cr-response', text: 'Mg==' }]);
  });

  test.each(['the client ends', 'the session ends'])(
    '%s: the callback hears of it',
    async (end) => {
      let given: AbortSignal | undefined;
      const { client, signIn, shown, replies, info } = texts({
        credentials: ({ signal }) => {
          given = signal;
          return new Promise(() => {});
        },
      });
      info('CR_TEXT:R:code?');
      await settled();
      expect(given?.aborted).toBe(false);
      if (end === 'the client ends') client.abort();
      else signIn.refused(new Error('the link has ended'));
      await settled();
      expect(given?.aborted).toBe(true);
      expect([shown, replies]).toEqual([[], []]);
    },
  );

  test('an answer is bounded', () => {
    const { events, info } = texts({});
    info('CR_TEXT:R:code?');
    expect(() => events[0]?.answer('x'.repeat(49_001))).toThrow(/at most 49000 bytes/);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { said: undefined,                                     deadlineMs: 60_000 },
    { said: { kind: 'auth-pending', timeoutMs: 30_000 },   deadlineMs: 30_000 },
    { said: { kind: 'auth-pending', timeoutMs: undefined }, deadlineMs: 1_800_000 },
    { said: { kind: 'auth-pending', timeoutMs: 9_999_000 }, deadlineMs: 1_800_000 },
  ] as const)('there is time for $deadlineMs ms', ({ said, deadlineMs }) => {
    const { events, send, info } = texts({});
    if (said !== undefined) send(said);
    info('CR_TEXT:R:code?');
    expect(events[0]?.deadlineMs).toBe(deadlineMs);
  });

  test('WEB_AUTH gives the page; a callback that looks at passwords only is left in peace', async () => {
    const { shown, events, replies, info } = texts({
      credentials: () => ({ username: 'ada', password: 'hunter2' }),
    });
    info('WEB_AUTH:external:https://vpn.example/login?state=1');
    await settled();
    expect(events).toMatchObject([
      {
        kind: 'web-auth',
        text: '',
        web: { url: 'https://vpn.example/login?state=1', hidden: false, external: true },
        responseRequired: false,
      },
    ]);
    expect([shown, replies]).toEqual([[], []]);
  });

  test('a dynamic challenge is kept for the next key exchange', async () => {
    const { signIn, events, send } = texts({});
    send(CHALLENGE);
    expect(events).toEqual([]);
    const prepared = signIn.prepare();
    expect(events).toMatchObject([{ kind: 'dynamic-challenge', text: 'code?', echo: true }]);
    events[0]?.answer('42');
    await prepared;
    const given = await signIn.credentials();
    expect([given?.username, given?.password.reveal()]).toEqual(['ada', 'CRV1::state::42']);
  });
});
