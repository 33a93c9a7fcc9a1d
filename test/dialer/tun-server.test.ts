import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import { SERVER, SERVER6, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

let pair: TunnelPair;

beforeEach(() => {
  pair = tunnelPair();
});

afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

describe('TunServer', () => {
  test('listens on the address inside the tunnel and tells it', async () => {
    const server = pair.server.listen({ port: 8080 });
    await once(server, 'listening');
    expect(server.address()).toEqual({ address: SERVER, family: 'IPv4', port: 8080 });
    expect(server.listening).toBe(true);
  });

  test('draws a port for 0, and listens where it is told to', async () => {
    const server = pair.server.listen({ host: SERVER6 });
    const { port = 0, address } = server.address() ?? {};
    expect(address).toBe(SERVER6);
    await pair.client.dial('tcp', `[${SERVER6}]:${port}`);
    await expect(pair.client.dial('tcp', `${SERVER}:${port}`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  test.each([
    { name: 'a port that is taken', host: undefined, code: 'EADDRINUSE' },
    { name: 'an address of somebody else', host: '10.8.0.9', code: 'EADDRNOTAVAIL' },
    { name: 'a name', host: 'example.com', code: 'EADDRNOTAVAIL' },
  ])('emits $code for $name', async ({ host, code }) => {
    pair.server.listen({ port: 80 });
    const second = pair.server.listen({ port: 80, host });
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code, syscall: 'listen', port: 80 });
    expect(second.address()).toBeNull();
  });

  test('closes when its last connection has ended, and refuses new ones before', async () => {
    const server = pair.server.listen({ port: 80 }, (socket) => socket.resume());
    const accepted = once(server, 'connection');
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    await accepted;
    socket.resume();
    let closed = false;
    const closing = new Promise((resolve) => {
      server.close((error) => {
        closed = true;
        resolve(error);
      });
    });
    await expect(pair.client.dial('tcp', `${SERVER}:80`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    expect(closed).toBe(false);
    socket.end();
    expect(await closing).toBeUndefined();
    const again = await new Promise((resolve) => server.close(resolve));
    expect(again).toMatchObject({ code: 'OVPN_USAGE' });
  });

  test('can listen again once it is closed', async () => {
    const server = pair.server.listen({ port: 80 });
    expect(() => server.listen(81)).toThrow('already listening');
    await server[Symbol.asyncDispose]();
    server.listen(81);
    await once(server, 'listening');
    await pair.client.dial('tcp', `${SERVER}:81`);
  });

  test('resets what is above maxConnections and tells of it', async () => {
    const server = pair.server.listen({ port: 80 });
    server.maxConnections = 1;
    const first = await pair.client.dial('tcp', `${SERVER}:80`);
    const dropped = once(server, 'drop');
    const second = pair.client.connect({ host: SERVER, port: 80 });
    const [error] = await once(second, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    const [{ remoteAddress }] = await dropped;
    expect(remoteAddress).toBe(first.localAddress);
    const count = await new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
    expect(count).toBe(1);
  });

  test('does not read before resume with pauseOnConnect', async () => {
    const server = pair.server.listen({ port: 80, pauseOnConnect: true });
    const accepted = once(server, 'connection');
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    socket.write('x');
    const [peer] = await accepted;
    expect(peer.isPaused()).toBe(true);
    const data = once(peer, 'data');
    peer.resume();
    expect(`${(await data)[0]}`).toBe('x');
  });

  test('closes by its signal', async () => {
    const abort = new AbortController();
    const server = pair.server.listen({ port: 80, signal: abort.signal });
    await once(server, 'listening');
    abort.abort();
    await once(server, 'close');
    expect(server.listening).toBe(false);
  });

  test('leaves its sockets alone when its signal aborts', async () => {
    const abort = new AbortController();
    const server = pair.server.listen({ port: 80, signal: abort.signal });
    const accepted = once(server, 'connection');
    const socket = await pair.client.dial('tcp', `${SERVER}:80`);
    const [peer] = await accepted;
    abort.abort();
    socket.write('still here');
    expect(`${(await once(peer, 'data'))[0]}`).toBe('still here');
    expect(server.listening).toBe(false);
  });

  test('gives its options to its sockets', async () => {
    const server = pair.server.listen({ port: 80, allowHalfOpen: true, highWaterMark: 1000 });
    const accepted = once(server, 'connection');
    await pair.client.dial('tcp', `${SERVER}:80`);
    const [peer] = await accepted;
    expect(peer).toMatchObject({ allowHalfOpen: true, readableHighWaterMark: 1000, server: null });
  });

  test('has no limit with maxConnections left out, dropMaxConnection or not', async () => {
    const server = pair.server.listen({ port: 80 });
    Object.assign(server, { maxConnections: undefined, dropMaxConnection: true });
    for (let count = 1; count <= 2; count += 1) {
      const accepted = once(server, 'connection');
      await pair.client.dial('tcp', `${SERVER}:80`);
      await accepted;
      expect(server.connections).toBe(count);
    }
  });

  test('ends with the tunnel and says why', async () => {
    const server = pair.server.listen({ port: 80 });
    const [closed, failed] = [once(server, 'close'), once(server, 'error')];
    closed.catch(() => {});
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    pair.server.client.fail(cause);
    expect((await failed)[0]).toMatchObject({ code: 'ENETRESET', cause });
    expect(server.listening).toBe(false);
    const late = pair.server.listen({ port: 81 });
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ENETDOWN', cause });
  });
});
