import { once } from 'node:events';
import net from 'node:net';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import type { TunServer } from '../../src/dialer/tun-server.ts';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import { CLIENT, SERVER, SERVER6, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

let pair: TunnelPair;

beforeEach(() => {
  pair = tunnelPair();
});

afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

const TOTAL = 8 * 1024 * 1024;

/** A server that hands every socket to `serve`. */
async function listening(serve: (socket: TunSocket) => void): Promise<TunServer> {
  const server = pair.server.listen({ port: 80 }, serve);
  await once(server, 'listening');
  return server;
}

/** All that comes until the end; the stream is not destroyed by it. */
async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks).toString();
}

describe('TunSocket', () => {
  test('has every property and method of net.Socket', () => {
    const surface = [
      ...Object.getOwnPropertyNames(net.Socket.prototype),
      'address autoSelectFamilyAttemptedAddresses bufferSize bytesRead bytesWritten connect',
      'connecting destroy destroyed destroySoon end localAddress localFamily localPort pause',
      'pending readyState ref remoteAddress remoteFamily remotePort resetAndDestroy resume',
      'setEncoding setKeepAlive setNoDelay setTimeout timeout unref write',
    ]
      .flatMap((names) => names.split(' '))
      .filter((name) => !name.startsWith('_'));
    const socket: net.Socket = pair.client.socket();
    expect(surface.filter((name) => !(name in socket))).toEqual([]);
  });

  test('does not need a written buffer after its callback', async () => {
    let received: Promise<string> | undefined;
    await listening((socket) => {
      received = text(socket);
    });
    const socket = pair.client.connect({ host: SERVER, port: 80 });
    await once(socket, 'connect');
    socket.resume();
    const buffer = Buffer.alloc(4);
    for (const word of ['one ', 'two ', 'six ']) {
      buffer.write(word);
      await new Promise((resolve) => socket.write(buffer, resolve));
    }
    socket.end(buffer.fill('!'));
    await once(socket, 'finish');
    buffer.fill('x');
    await once(socket, 'close');
    expect(await received).toBe('one two six !!!!');
  });

  test('connects, carries bytes both ways and ends', async () => {
    await listening((socket) => socket.pipe(socket));
    const socket = pair.client.connect({ host: SERVER, port: 80 });
    expect(socket).toMatchObject({ connecting: true, pending: true, readyState: 'opening' });
    socket.end('hello');
    await once(socket, 'connect');
    expect(socket).toMatchObject({
      connecting: false,
      pending: false,
      localAddress: CLIENT,
      localFamily: 'IPv4',
      remoteAddress: SERVER,
      remoteFamily: 'IPv4',
      remotePort: 80,
    });
    const closed = once(socket, 'close');
    expect(await text(socket)).toBe('hello');
    expect(await closed).toEqual([false]);
    expect(socket).toMatchObject({ bytesRead: 5, bytesWritten: 5, readyState: 'closed' });
  });

  test('tells both ends the same addresses', async () => {
    const server = await listening(() => {});
    const accepted = once(server, 'connection');
    const socket = await pair.client.dial('tcp', `[${SERVER6}]:80`);
    const [peer] = await accepted;
    expect(peer.remoteAddress).toBe(socket.localAddress);
    expect(peer.remotePort).toBe(socket.localPort);
    expect(socket.localPort).toBeGreaterThan(32_767);
    expect(socket.address()).toEqual({
      address: socket.localAddress,
      family: 'IPv6',
      port: socket.localPort,
    });
  });

  test('emits an AbortError for a signal that has aborted before it connects', async () => {
    const socket = pair.client.connect({ host: SERVER, port: 80, signal: AbortSignal.abort() });
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(socket).toMatchObject({ destroyed: true, connecting: false });
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([]);
  });

  test('sends nothing when it is destroyed at once', async () => {
    const before = pair.client.stats.packetsOut;
    pair.client.connect(80, SERVER).destroy();
    await turn();
    await turn();
    expect(pair.client.stats).toMatchObject({ packetsOut: before, tcpFlows: 0 });
  });

  test('emits the events of net.Socket in their order', async () => {
    await listening((socket) => socket.end('bye'));
    const socket = pair.client.connect(80, SERVER);
    const seen: string[] = [];
    for (const event of ['connectionAttempt', 'connect', 'ready', 'data', 'end', 'close']) {
      socket.on(event, () => seen.push(event));
    }
    await once(socket, 'close');
    expect(seen).toEqual(['connectionAttempt', 'connect', 'ready', 'data', 'end', 'close']);
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([`${SERVER}:80`]);
  });

  test('writes before it is connected arrive in order', async () => {
    let received = Promise.resolve('');
    const server = await listening((socket) => {
      received = text(socket);
    });
    const socket = pair.client.connect({ host: SERVER, port: 80 });
    socket.write('a');
    socket.write('b');
    socket.end('c');
    await once(server, 'connection');
    expect(await received).toBe('abc');
  });

  test('stays writable after the end of the peer with allowHalfOpen', async () => {
    const answered: Promise<string>[] = [];
    await listening((socket) => {
      answered.push(text(socket));
      socket.end('question');
    });
    const socket = pair.client.connect({ host: SERVER, port: 80, allowHalfOpen: true });
    expect(await text(socket)).toBe('question');
    expect(socket.readyState).toBe('writeOnly');
    socket.end('answer');
    await finished(socket);
    expect(await answered[0]).toBe('answer');
  });

  test('a refused port is ECONNREFUSED, as Node words it', async () => {
    const socket = pair.client.connect({ host: SERVER, port: 81 });
    const closed = new Promise((resolve) => socket.once('close', (...args) => resolve(args)));
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({
      message: `connect ECONNREFUSED ${SERVER}:81`,
      code: 'ECONNREFUSED',
      errno: -111,
      syscall: 'connect',
      address: SERVER,
      port: 81,
    });
    expect(await closed).toEqual([true]);
  });

  test('a family that the tunnel lacks is ENETUNREACH', async () => {
    await using lame = tunnelPair({ info: { ipv6: undefined } });
    await expect(lame.client.dial('tcp', `[${SERVER6}]:80`)).rejects.toMatchObject({
      code: 'ENETUNREACH',
      message: expect.stringContaining('the tunnel has no IPv6 address'),
    });
  });

  test('resetAndDestroy resets the peer', async () => {
    const errors: Promise<unknown>[] = [];
    await listening((socket) => {
      errors.push(once(socket, 'error').then(([error]) => error));
      socket.write('x');
    });
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await errors[0]).toMatchObject({ code: 'ECONNRESET', message: 'read ECONNRESET' });
  });

  test('destroy with unread bytes resets the peer, without them it ends', async () => {
    const outcomes: Promise<string>[] = [];
    await listening((socket) => {
      outcomes.push(
        finished(socket.resume(), { writable: false }).then(
          () => 'end',
          (e) => e.code,
        ),
      );
      socket.write(Buffer.alloc(300_000));
    });
    const unread = await pair.client.dial('tcp', `${SERVER}:80`);
    await once(unread, 'readable');
    while ((unread.tcpInfo()?.unread ?? 0) === 0) await turn();
    unread.destroy();
    expect(await outcomes[0]).toBe('ECONNRESET');
    const idle = await pair.client.dial('tcp', `${SERVER}:80`);
    let bytes = 0;
    idle.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes === 300_000) idle.destroy();
    });
    await once(idle, 'close');
    expect(await outcomes[1]).toBe('end');
  });

  test('a reader that does not read holds the writer back', async () => {
    const peers: TunSocket[] = [];
    await listening((socket) => {
      socket.pause();
      peers.push(socket);
    });
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    const chunk = Buffer.alloc(64 * 1024);
    let offered = 0;
    const writing = pipeline(
      Readable.from(
        (function* () {
          for (; offered < TOTAL; offered += chunk.length) yield chunk;
        })(),
      ),
      socket,
    );
    for (let turns = 0; turns < 2000; turns += 1) await turn();
    const held = offered;
    for (let turns = 0; turns < 200; turns += 1) await turn();
    expect(offered).toBe(held);
    expect(held).toBeLessThan(2 * 1024 * 1024);
    expect(peers[0]?.readableLength).toBeLessThanOrEqual(192 * 1024);
    const [peer] = peers;
    const ended = peer === undefined ? undefined : once(peer, 'end');
    peer?.resume();
    await writing;
    await ended;
    expect(peer?.bytesRead).toBe(TOTAL);
  });

  test('emits timeout after silence, once, and stays open', async () => {
    await listening(() => {});
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    let timeouts = 0;
    socket.on('timeout', () => {
      timeouts += 1;
    });
    socket.setTimeout(20);
    expect(socket.timeout).toBe(20);
    await once(socket, 'timeout');
    expect(timeouts).toBe(1);
    expect(socket.readyState).toBe('open');
    socket.setTimeout(0);
  });

  test('runs no listener inside the pump, where a throw would end the tunnel', async () => {
    const stacks: string[] = [];
    const note = (socket: TunSocket) => {
      for (const event of ['connect', 'data', 'drain', 'finish', 'end', 'error', 'close']) {
        socket.on(event, () => stacks.push(`${event} ${new Error().stack}`));
      }
    };
    await listening((socket) => {
      note(socket);
      socket.end(Buffer.alloc(1_000_000));
    });
    const socket = pair.client.connect({ host: SERVER, port: 80 });
    note(socket);
    const refused = pair.client.connect({ host: SERVER, port: 81 });
    note(refused);
    refused.write('x', () => stacks.push(`write ${new Error().stack}`));
    await once(socket, 'close');
    expect(stacks.length).toBeGreaterThan(10);
    expect(stacks.filter((stack) => stack.includes('pump.ts'))).toEqual([]);
  });

  test('an abort signal destroys it with an AbortError', async () => {
    await listening(() => {});
    const abort = new AbortController();
    const socket = pair.client.connect({ host: SERVER, port: 80, signal: abort.signal });
    await once(socket, 'connect');
    abort.abort();
    const [error] = await once(socket, 'error');
    expect(error.name).toBe('AbortError');
  });

  test('the end of the tunnel is ENETRESET with its cause', async () => {
    await listening((socket) => socket.on('error', () => {}));
    const open = await pair.client.dial('tcp', `${SERVER}:80`);
    const opening = pair.client.connect({ host: '10.8.0.77', port: 80 });
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    const errors = Promise.all([once(open, 'error'), once(opening, 'error')]);
    pair.client.client.fail(cause);
    for (const [error] of await errors) expect(error).toMatchObject({ code: 'ENETRESET', cause });
    await expect(pair.client.dial('tcp', `${SERVER}:80`)).rejects.toMatchObject({
      code: 'ENETDOWN',
      cause,
    });
  });

  test('connects once', async () => {
    const socket = pair.client.connect({ host: SERVER, port: 80 });
    socket.on('error', () => {});
    expect(() => socket.connect(80, SERVER)).toThrow('connects once');
    expect(() => pair.client.socket().connect('/tmp/socket')).toThrow('expected a port');
  });
});
