import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { OuterProxy } from '../../src/model/profile.ts';
import { connectByHttp, MAX_REPLY_HEAD_BYTES } from '../../src/networkio/http-connect.ts';
import type { AskProxyCredentials } from '../../src/networkio/outer-proxy.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import {
  type HttpAsked,
  honestHttpProxy,
  Listener,
  proxyAt,
  readHead,
  user,
} from './fake-proxy.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0)) await open.close();
});

function kept<T extends { close(): Promise<void> }>(open: T): T {
  closing.push(open);
  return open;
}

/** Says hello to whoever comes, and gives back what it hears. */
async function greeter(host = '127.0.0.1'): Promise<Listener> {
  return kept(
    await Listener.open((socket) => {
      socket.write('hello');
      socket.pipe(socket);
    }, host),
  );
}

function through(
  proxy: OuterProxy,
  target: { host: string; port: number },
  options: { ask?: AskProxyCredentials; signal?: AbortSignal } = {},
): Promise<Socket> {
  return connectByHttp(proxy, target, {
    random: new SeededRandom(1),
    connect: async () => {
      const socket = connect(proxy.port, proxy.host);
      await once(socket, 'connect');
      return socket;
    },
    ...options,
  });
}

async function saidBy(socket: Socket, length: number): Promise<string> {
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  while (heard.length < length) await once(socket, 'data');
  return heard;
}

