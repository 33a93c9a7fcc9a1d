import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import type { Remote } from '../../src/model/profile.ts';
import type { ReconnectingEvent } from '../../src/vpnclient/events.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { heapBytes } from '../sim/heap-bytes.ts';
import { echoRequest, icmpOf } from './icmp-echo.ts';
import { resourcesSince } from './resources.ts';
import { RETRY_MS, RestartingSite } from './restarting-site.ts';
import { pingOnce } from './site.ts';
import { type CuttablePipe, openPipe } from './udp-pipe.ts';

const HOST = '10.8.0.1';
const TRANSPORTS = ['udp', 'tcp'] as const;
/** Whoever comes next gets the address of who left. */
const ONE_ADDRESS = { subnet: '10.8.0.0/30' };
const RESTARTS = 20;
const PIECE_BYTES = 64 * 1024;
const PIECES_PER_RESTART = 6;
const PIECES = RESTARTS * PIECES_PER_RESTART + 2;

/** Bytes that differ from piece to piece. */
function piece(index: number): Buffer {
  const block = createHash('sha256').update(`${index}`).digest();
  return Buffer.alloc(PIECE_BYTES, block);
}

function hashOfPieces(): string {
  const hash = createHash('sha256');
  for (let index = 0; index < PIECES; index += 1) hash.update(piece(index));
  return hash.digest('hex');
}

async function writePieces(socket: TunSocket): Promise<void> {
  for (let index = 0; index < PIECES; index += 1) {
    if (!socket.write(piece(index))) await once(socket, 'drain');
  }
  socket.end();
}

/** The hash of all that comes; `restart` is called each time so much has come, and not waited for. */
async function hashWithRestarts(socket: TunSocket, restart: () => Promise<void>): Promise<string> {
  const hash = createHash('sha256');
  let bytes = 0;
  let restarts = 0;
  let restarting = Promise.resolve();
  for await (const part of socket as AsyncIterable<Buffer>) {
    hash.update(part);
    bytes += part.length;
    if (restarts >= RESTARTS || bytes < (restarts + 1) * PIECES_PER_RESTART * PIECE_BYTES) continue;
    restarts += 1;
    await restarting;
    restarting = restart();
  }
  await restarting;
  expect(restarts).toBe(RESTARTS);
  return hash.digest('hex');
}

/** An echo on the host behind the server. */
function serveEcho(host: TunDialer): void {
  host.listen({ port: 7 }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
}

async function echoes(socket: TunSocket, text: string): Promise<void> {
  const heard = once(socket, 'data');
  socket.write(text);
  expect(`${(await heard)[0]}`).toBe(text);
}

function errorOf(socket: TunSocket): Promise<Error> {
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.resume();
  });
}

describe.each(TRANSPORTS)('a transfer over %s', (protocol) => {
  test('outlives twenty restarts of the server, download', { timeout: 120_000 }, async () => {
    await using site = await RestartingSite.open({ protocol });
    site.host.listen({ port: 80 }, (socket) => void writePieces(socket));
    const dialer = await site.dialer();
    const ups: unknown[] = [];
    dialer.client.on('up', (info) => ups.push(info));
    const socket = await dialer.dial('tcp', `${HOST}:80`);
    expect(await hashWithRestarts(socket, () => site.restart())).toBe(hashOfPieces());
    expect(ups.length).toBeGreaterThanOrEqual(RESTARTS - 1);
    expect(dialer.client.stats.bytesIn).toBeGreaterThan(PIECES * PIECE_BYTES);
  });

  test('outlives twenty restarts of the server, upload', { timeout: 120_000 }, async () => {
    await using site = await RestartingSite.open({ protocol });
    const accepted = new Promise<TunSocket>((resolve) => site.host.listen({ port: 80 }, resolve));
    const dialer = await site.dialer();
    const socket = await dialer.dial('tcp', `${HOST}:80`);
    const written = writePieces(socket);
    const hash = hashWithRestarts(await accepted, () => site.restart());
    await written;
    expect(await hash).toBe(hashOfPieces());
  });
});

