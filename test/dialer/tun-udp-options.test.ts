import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MAX_SEND_QUEUE_COUNT } from '../../src/dialer/datagram-queue.ts';
import { TunUdpSocket } from '../../src/dialer/tun-udp-socket.ts';
import { UdpLog } from '../netstack/socket-logs.ts';
import { address } from '../sim/netstack-pair.ts';
import { routedTunnel } from './routed-tunnel.ts';
import { CLIENT, SERVER, SERVER6, tunnelPair } from './tunnel-pair.ts';

describe('TunUdpSocket over a path', () => {
  test('setTTL sets how far datagrams go; a hop limit that runs out is no error', async () => {
    const { pair, scope } = routedTunnel([{}, {}]);
    const log = new UdpLog();
    pair.right.openUdp({ family: 4, port: 9 }, log);
    const socket = new TunUdpSocket(scope, { type: 'udp4' });
    const failures: Error[] = [];
    socket.on('error', (error) => failures.push(error));
    socket.connect(9, '10.8.0.2');
    await once(socket, 'connect');
    for (const ttl of [1, 2, 3, 255]) {
      expect(socket.setTTL(ttl)).toBe(ttl);
      socket.send(`${ttl}`);
      pair.settle();
    }
    await turn();
    expect(log.received.map(({ payload }) => `${payload}`)).toEqual(['3', '255']);
    expect(failures).toEqual([]);
    for (const wrong of [0, 256, 1.5, Number.NaN]) {
      expect(() => socket.setTTL(wrong)).toThrow('expected a TTL');
    }
  });

  test.each([
    { typeAndCode: 0x0300, code: 'ENETUNREACH' },
    { typeAndCode: 0x0301, code: 'EHOSTUNREACH' },
    { typeAndCode: 0x0303, code: 'ECONNREFUSED' },
    { typeAndCode: 0x030d, code: 'EHOSTUNREACH' },
  ])('a connected socket hears $code', async ({ typeAndCode, code }) => {
    const { pair, scope } = routedTunnel([{ refuses: typeAndCode }]);
    const socket = new TunUdpSocket(scope, { type: 'udp4' });
    socket.connect(9, '10.8.0.2');
    await once(socket, 'connect');
    socket.send('x');
    const failed = once(socket, 'error');
    pair.settle();
    expect((await failed)[0]).toMatchObject({ code, syscall: 'recvmsg' });
  });

  test('one that is not connected hears nothing of it', async () => {
    const { pair, scope } = routedTunnel([{ refuses: 0x0303 }]);
    const socket = new TunUdpSocket(scope, { type: 'udp4' });
    const failures: Error[] = [];
    socket.on('error', (error) => failures.push(error));
    socket.send('x', 9, '10.8.0.2');
    pair.settle();
    await turn();
    expect(failures).toEqual([]);
  });
});

