import dgram from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import { MAX_SEND_QUEUE_BYTES } from '../../src/dialer/datagram-queue.ts';
import type { TunUdpSocket } from '../../src/dialer/tun-udp-socket.ts';
import { a, dnsServer, response } from './dns-server.ts';
import { CLIENT, SERVER, SERVER6, type TunnelPair, tunnelPair } from './tunnel-pair.ts';

let pair: TunnelPair;

beforeEach(() => {
  pair = tunnelPair();
});

afterEach(async () => {
  await pair[Symbol.asyncDispose]();
});

/** Sends back what comes. */
function echo(port: number, type: 'udp4' | 'udp6' = 'udp4'): TunUdpSocket {
  const socket = pair.server.createSocket(type, (payload, from) => {
    socket.send(payload, from.port, from.address);
  });
  return socket.bind(port);
}

describe('TunUdpSocket', () => {
  test('has every method of dgram.Socket', () => {
    const socket = pair.client.createSocket('udp4');
    const missing = Object.getOwnPropertyNames(dgram.Socket.prototype)
      .filter((name) => !name.startsWith('_') && name !== 'sendto')
      .filter((name) => !(name in socket));
    expect(missing).toEqual([]);
    expect(() => Reflect.get(socket, 'setBroadcast').call(socket, true)).toThrow(
      expect.objectContaining({ code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }),
    );
  });

  test.each([
    { type: 'udp4' as const, family: 'IPv4', address: SERVER },
    { type: 'udp6' as const, family: 'IPv6', address: SERVER6 },
  ])('sends and receives over $family', async ({ type, family, address }) => {
    echo(7, type);
    const socket = pair.client.createSocket({ type });
    const listening = once(socket, 'listening');
    const sent = new Promise((resolve) =>
      socket.send('hello', 7, address, (...all) => resolve(all)),
    );
    const [payload, from] = await once(socket, 'message');
    expect(`${payload}`).toBe('hello');
    expect(from).toEqual({ address, family, port: 7, size: 5 });
    expect(await sent).toEqual([null, 5]);
    await listening;
    expect(socket.address().family).toBe(family);
  });

  test.each([
    {
      form: 'a slice',
      send: (socket: TunUdpSocket) => socket.send(Buffer.from('abcdef'), 2, 3, 7, SERVER),
      expected: 'cde',
    },
    {
      form: 'a list',
      send: (socket: TunUdpSocket) => socket.send(['ab', Buffer.from('cd')], 7, SERVER),
      expected: 'abcd',
    },
    {
      form: 'a typed array',
      send: (socket: TunUdpSocket) => socket.send(Uint16Array.of(0x6161), 7, SERVER),
      expected: 'aa',
    },
  ])('sends $form', async ({ send, expected }) => {
    echo(7);
    const socket = pair.client.createSocket('udp4');
    send(socket);
    expect(`${(await once(socket, 'message'))[0]}`).toBe(expected);
  });

  test('hears only its peer once it is connected', async () => {
    echo(7);
    const stranger = pair.server.createSocket('udp4').bind(8);
    const socket = await pair.client.dial('udp', `${SERVER}:7`);
    expect(socket.remoteAddress()).toEqual({ address: SERVER, family: 'IPv4', port: 7 });
    const heard: string[] = [];
    socket.on('message', (payload) => heard.push(`${payload}`));
    const { port } = socket.address();
    stranger.send('boo', port, CLIENT);
    await turn();
    socket.send('hello');
    await once(socket, 'message');
    expect(heard).toEqual(['hello']);
    expect(() => socket.send('x', 7, SERVER)).toThrow('already connected');
    socket.disconnect();
    expect(socket.address().port).toBe(port);
    stranger.send('boo', port, CLIENT);
    await once(socket, 'message');
    expect(heard).toEqual(['hello', 'boo']);
  });

  test('a closed port is ECONNREFUSED on a connected socket', async () => {
    const socket = await pair.client.dial('udp4', `${SERVER}:9`);
    socket.send('x');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recvmsg' });
  });

  test('resolves names inside the tunnel', async () => {
    dnsServer(pair.server, (asked) => [
      response(asked, { answers: [a(asked.question.name, SERVER)] }),
    ]);
    echo(7);
    const socket = pair.client.createSocket('udp4');
    socket.send('x', 7, 'echo.test');
    expect((await once(socket, 'message'))[1].address).toBe(SERVER);
    const dialled = await pair.client.dial('udp', 'echo.test:7');
    expect(dialled.remoteAddress().address).toBe(SERVER);
  });

  test('carries datagrams larger than the MTU', async () => {
    echo(7);
    const socket = pair.client.createSocket('udp4');
    const payload = Buffer.alloc(9000, 'tundial');
    socket.send(payload, 7, SERVER);
    expect(payload.equals((await once(socket, 'message'))[0])).toBe(true);
  });

  test('queues what has no room, and refuses what is too much', async () => {
    const received: number[] = [];
    pair.server.createSocket('udp4', (payload) => received.push(payload.readUInt16BE(0))).bind(7);
    const socket = pair.client.createSocket('udp4').bind();
    const payload = Buffer.alloc(1000);
    const total = MAX_SEND_QUEUE_BYTES / 1000 + 2000;
    const outcomes: (string | null)[] = [];
    for (let number = 0; number < total; number += 1) {
      const numbered = Buffer.from(payload);
      numbered.writeUInt16BE(number, 0);
      socket.send(numbered, 7, SERVER, (error) => {
        outcomes.push(error === null ? null : Reflect.get(error, 'code'));
      });
    }
    expect(socket.getSendQueueSize()).toBeGreaterThan(0);
    expect(socket.getSendQueueSize()).toBeLessThanOrEqual(MAX_SEND_QUEUE_BYTES);
    while (socket.getSendQueueCount() > 0 || outcomes.length < total) await turn();
    expect(new Set(outcomes)).toEqual(new Set([null, 'ENOBUFS']));
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(received).toHaveLength(outcomes.filter((outcome) => outcome === null).length);
    expect(received).toEqual([...received].sort((one, other) => one - other));
  });

  test.each([
    { name: 'a port that is taken', port: 7, address: undefined, code: 'EADDRINUSE' },
    { name: 'an address of somebody else', port: 8, address: '10.8.0.77', code: 'EADDRNOTAVAIL' },
    { name: 'an address of the other family', port: 8, address: SERVER6, code: 'EADDRNOTAVAIL' },
  ])('emits $code for $name', async ({ port, address, code }) => {
    echo(7);
    const socket = pair.server.createSocket('udp4');
    socket.bind({ port, address });
    expect((await once(socket, 'error'))[0]).toMatchObject({ code, syscall: 'bind' });
  });

  test('refuses wrong use at once', () => {
    const socket = pair.client.createSocket('udp4').bind();
    expect(() => socket.bind()).toThrow('already bound');
    expect(() => socket.send('x', 0, SERVER)).toThrow('expected a port');
    expect(() => socket.send(Buffer.from('abc'), 2, 2, 7, SERVER)).toThrow('inside 3 bytes');
    expect(() => socket.disconnect()).toThrow('not connected');
    socket.close();
    expect(() => socket.close()).toThrow('closed');
    expect(() => socket.send('x', 7, SERVER)).toThrow('closed');
  });

  test('closes by its signal, and with the tunnel', async () => {
    const abort = new AbortController();
    const first = pair.client.createSocket({ type: 'udp4', signal: abort.signal });
    const firstClosed = once(first, 'close');
    abort.abort();
    await firstClosed;
    const second = pair.client.createSocket('udp4').bind();
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    const closed = new Promise<void>((resolve) => second.once('close', () => resolve()));
    const failed = once(second, 'error');
    pair.client.client.fail(cause);
    expect((await failed)[0]).toMatchObject({ code: 'ENETRESET', cause });
    await closed;
  });
});
