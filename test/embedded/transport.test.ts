import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { Remote } from '../../src/model/profile.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { resourcesSince } from './resources.ts';
import { pingOnce, Site, startError } from './site.ts';
import { type CuttablePipe, openPipe } from './udp-pipe.ts';

async function openStream({ host, port }: Remote): Promise<Socket> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  return socket;
}

/** A Duplex that is no socket, over one that is. */
function wrapped(socket: Socket): Duplex {
  return Duplex.from({ readable: socket, writable: socket });
}

describe('the transport option', () => {
  test('takes a datagram pipe, which is closed with the client', async () => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await Site.open();
      site.serverDialer();
      const pipes: CuttablePipe[] = [];
      const client = site.client(
        {},
        {
          transport: async ({ host, port }) => {
            const pipe = await openPipe(host, port);
            pipes.push(pipe);
            return pipe;
          },
        },
      );
      const states: string[] = [];
      client.on('state', ({ state }) => states.push(state));
      await client.start();
      expect(await pingOnce(TunDialer.over(client), '10.8.0.1')).toBeGreaterThan(0);
      expect(client).toMatchObject({ remoteAddress: '127.0.0.1', localAddress: '' });
      expect(states).not.toContain('resolving');
      await client.close();
      expect(pipes.map(({ closed }) => closed)).toEqual([true]);
    }
    expect(await resourcesSince(before)).toEqual([]);
  });

  test.each([
    { name: 'a socket', asStream: (socket: Socket): Duplex => socket },
    { name: 'a Duplex that is no socket', asStream: wrapped },
  ])('takes $name, which carries 16-bit frames', async ({ asStream }) => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await Site.open({ protocol: 'tcp' });
      site.serverDialer();
      const transport = async (remote: Remote) => asStream(await openStream(remote));
      const dialer = await site.dialer({}, { transport });
      expect(await pingOnce(dialer, '10.8.0.1')).toBeGreaterThan(0);
      expect(dialer.info).toMatchObject({ protocol: 'tcp' });
    }
    expect(await resourcesSince(before)).toEqual([]);
  });

  test('is asked once for every remote that is tried, with that remote', async () => {
    await using site = await Site.open();
    const { port } = site.server.address();
    const asked: string[] = [];
    const client = site.client(
      { port: 9, lines: ['remote two.invalid 1000', `remote 127.0.0.1 ${port} udp`] },
      {
        transport: (remote) => {
          asked.push(`${remote.host} ${remote.port} ${remote.protocol}`);
          if (remote.port !== port) throw new Error('the far end of the proxy is down');
          return openPipe(remote.host, remote.port);
        },
      },
    );
    await client.start();
    expect(asked).toEqual(['127.0.0.1 9 udp', 'two.invalid 1000 udp', `127.0.0.1 ${port} udp`]);
  });

  test('that throws: OVPN_UNREACHABLE with what it threw', async () => {
    await using site = await Site.open();
    const cause = new Error('the proxy refused');
    const client = site.client({}, { transport: () => Promise.reject(cause) });
    expect(await startError(client)).toMatchObject({ code: 'OVPN_UNREACHABLE', cause });
  });

  test('that gives nothing useful is the caller’s mistake', async () => {
    await using site = await Site.open();
    const transport = (() => 'a string') as unknown as () => CuttablePipe;
    const client = site.client({}, { transport });
    expect(await startError(client)).toMatchObject({ code: 'OVPN_USAGE' });
  });

  test('that never comes back ends with connectTimeoutMs, and its late pipe is closed', async () => {
    await using site = await Site.open();
    const { port } = site.server.address();
    const pipe = await openPipe('127.0.0.1', port);
    let answer: (pipe: CuttablePipe) => void = () => {};
    let seen: AbortSignal | undefined;
    const client = site.client(
      {},
      {
        connectTimeoutMs: 50,
        transport: (_remote, { signal }) => {
          seen = signal;
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
      },
    );
    expect(await startError(client)).toMatchObject({
      code: 'OVPN_DIAL_TIMEOUT',
      phase: 'connecting',
      timeoutMs: 50,
    });
    expect(seen?.aborted).toBe(true);
    answer(pipe);
    await expect.poll(() => pipe.closed).toBe(true);
  });

  test('that is slow ends with an abort', async () => {
    await using site = await Site.open();
    const stop = new AbortController();
    const reason = new Error('enough');
    const client = new VpnClient({
      profile: site.profile(),
      transport: () => new Promise(() => {}),
    });
    client.on('state', ({ state }) => state === 'connecting' && stop.abort(reason));
    await expect(client.start({ signal: stop.signal })).rejects.toMatchObject({
      code: 'OVPN_ABORTED',
      cause: reason,
    });
    await client.close();
  });

  test('a stream that ends during the handshake: OVPN_LINK_CLOSED', async () => {
    await using site = await Site.open({ protocol: 'tcp' });
    const client = site.client(
      {},
      {
        transport: async (remote) => {
          const socket = await openStream(remote);
          setTimeout(() => socket.end(), 5);
          socket.cork();
          return socket;
        },
      },
    );
    expect(await startError(client)).toMatchObject({ code: 'OVPN_LINK_CLOSED', retryable: true });
  });
});
