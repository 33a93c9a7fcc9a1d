import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { TunDialer } from '../../src/dialer/tun-dialer.ts';
import { EventLog } from './event-log.ts';
import { SCENARIOS, type Scenario, type SocketChoices } from './socket-scenarios.ts';
import { SERVER, tunnelPair } from './tunnel-pair.ts';

/** Where a scenario runs. */
interface Place {
  /** Listens; gives the port. */
  listen(options: SocketChoices, serve: (socket: Socket) => void): Promise<number>;
  connect(port: number, options: SocketChoices & { signal: AbortSignal }): Socket;
}

const LATER_MS = 10;

/** The host's loopback. */
async function onHost<T>(use: (place: Place) => Promise<T>): Promise<T> {
  await using server = net.createServer();
  return await use({
    async listen(options, serve) {
      Object.assign(server, options);
      server.on('connection', serve).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    },
    connect: (port, options) => net.connect({ host: '127.0.0.1', port, ...options }),
  });
}

/** Two ends of a tunnel. */
async function inTunnel<T>(use: (place: Place) => Promise<T>): Promise<T> {
  await using pair = tunnelPair();
  const { client, server }: { client: TunDialer; server: TunDialer } = pair;
  return await use({
    async listen(options, serve) {
      const listening = server.listen({ port: 80, ...options }, serve);
      await once(listening, 'listening');
      return 80;
    },
    connect: (port, options) => client.connect({ host: SERVER, port, ...options }),
  });
}

async function run(scenario: Scenario, place: Place): Promise<Record<string, string[]>> {
  const { serve, serverOptions = {}, clientOptions = {}, compareServer = true } = scenario;
  const [client, server] = [new EventLog(), new EventLog()];
  const abort = new AbortController();
  let peer: Socket | undefined;
  let served = () => {};
  const serverClosed = new Promise<void>((resolve) => {
    served = resolve;
  });
  let port = 1;
  if (serve !== undefined) {
    port = await place.listen(serverOptions, (socket) => {
      peer = socket.once('close', served);
      server.watch(socket);
      serve(socket, server, abort);
    });
  }
  const socket = place.connect(port, { ...clientOptions, signal: abort.signal });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  client.watch(socket);
  scenario.client(socket, client, abort);
  await closed;
  if (serve !== undefined && compareServer) await serverClosed;
  await sleep(LATER_MS);
  peer?.destroy();
  return compareServer ? { client: client.lines, server: server.lines } : { client: client.lines };
}

describe('TunSocket', () => {
  test.each(SCENARIOS)('tells the same as net.Socket: $name', async (scenario) => {
    const wanted = await onHost((place) => run(scenario, place));
    expect(await inTunnel((place) => run(scenario, place))).toEqual(wanted);
  });
});