describe('a tunnel that is lost', () => {
  test('tells: reconnecting with the reason and the pause, then up, with the newest info', async () => {
    await using site = await RestartingSite.open();
    const client = await site.connected();
    const told: string[] = [];
    const events: ReconnectingEvent[] = [];
    client.on('reconnecting', (event) => events.push(event));
    for (const name of ['up', 'connect', 'ready', 'down', 'reconnecting'] as const) {
      client.on(name, () => told.push(`${name} ${client.state} ${client.readyState}`));
    }
    const up = once(client, 'up');
    await site.restart({ tunMtu: 1400 });
    const [info] = await up;
    expect(client.info).toBe(info);
    expect(client.info.mtu).toBe(1400);
    expect(told).toEqual(['reconnecting reconnecting opening', 'up up open']);
    expect(events).toEqual([
      {
        error: expect.objectContaining({ code: 'OVPN_PEER_RESTART' }),
        delayMs: RETRY_MS,
        attempt: 1,
      },
    ]);
    expect(Object.isFrozen(events[0])).toBe(true);
  });

  test('with another address: sockets end at once and say why, new ones go on', async () => {
    await using site = await RestartingSite.open();
    serveEcho(site.host);
    const dialer = await site.dialer();
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    await echoes(socket, 'before');
    const server = dialer.listen({ port: 9 });
    const failed = errorOf(socket);
    await site.restart({ subnet: '10.8.0.0/16' });
    const first = site.client();
    await first.start();
    await once(dialer.client, 'up');
    expect(dialer.info.ipv4?.address).not.toBe('10.8.0.2');
    expect(await failed).toMatchObject({
      code: 'ENETRESET',
      cause: { code: 'OVPN_ADDRESS_CHANGED' },
    });
    await echoes(await dialer.dial('tcp', `${HOST}:7`), 'after');
    expect(server.listening).toBe(true);
  });

  test('without persist-tun: sockets end with the session, listeners and new sockets go on', async () => {
    await using site = await RestartingSite.open();
    serveEcho(site.host);
    const dialer = await site.dialer({ persistTun: false });
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    const udp = dialer.createSocket('udp4').bind(0);
    await once(udp, 'listening');
    const server = dialer.listen({ port: 9 });
    const failed = errorOf(socket);
    const udpFailed = once(udp, 'error');
    await site.stop();
    expect(await failed).toMatchObject({ code: 'ENETRESET', cause: { code: 'OVPN_PEER_RESTART' } });
    expect((await udpFailed)[0]).toMatchObject({ cause: { code: 'OVPN_PEER_RESTART' } });
    const next = dialer.dial('tcp', `${HOST}:7`);
    await site.start();
    await echoes(await next, 'after');
    expect(server.listening).toBe(true);
  });

  test('waits: a dial begun in the gap comes through, packets written to the Duplex too', async () => {
    await using site = await RestartingSite.open();
    serveEcho(site.host);
    const dialer = await site.dialer();
    await site.stop();
    await once(dialer.client, 'reconnecting');
    const socket = dialer.dial('tcp', `${HOST}:7`);
    await sleep(3 * RETRY_MS);
    await site.start();
    await echoes(await socket, 'hello');
    expect(await pingOnce(dialer, HOST)).toBeGreaterThan(0);
  });

  test('without a word: ping-restart finds out, and a transfer goes on', async () => {
    await using site = await RestartingSite.open({
      server: { keepalive: { pingMs: 100, pingRestartMs: 0 } },
    });
    serveEcho(site.host);
    const pipes: CuttablePipe[] = [];
    const transport = async ({ host, port }: Remote): Promise<CuttablePipe> => {
      const pipe = await openPipe(host, port);
      pipes.push(pipe);
      return pipe;
    };
    // The first try may meet the server that is going away.
    const dialer = await site.dialer({ pingRestartMs: 600, handWindowMs: 1_000 }, { transport });
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    for (let count = 1; count <= 3; count += 1) {
      const lost = once(dialer.client, 'reconnecting');
      pipes.at(-1)?.cut();
      const echoed = echoes(socket, `number ${count}`);
      await site.restart();
      const [{ error }] = await lost;
      expect(error).toMatchObject({ code: 'OVPN_PING_TIMEOUT', phase: 'ping-restart' });
      await echoed;
    }
    expect(pipes.length).toBeGreaterThanOrEqual(4);
    expect(pipes.filter(({ closed }) => !closed)).toEqual([pipes.at(-1)]);
  });

  test('keeps the Duplex open: packets that were written in the gap go out', async () => {
    await using site = await RestartingSite.open();
    const client = await site.connected();
    const heard: number[] = [];
    client.on('data', (packet) => heard.push(icmpOf(packet).sequence));
    const request = (sequence: number) =>
      echoRequest(client.info.ipv4?.address ?? '', HOST, sequence);
    client.write(request(1));
    await expect.poll(() => heard).toEqual([1]);
    await site.stop();
    await once(client, 'reconnecting');
    for (const sequence of [2, 3, 4]) client.write(request(sequence));
    await site.start();
    await expect.poll(() => heard).toEqual([1, 2, 3, 4]);
    expect(client.stats).toMatchObject({ packetsIn: 4, packetsOut: 4 });
  });

  test('gives up after connect-retry-max rounds, with the last error', async () => {
    await using site = await RestartingSite.open({ protocol: 'tcp' });
    const client = await site.connected({ connectRetryMax: 3 });
    const attempts: number[] = [];
    const errors: unknown[] = [];
    client.on('reconnecting', ({ attempt }) => attempts.push(attempt));
    client.on('error', (error) => errors.push(error));
    await site.stop();
    const error = await client.ended;
    expect(error).toMatchObject({ code: 'OVPN_UNREACHABLE' });
    expect(attempts).toEqual([1, 2, 3]);
    await client.close();
    expect(errors).toEqual([error]);
    await site.start();
  });
});