describe('TunUdpSocket queues', () => {
  test('drop the newest of what comes in, counted', async () => {
    const { pair, scope } = routedTunnel([]);
    const socket = new TunUdpSocket(scope, { type: 'udp4' }).bind(9);
    const heard: string[] = [];
    socket.on('message', (payload) => heard.push(`${payload}`.trim()));
    expect(socket.getRecvBufferSize()).toBe(1_048_576);
    socket.setRecvBufferSize(4000);
    expect(socket.getRecvBufferSize()).toBe(4000);
    const sender = pair.right.openUdp({ family: 4 }, new UdpLog());
    for (let sent = 0; sent < 8; sent += 1) {
      sender.send(Buffer.from(`${sent}`.padEnd(900)), address('10.8.0.1'), 9);
    }
    pair.settle();
    await turn();
    expect(heard).toEqual(['0', '1', '2']);
    expect(pair.left.stats().drops).toEqual({ 'no-room': 5 });
  });

  test('bound what waits to go out, by bytes and by number', async () => {
    await using pair = tunnelPair();
    const socket = pair.client.createSocket('udp4').bind();
    socket.setSendBufferSize(2000);
    expect(socket.getSendBufferSize()).toBe(2000);
    const codes: unknown[] = [];
    const count = (error: Error | null) => codes.push(error && Reflect.get(error, 'code'));
    // The netstack's own queue takes 128.
    for (let sent = 0; sent < 131; sent += 1) socket.send(Buffer.alloc(1000), 7, SERVER, count);
    expect([socket.getSendQueueCount(), socket.getSendQueueSize()]).toEqual([2, 2000]);
    socket.setSendBufferSize(1_000_000);
    for (let sent = 0; sent < MAX_SEND_QUEUE_COUNT; sent += 1) socket.send('', 7, SERVER, count);
    expect(socket.getSendQueueCount()).toBe(MAX_SEND_QUEUE_COUNT);
    while (codes.length < 131 + MAX_SEND_QUEUE_COUNT) await turn();
    expect(codes.filter((code) => code === 'ENOBUFS')).toHaveLength(1 + 2);
    for (const wrong of [0, -1, 1.5, 2 ** 40]) {
      expect(() => socket.setSendBufferSize(wrong)).toThrow('expected a size');
      expect(() => socket.setRecvBufferSize(wrong)).toThrow('expected a size');
    }
  });

  test('what waits goes out after the socket was connected', async () => {
    await using pair = tunnelPair();
    const heard: string[] = [];
    pair.server.createSocket('udp4', (payload) => heard.push(`${payload}`)).bind(7);
    const socket = pair.client.createSocket('udp4').bind();
    for (let sent = 0; sent < 200; sent += 1) socket.send(`${sent}`, 7, SERVER);
    expect(socket.getSendQueueCount()).toBe(72);
    socket.connect(7, SERVER);
    socket.send('last');
    await once(socket, 'connect');
    while (heard.length < 201) await turn();
    expect(heard).toEqual([...Array.from({ length: 200 }, (_, sent) => `${sent}`), 'last']);
  });

  test.each([
    { name: 'a connection', connects: true, count: MAX_SEND_QUEUE_COUNT, bytes: 0 },
    { name: 'a connection', connects: true, count: 16, bytes: 65_536 },
    { name: 'a name', connects: false, count: MAX_SEND_QUEUE_COUNT, bytes: 0 },
    { name: 'a name', connects: false, count: 16, bytes: 65_536 },
  ])('bound what waits for $name: $count of $bytes bytes', async ({ connects, count, bytes }) => {
    await using pair = tunnelPair();
    const socket = pair.client.createSocket('udp4').bind();
    socket.on('error', () => {});
    const codes: unknown[] = [];
    const told = (error: Error | null) => codes.push(error && Reflect.get(error, 'code'));
    if (connects) socket.connect(7, SERVER);
    const send = () => {
      if (connects) socket.send(Buffer.alloc(bytes), told);
      else socket.send(Buffer.alloc(bytes), 7, 'localhost', told);
    };
    for (let sent = 0; sent < count + 3; sent += 1) send();
    while (codes.length < count + 3) await turn();
    expect(codes.slice(0, 3)).toEqual(['ENOBUFS', 'ENOBUFS', 'ENOBUFS']);
    // What has waited makes room again.
    codes.length = 0;
    send();
    while (codes.length === 0) await turn();
    expect(codes).not.toContain('ENOBUFS');
  });

  test('more than a datagram holds is EMSGSIZE', async () => {
    await using pair = tunnelPair();
    const socket = pair.client.createSocket('udp4');
    const outcome = (bytes: number) =>
      new Promise((resolve) => socket.send(Buffer.alloc(bytes), 7, SERVER, resolve));
    expect(await outcome(65_508)).toMatchObject({ code: 'EMSGSIZE', syscall: 'send', port: 7 });
    expect(await outcome(65_507)).toBeNull();
  });
});

describe('TunUdpSocket binding', () => {
  test('connect binds with `listening`, keeps a bound address and port', async () => {
    await using pair = tunnelPair();
    const fresh = pair.client.createSocket('udp4');
    const events: string[] = [];
    fresh
      .on('listening', () => events.push('listening'))
      .on('connect', () => events.push('connect'));
    fresh.connect(7, SERVER);
    await once(fresh, 'connect');
    await turn();
    expect(events.sort()).toEqual(['connect', 'listening']);
    const bound = pair.client.createSocket('udp4').bind({ port: 4000, address: '127.0.0.1' });
    bound.connect(7, '127.0.0.1');
    await once(bound, 'connect');
    bound.disconnect();
    expect(bound.address()).toEqual({ address: '127.0.0.1', family: 'IPv4', port: 4000 });
  });

  test('a peer without a way leaves the socket as it was', async () => {
    await using pair = tunnelPair({ info: { ipv6: undefined } });
    const socket = pair.client.createSocket('udp6').bind({ port: 4000, address: '::1' });
    const error = await new Promise((resolve) => socket.connect(7, SERVER6, resolve));
    expect(error).toMatchObject({ code: 'ENETUNREACH', syscall: 'connect', address: SERVER6 });
    expect(socket.address()).toEqual({ address: '::1', family: 'IPv6', port: 4000 });
    expect(() => socket.remoteAddress()).toThrow('not connected');
  });

  test('what was sent while a connect failed is told', async () => {
    await using pair = tunnelPair({ info: { ipv6: undefined } });
    const socket = pair.client.createSocket('udp6');
    socket.connect(7, SERVER6, () => {});
    const outcome = await new Promise((resolve) => socket.send('x', resolve));
    expect(outcome).toMatchObject({ code: 'ENETUNREACH' });
  });

  test.each([
    { name: 'a descriptor', bind: { fd: 3 }, message: 'no fd' },
    { name: 'a port past the last', bind: { port: 65_536 }, message: 'expected a port' },
    { name: 'a port that is no number', bind: { port: 'x' as unknown as number }, message: 'port' },
  ])('refuses $name', async ({ bind, message }) => {
    await using pair = tunnelPair();
    expect(() => pair.client.createSocket('udp4').bind(bind)).toThrow(message);
  });

  test.each(['addMembership', 'setBroadcast', 'setMulticastTTL'])(
    '%s says what is wrong',
    (name) => {
      const { scope } = routedTunnel([]);
      const socket = new TunUdpSocket(scope, { type: 'udp4' });
      const call = () => Reflect.get(socket, name).call(socket, CLIENT);
      expect(call).toThrow(
        expect.objectContaining({ code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM' }),
      );
    },
  );
});
