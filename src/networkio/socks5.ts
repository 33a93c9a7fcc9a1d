import { isIP, type Socket } from 'node:net';
import { u8 } from '../core/bytes.ts';
import type { OvpnNetworkError } from '../core/errors.ts';
import type { OuterProxy } from '../model/profile.ts';
import { aborted } from './network-errors.ts';
import {
  type AskProxyCredentials,
  type ProxyTarget,
  proxyCredentials,
  proxyFailed,
  proxyName,
  proxyRefused,
  targetHost,
} from './outer-proxy.ts';
import { readExactly } from './read-exactly.ts';
import {
  ANSWER_START_BYTES,
  answerLength,
  decodeBound,
  decodeMethod,
  encodeGreeting,
  encodeRequest,
  encodeSignIn,
  isWelcome,
  MAX_SOCKS_TEXT_BYTES,
  SHORT_ANSWER_BYTES,
  SOCKS_VERSION,
  type SocksAddress,
  SocksCommand,
  SocksMethod,
} from './socks5-codec.ts';

export interface Socks5Options {
  /** Default: nobody is asked. */
  readonly ask?: AskProxyCredentials | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes of `socket`, which is connected to a SOCKS5 proxy, a connection to `target`; names are
 * looked up by the proxy. What the server has already said waits in the socket to be read.
 *
 * @throws OvpnNetworkError `OVPN_PROXY_FAILED`, `OVPN_PROXY_AUTH`; the socket is closed then
 * @throws OvpnError `OVPN_ABORTED`
 */
export async function connectBySocks5(
  socket: Socket,
  proxy: OuterProxy,
  target: ProxyTarget,
  options: Socks5Options,
): Promise<void> {
  const to = { host: targetHost(proxy, target), port: target.port };
  await asked(socket, proxy, options, () =>
    requestBySocks5(socket, proxy, SocksCommand.CONNECT, to),
  );
}

/**
 * Asks the proxy behind `socket` for a relay of datagrams, which lives as long as the socket.
 *
 * @returns where the relay is
 * @throws as {@link connectBySocks5}
 */
export async function associateBySocks5(
  socket: Socket,
  proxy: OuterProxy,
  options: Socks5Options,
): Promise<SocksAddress> {
  const bound = await asked(socket, proxy, options, () =>
    // Ours is not known: an address translation may lie in between.
    requestBySocks5(socket, proxy, SocksCommand.UDP_ASSOCIATE, { host: '0.0.0.0', port: 0 }),
  );
  const host = bound.host === '0.0.0.0' || bound.host === '::' ? socket.remoteAddress : bound.host;
  if (host !== undefined && isIP(host) !== 0 && bound.port !== 0) return { host, port: bound.port };
  socket.destroy();
  throw proxyFailed(proxy, 'was to say the address and port of its relay, and named none');
}

/** Signs in and runs `request`; closes the socket when that fails, or when the caller gives up. */
async function asked<T>(
  socket: Socket,
  proxy: OuterProxy,
  { ask, signal }: Socks5Options,
  request: () => Promise<T>,
): Promise<T> {
  const onAbort = (): void => {
    socket.destroy();
  };
  socket.on('error', ignore);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (!signal?.aborted) {
      await greet(socket, proxy, ask);
      return await request();
    }
  } catch (error) {
    socket.destroy();
    if (!signal?.aborted) throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // The next owner listens before anything else can happen to the socket.
    setImmediate(() => socket.off('error', ignore));
  }
  socket.destroy();
  throw aborted(proxyName(proxy), signal);
}

function ignore(): void {}

async function greet(
  socket: Socket,
  proxy: OuterProxy,
  ask: AskProxyCredentials | undefined,
): Promise<void> {
  const withUser = proxy.auth !== 'none' || proxy.credentials !== undefined;
  const methods = withUser ? [SocksMethod.NONE, SocksMethod.PASSWORD] : [SocksMethod.NONE];
  socket.write(encodeGreeting(methods));
  const method = decodeMethod(await answer(socket, proxy, SHORT_ANSWER_BYTES));
  if (method === SocksMethod.NONE) return;
  if (method === SocksMethod.PASSWORD && withUser) {
    await signIn(socket, proxy, ask);
  } else if (method === SocksMethod.NOTHING_FITS) {
    throw proxyRefused(
      proxy,
      withUser
        ? 'takes neither a user name with a password nor nobody'
        : 'wants to know who we are: name a file with user name and password in `socks-proxy`',
    );
  } else {
    throw notSocks(proxy);
  }
}

async function signIn(
  socket: Socket,
  proxy: OuterProxy,
  ask: AskProxyCredentials | undefined,
): Promise<void> {
  const { username, password } = await proxyCredentials(proxy, ask);
  const message = encodeSignIn(username, password.reveal());
  if (message === undefined) {
    throw proxyRefused(
      proxy,
      `can be told a user name and a password of at most ${MAX_SOCKS_TEXT_BYTES} bytes, the name not empty`,
    );
  }
  socket.write(message);
  if (isWelcome(await answer(socket, proxy, SHORT_ANSWER_BYTES))) return;
  throw proxyRefused(proxy, 'refused the user name or the password');
}

async function requestBySocks5(
  socket: Socket,
  proxy: OuterProxy,
  command: SocksCommand,
  to: SocksAddress,
): Promise<SocksAddress> {
  socket.write(encodeRequest(command, to));
  const start = await answer(socket, proxy, ANSWER_START_BYTES);
  const code = u8(start, 1);
  // Behind a refusal some have no address, or one of no type.
  if (u8(start, 0) === SOCKS_VERSION && code !== 0) {
    throw proxyFailed(proxy, REFUSALS[code] ?? `refused with code ${code}`);
  }
  const length = answerLength(start);
  if (length === undefined) throw notSocks(proxy);
  const rest = await answer(socket, proxy, length - ANSWER_START_BYTES);
  const bound = decodeBound(Buffer.concat([start, rest]));
  if (bound === undefined) throw notSocks(proxy);
  return bound;
}

async function answer(socket: Socket, proxy: OuterProxy, length: number): Promise<Buffer> {
  const bytes = await readExactly(socket, length);
  if (bytes !== undefined) return bytes;
  throw proxyFailed(
    proxy,
    'hung up in the middle of the conversation',
    socket.errored ?? undefined,
  );
}

function notSocks(proxy: OuterProxy): OvpnNetworkError {
  return proxyFailed(proxy, 'did not answer as a SOCKS5 proxy does');
}

/** RFC 1928 §6. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'failed: a general failure',
  2: 'refused: its rules do not allow the connection',
  3: 'failed: the network cannot be reached from there',
  4: 'failed: the host cannot be reached from there',
  5: 'failed: the server refused the connection',
  6: 'failed: the way to the server is too long',
  7: 'refused: it does not know the command (UDP needs a proxy with UDP ASSOCIATE)',
  8: 'refused: it does not know this kind of address',
};