describe('keepTrying', () => {
  test('start() waits for a server that comes later', async () => {
    await using site = await RestartingSite.open({ protocol: 'tcp' });
    await site.stop();
    const client = site.client({}, { keepTrying: true });
    const pauses: number[] = [];
    client.on('reconnecting', ({ attempt, delayMs }) => pauses.push(attempt, delayMs));
    const started = client.start();
    await once(client, 'reconnecting');
    await once(client, 'reconnecting');
    await site.start();
    expect((await started).ipv4?.address).toBe('10.8.0.2');
    expect(pauses.slice(0, 4)).toEqual([1, RETRY_MS, 2, RETRY_MS]);
  });

  test('start() rejects after connect-retry-max rounds', async () => {
    await using site = await RestartingSite.open({ protocol: 'tcp' });
    await site.stop();
    const client = site.client({ connectRetryMax: 2 }, { keepTrying: true });
    await expect(client.start()).rejects.toMatchObject({ code: 'OVPN_UNREACHABLE' });
    expect(client.state).toBe('down');
    await site.start();
  });
});

describe('suspend and wake', () => {
  test('sockets sleep, and go on at once', async () => {
    await using site = await RestartingSite.open({ server: ONE_ADDRESS });
    serveEcho(site.host);
    const dialer = await site.dialer();
    const { client } = dialer;
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    const left = once(site.server, 'disconnect');
    await client.suspend();
    await client.suspend();
    await left;
    expect(client.state).toBe('suspended');
    socket.write('while away');
    const heard = once(socket, 'data');
    await sleep(50);
    client.reconnect();
    expect(client.state).toBe('suspended');
    client.wake();
    expect(`${(await heard)[0]}`).toBe('while away');
    expect(client.state).toBe('up');
  });

  test('wake() right after suspend() comes back, and elsewhere does nothing', async () => {
    await using site = await RestartingSite.open();
    const client = await site.connected();
    client.wake();
    expect(client.state).toBe('up');
    const up = once(client, 'up');
    void client.suspend();
    client.wake();
    await up;
    expect(client.state).toBe('up');
  });

  test('in the middle of a reconnect', async () => {
    await using site = await RestartingSite.open();
    const client = await site.connected();
    await site.stop();
    await once(client, 'reconnecting');
    await client.suspend();
    while (client.state !== 'suspended') await sleep(1);
    await site.start();
    await sleep(5 * RETRY_MS);
    expect(site.server.peers).toEqual([]);
    client.wake();
    await once(client, 'up');
  });

  test('are refused before up and after the end', async () => {
    await using site = await RestartingSite.open();
    const client = site.client();
    expect(() => client.suspend()).toThrow('it is idle');
    expect(() => client.reconnect()).toThrow('it is idle');
    await client.start();
    await client.close();
    expect(() => client.suspend()).toThrow('it is down');
    expect(() => client.reconnect()).toThrow('it is down');
  });
});