/** A proxy that gives each connection the next of `replies`, in pieces of `size`. */
async function scripted(replies: readonly string[], size = 65_536) {
  const asked: HttpAsked[] = [];
  const listener = await Listener.open(async (socket) => {
    const head = await readHead(socket);
    const reply = Buffer.from(replies[asked.length] ?? '', 'latin1');
    asked.push(head);
    socket.setNoDelay(true);
    for (let at = 0; at < reply.length && !socket.destroyed; at += size) {
      socket.write(reply.subarray(at, at + size));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return Object.assign(kept(listener), { asked });
}

const CHALLENGE_407 = 'HTTP/1.1 407 Proxy Authentication Required\r\n';
const OK = 'HTTP/1.1 200 OK\r\n\r\n';
const DIGEST = 'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256\r\n';
const BASIC = 'Proxy-Authenticate: Basic realm="r"\r\n';
const NTLM = 'Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n';

describe('an honest proxy', () => {
  test.each(['127.0.0.1', '::1'])(
    'leads to %s, and what the server says at once is kept',
    async (host) => {
      const target = await greeter(host);
      const listener = kept(await honestHttpProxy(undefined, host));
      const proxy = proxyAt(listener, {
        kind: 'http',
        headers: [
          ['X-Company', 'a b'],
          ['User-Agent', 'x'],
        ],
      });
      const socket = await through(proxy, target);
      socket.write('and you');
      expect(await saidBy(socket, 12)).toBe('helloand you');
      const [asked] = listener.asked;
      const authority = `${host === '::1' ? '[::1]' : host}:${target.port}`;
      expect(asked?.line).toBe(`CONNECT ${authority} HTTP/1.1`);
      expect(asked?.fields.get('host')).toBe(authority);
      expect(asked?.fields.get('x-company')).toBe('a b');
      expect(asked?.fields.get('user-agent')).toBe('x');
      expect(asked?.fields.has('proxy-authorization')).toBe(false);
      socket.destroy();
    },
  );

  test('is given a name as it is', async () => {
    const listener = await scripted([OK]);
    const socket = await through(proxyAt(listener, { kind: 'http' }), {
      host: 'vpn.example',
      port: 443,
    });
    expect(listener.asked[0]?.line).toBe('CONNECT vpn.example:443 HTTP/1.1');
    socket.destroy();
  });

  test('a reply in pieces of any size is read, and bytes behind it belong to the server', async () => {
    const reply = 'HTTP/1.0 200 Connection established\r\nA: b\r\n\r\n\u0000\u0003abc';
    for (let size = 1; size <= reply.length; size += 1) {
      const listener = await scripted([reply], size);
      const socket = await through(proxyAt(listener, { kind: 'http' }), { host: 'h', port: 1 });
      expect(await saidBy(socket, 5)).toBe('\u0000\u0003abc');
      socket.destroy();
    }
  });
});

describe('credentials', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { auth: 'basic',    offers: [],                            sent: ['Basic'] },
    { auth: 'digest',   offers: [DIGEST + BASIC],              sent: [undefined, 'Digest'] },
    { auth: 'auto',     offers: [BASIC],                       sent: [undefined, 'Basic'] },
    { auth: 'auto',     offers: [BASIC + DIGEST],              sent: [undefined, 'Digest'] },
    { auth: 'auto',     offers: [NTLM + BASIC],                sent: [undefined, 'Basic'] },
    { auth: 'auto-nct', offers: [BASIC + DIGEST],              sent: [undefined, 'Digest'] },
    { auth: 'auto',     offers: [DIGEST, DIGEST.replace('Digest', 'Digest stale=true,')], sent: [undefined, 'Digest', 'Digest'] },
  ] as const)('$auth where the proxy offers $offers: $sent', async ({ auth, offers, sent }) => {
    const listener = await scripted([...offers.map((offer) => `${CHALLENGE_407}${offer}\r\n`), OK]);
    const proxy = proxyAt(listener, { kind: 'http', auth, credentials: user('u', 'p') });
    const socket = await through(proxy, { host: 'h', port: 443 });
    socket.destroy();
    const answers = listener.asked.map(({ fields }) => fields.get('proxy-authorization'));
    expect(answers.map((answer) => answer?.split(' ')[0])).toEqual(sent);
    if (sent.at(-1) === 'Basic') expect(answers.at(-1)).toBe('Basic dTpw');
    else expect(answers.at(-1)).toMatch(/username="u".*uri="h:443".*algorithm=SHA-256/);
  });

  test('two answers by Digest never have the same nonce of ours', async () => {
    const again = DIGEST.replace('Digest', 'Digest stale=true,');
    const listener = await scripted([
      ...[DIGEST, again].map((offer) => `${CHALLENGE_407}${offer}\r\n`),
      OK,
    ]);
    const proxy = proxyAt(listener, { kind: 'http', auth: 'auto', credentials: user('u', 'p') });
    (await through(proxy, { host: 'h', port: 443 })).destroy();
    const cnonces = listener.asked.map(
      ({ fields }) => /cnonce="([^"]*)"/.exec(fields.get('proxy-authorization') ?? '')?.[1],
    );
    expect(new Set(cnonces).size).toBe(3);
  });

  test('the profile has none: the callback is asked, once', async () => {
    const asked: string[] = [];
    const ask: AskProxyCredentials = async ({ host }) => {
      asked.push(host);
      return user('u', 'p');
    };
    const listener = await scripted([`${CHALLENGE_407}${BASIC}\r\n`, OK]);
    const proxy = proxyAt(listener, { kind: 'http', auth: 'auto' });
    (await through(proxy, { host: 'h', port: 443 }, { ask })).destroy();
    expect(asked).toEqual(['127.0.0.1']);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'none',                      auth: 'none',     offers: [BASIC],          message: /wants to know who we are/, requests: 1 },
    { name: 'nobody has any',            auth: 'auto',     offers: [BASIC],          message: /wants a user name and a password/, requests: 1, nobody: true },
    { name: 'NTLM alone',                auth: 'auto',     offers: [NTLM],           message: /ntlm, negotiate, expected Digest or Basic; NTLM and Negotiate are not supported/, requests: 1 },
    { name: 'never in clear',            auth: 'auto-nct', offers: [BASIC],          message: /by basic, expected Digest \(Basic would show/, requests: 1 },
    { name: 'digest is not offered',     auth: 'digest',   offers: [BASIC],          message: /by basic, expected Digest$/, requests: 1 },
    { name: 'basic is not offered',      auth: 'basic',    offers: [NTLM],           message: /expected Basic; NTLM/, requests: 1 },
    { name: 'basic is refused',          auth: 'basic',    offers: [BASIC],          message: /refused the user name or the password/, requests: 1 },
    { name: 'digest is refused',         auth: 'digest',   offers: [DIGEST, DIGEST], message: /refused the user name or the password/, requests: 2 },
    { name: 'nothing is offered',        auth: 'auto',     offers: [''],             message: /no scheme that we know/, requests: 1 },
    { name: 'always stale',              auth: 'digest',   offers: Array(9).fill(DIGEST.replace('Digest', 'Digest stale=TRUE,')), message: /refused the user name/, requests: 4 },
  ] as const)('$name: OVPN_PROXY_AUTH', async ({ auth, offers, message, requests, ...rest }) => {
    const listener = await scripted(offers.map((offer: string) => `${CHALLENGE_407}${offer}\r\n`));
    const credentials = 'nobody' in rest ? undefined : user('canary-user', 'canary-password');
    const proxy = proxyAt(listener, { kind: 'http', auth, credentials });
    const failed = through(proxy, { host: 'h', port: 443 });
    await expect(failed).rejects.toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_PROXY_AUTH',
      retryable: false,
      message: expect.stringMatching(message),
    });
    expect(listener.asked).toHaveLength(requests);
    expect(String(await failed.catch((error: unknown) => error))).not.toContain('canary');
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a colon in the name', credentials: user('u:x', 'p') },
    { name: 'a line break',        credentials: user('u', 'p\r\nX: y') },
  ])('$name cannot be sent by Basic', async ({ credentials }) => {
    const listener = await scripted([OK]);
    const proxy = proxyAt(listener, { kind: 'http', auth: 'basic', credentials });
    const failed = through(proxy, { host: 'h', port: 443 });
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH' });
    expect(listener.asked).toEqual([]);
  });
});

