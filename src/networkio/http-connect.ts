import { type IncomingMessage, request, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { RandomSource } from '../core/random.ts';
import type { OuterProxy } from '../model/profile.ts';
import { HttpProxySignIn } from './http-proxy-sign-in.ts';
import { aborted } from './network-errors.ts';
import {
  type AskProxyCredentials,
  type ProxyTarget,
  proxyFailed,
  proxyName,
  proxyRefused,
  targetHost,
} from './outer-proxy.ts';

/** Longest head of a proxy's reply. Unit: bytes. */
export const MAX_REPLY_HEAD_BYTES = 16_384;

/** Requests for one connection: without credentials, with them, with those to two fresh nonces. */
const MAX_REQUESTS = 4;

export interface HttpConnectOptions {
  /** A new connection to the proxy, once for every request. */
  readonly connect: () => Promise<Socket>;
  /** Default: nobody is asked. */
  readonly ask?: AskProxyCredentials | undefined;
  readonly random: RandomSource;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connection to `target` through an HTTP proxy (RFC 9110 §9.3.6). What the server has already
 * said waits in it to be read. A request that is answered by 407 is made again on a new connection,
 * as not every proxy keeps one open.
 *
 * @throws OvpnNetworkError `OVPN_PROXY_FAILED`, `OVPN_PROXY_AUTH`, what `connect` throws
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function connectByHttp(
  proxy: OuterProxy,
  target: ProxyTarget,
  { connect, ask, random, signal }: HttpConnectOptions,
): Promise<Socket> {
  const host = targetHost(proxy, target);
  const authority = `${host.includes(':') ? `[${host}]` : host}:${target.port}`;
  const signIn = new HttpProxySignIn({ proxy, ask, random, authority });
  let authorization = await signIn.first();
  for (let requests = 0; requests < MAX_REQUESTS; requests += 1) {
    const headers = headersOf(proxy, authority, authorization);
    const reply = await askOnce(await connect(), proxy, { authority, headers, signal });
    const { status } = reply;
    if (status >= 200 && status < 300) return reply.socket;
    reply.socket.destroy();
    if (status !== 407) throw proxyFailed(proxy, refusalText(status));
    authorization = await signIn.next(reply.challenges);
  }
  throw proxyRefused(proxy, `asked for credentials ${MAX_REQUESTS} times`);
}

interface Reply {
  readonly status: number;
  readonly challenges: readonly string[];
  readonly socket: Socket;
}

interface HttpRequest {
  readonly authority: string;
  readonly headers: readonly Header[];
  readonly signal: AbortSignal | undefined;
}

/** One request on `socket`, which it closes unless there is a reply. */
function askOnce(
  socket: Socket,
  proxy: OuterProxy,
  { authority, headers, signal }: HttpRequest,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => {
      if (signal !== undefined) fail(aborted(proxyName(proxy), signal));
    };
    socket.on('error', ignore);
    const asking = request({
      method: 'CONNECT',
      path: authority,
      setHost: false,
      createConnection: () => socket,
      maxHeaderSize: MAX_REPLY_HEAD_BYTES,
      insecureHTTPParser: false,
    });
    for (const [name, value] of headers) asking.appendHeader(name, value);
    // Node would announce that the connection is closed after the reply.
    asking.removeHeader('Connection');
    asking.on('error', (cause) =>
      fail(proxyFailed(proxy, 'did not answer as an HTTP proxy does', cause)),
    );
    asking.on('connect', (reply: IncomingMessage, _socket, head: Buffer) => {
      signal?.removeEventListener('abort', onAbort);
      if (head.length > 0) socket.unshift(head);
      const challenges = reply.headersDistinct['proxy-authenticate'] ?? [];
      resolve({ status: reply.statusCode ?? 0, challenges, socket });
      // The next owner listens before anything else can happen to the socket.
      setImmediate(() => socket.off('error', ignore));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    else asking.end();
  });
}

function ignore(): void {}

type Header = readonly [name: string, value: string];

/** @throws OvpnNetworkError `OVPN_PROXY_FAILED`: a field of the profile that HTTP has no room for */
function headersOf(
  proxy: OuterProxy,
  authority: string,
  authorization: string | undefined,
): readonly Header[] {
  const headers: Header[] = [
    ['Host', authority],
    ['Proxy-Connection', 'Keep-Alive'],
  ];
  if (authorization !== undefined) headers.push(['Proxy-Authorization', authorization]);
  const own = new Set(proxy.headers.map(([name]) => name.toLowerCase()));
  return [...headers.filter(([name]) => !own.has(name.toLowerCase())), ...proxy.headers].map(
    (header) => checked(proxy, header),
  );
}

function checked(proxy: OuterProxy, header: Header): Header {
  const [name, value] = header;
  if (FIELD_NAME.test(name) && FIELD_VALUE.test(value)) return header;
  throw proxyFailed(proxy, 'cannot be sent a field of `http-proxy-option` as it is written');
}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** In our words: what the proxy writes after the number may be anything. */
function refusalText(status: number): string {
  const name = STATUS_CODES[status] ?? 'unknown';
  const hint = status === 403 || status === 405 ? ': it may not allow this port' : '';
  return `refused to go there: ${status} ${name}${hint}`;
}