describe('reconnect()', () => {
  test('takes another link at once; sockets live on', async () => {
    await using site = await RestartingSite.open({ server: ONE_ADDRESS });
    serveEcho(site.host);
    const dialer = await site.dialer();
    const { client } = dialer;
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    const { localPort } = client;
    const events: ReconnectingEvent[] = [];
    client.on('reconnecting', (event) => events.push(event));
    const up = once(client, 'up');
    client.reconnect();
    await up;
    expect(client.localPort).not.toBe(localPort);
    expect(events).toEqual([{ error: undefined, delayMs: 0, attempt: 1 }]);
    await echoes(socket, 'still here');
  });

  test('skips the rest of a pause', async () => {
    await using site = await RestartingSite.open();
    const client = await site.connected({ connectRetry: { firstMs: 3_600_000, maxMs: 3_600_000 } });
    const lost = once(client, 'reconnecting');
    await site.restart();
    await lost;
    const up = once(client, 'up');
    client.reconnect();
    await up;
  });
});

describe('close()', () => {
  // biome-ignore format: a table, one row a line
  test.each<{ name: string; protocol: 'udp' | 'tcp'; at: (client: VpnClient, site: RestartingSite) => Promise<unknown> }>([
    { name: 'in a pause',                 protocol: 'udp', at: async (client, site) => { await site.stop(); await once(client, 'reconnecting'); } },
    { name: 'while resolving again',      protocol: 'udp', at: async (client, site) => { await site.stop(); await entered(client, 'resolving'); } },
    { name: 'while connecting again',     protocol: 'tcp', at: async (client, site) => { await site.stop(); await entered(client, 'connecting'); } },
    { name: 'while negotiating again',    protocol: 'udp', at: async (client, site) => { const state = entered(client, 'negotiating'); await site.restart(); await state; } },
    { name: 'when it is up again',        protocol: 'udp', at: async (client, site) => { const state = entered(client, 'up'); await site.restart(); await state; } },
    { name: 'while it is suspended',      protocol: 'udp', at: (client) => client.suspend() },
    { name: 'while it suspends',          protocol: 'udp', at: async (client) => { void client.suspend(); } },
    { name: 'after reconnect()',          protocol: 'tcp', at: async (client) => client.reconnect() },
  ])('$name leaves nothing behind', async ({ protocol, at }) => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await RestartingSite.open({ protocol });
      const dialer = await site.dialer();
      const { client } = dialer;
      const socket = dialer.connect(1, HOST);
      socket.on('error', () => {});
      await at(client, site);
      await dialer.close();
      expect(client.state).toBe('down');
      expect(await client.ended).toBeUndefined();
      expect(socket.destroyed).toBe(true);
    }
    expect(await resourcesSince(before)).toEqual([]);
  });
});

function entered(client: VpnClient, wanted: string): Promise<void> {
  return new Promise((resolve) => {
    client.on('state', ({ state }) => {
      if (state === wanted) resolve();
    });
  });
}

test('a hundred reconnects leave no handle and no memory', { timeout: 120_000 }, async () => {
  const before = process.getActiveResourcesInfo();
  {
    await using site = await RestartingSite.open({ server: ONE_ADDRESS });
    serveEcho(site.host);
    const dialer = await site.dialer();
    const socket = await dialer.dial('tcp', `${HOST}:7`);
    const { client } = dialer;
    const one = process.getActiveResourcesInfo();
    const heaps: number[] = [];
    for (let count = 1; count <= 100; count += 1) {
      const up = once(client, 'up');
      client.reconnect();
      await up;
      if (count % 50 === 0) heaps.push(await heapBytes());
    }
    const [early = 0, late = 0] = heaps;
    // A session left behind for each of the last fifty would be megabytes.
    expect(late - early).toBeLessThan(1_000_000);
    await echoes(socket, 'after all');
    expect(await resourcesSince(one)).toEqual([]);
    expect(client.listenerCount('close')).toBeLessThanOrEqual(1);
    expect(client.stats.packetsIn).toBeGreaterThan(0);
  }
  expect(await resourcesSince(before)).toEqual([]);
});