describe('a proxy that will not, or is none', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'forbids it',                reply: 'HTTP/1.1 403 canary\r\n\r\n',                                  message: /refused to go there: 403 Forbidden: it may not allow this port/ },
    { name: 'cannot get there',          reply: 'HTTP/1.1 502 canary\r\nContent-Length: 5\r\n\r\nhello',        message: /502 Bad Gateway$/ },
    { name: 'redirects',                 reply: 'HTTP/1.1 302 canary\r\nLocation: http://x\r\n\r\n',            message: /302 Found$/ },
    { name: 'has a number of its own',   reply: 'HTTP/1.1 799 canary\r\n\r\n',                                  message: /799 unknown$/ },
    { name: 'goes on for ever',          reply: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100),                    message: /100 Continue$/ },
    { name: 'speaks something else',     reply: 'SSH-2.0-canary\r\n',                                           message: /did not answer as an HTTP proxy does \(HPE_/ },
    { name: 'has a head of lines',       reply: `HTTP/1.1 200 OK\r\n${'A: bcd\r\n'.repeat(MAX_REPLY_HEAD_BYTES)}`, message: /\(HPE_HEADER_OVERFLOW\)/ },
    { name: 'has one endless line',      reply: `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(MAX_REPLY_HEAD_BYTES)}`,    message: /\(HPE_HEADER_OVERFLOW\)/ },
    { name: 'has an endless first line', reply: `HTTP/1.1 200 ${'b'.repeat(MAX_REPLY_HEAD_BYTES * 8)}`,         message: /\(HPE_HEADER_OVERFLOW\)/ },
  ])('$name: OVPN_PROXY_FAILED', async ({ reply, message }) => {
    const listener = await scripted([reply]);
    const proxy = proxyAt(listener, { kind: 'http' });
    const failed = through(proxy, { host: 'h', port: 443 });
    await expect(failed).rejects.toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_PROXY_FAILED',
      retryable: true,
      message: expect.stringMatching(message),
    });
    expect(String(await failed.catch((error: unknown) => error))).not.toContain('canary');
    await expect.poll(() => listener.sockets.size).toBe(0);
  });

  test('hangs up: at once, or in the middle of its head', async () => {
    for (const said of ['', 'HTTP/1.1 200 O']) {
      const listener = kept(
        await Listener.open(async (socket) => {
          await readHead(socket);
          socket.end(said);
        }),
      );
      const failed = through(proxyAt(listener, { kind: 'http' }), { host: 'h', port: 443 });
      await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_FAILED' });
    }
  });

  test('trickles: aborting ends it, and the connection', async () => {
    const listener = kept(
      await Listener.open(async (socket) => {
        await readHead(socket);
        socket.write('HTTP/1.1 200');
      }),
    );
    const controller = new AbortController();
    const waiting = through(
      proxyAt(listener, { kind: 'http' }),
      { host: 'h', port: 1 },
      { signal: controller.signal },
    );
    await expect.poll(() => listener.sockets.size).toBe(1);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'enough' });
    await expect.poll(() => listener.sockets.size).toBe(0);
  });
});

describe('what would break out of a request', () => {
  test.each([
    'a\r\nX: y',
    'a b',
    'a/b',
    'a?b',
    'u@h',
    'a#b',
    '',
    '[::1]',
    'a\u0000b',
    'x'.repeat(256),
  ])('host %j', async (host) => {
    const listener = await scripted([OK]);
    const failed = through(proxyAt(listener, { kind: 'http' }), { host, port: 443 });
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_FAILED' });
    expect(listener.sockets.size).toBe(0);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a name',  header: ['X\r\nY', 'z'] },
    { name: 'a blank', header: ['X Y', 'z'] },
    { name: 'a value', header: ['X', 'canary\r\nY: z'] },
    { name: 'a letter that has no byte', header: ['X', 'canary \u20ac'] },
  ] as const)('a field: $name', async ({ header }) => {
    const listener = await scripted([OK]);
    const failed = through(proxyAt(listener, { kind: 'http', headers: [header] }), { host: 'h', port: 443 });
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_FAILED' });
    expect(String(await failed.catch((error: unknown) => error))).not.toContain('canary');
    expect(listener.asked).toEqual([]);
  });
});
