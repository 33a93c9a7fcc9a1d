import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { resourcesSince } from './resources.ts';
import { Site, startError } from './site.ts';

/** A UDP port on which somebody listens and never answers. */
async function silentPort(): Promise<{ port: number; close(): void }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}

/** A TCP port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('several remotes', () => {
  test('the last one works: refused, silent and unknown ones before it are passed over', async () => {
    await using site = await Site.open();
    const silent = await silentPort();
    const dead = await deadPort();
    const log: string[] = [];
    const { port } = site.server.address();
    const client = site.client(
      {
        port: dead,
        lines: [
          `remote 127.0.0.1 ${dead} tcp`,
          'remote nobody.invalid 1194 udp',
          `remote 127.0.0.1 ${silent.port} udp`,
          `remote 127.0.0.1 ${port} udp`,
          'server-poll-timeout 1',
        ],
      },
      { logger: (level, _layer, text) => level === 'warn' && log.push(text) },
    );
    const states: string[] = [];
    client.on('state', ({ state, negotiation }) => {
      if (state !== 'negotiating' || negotiation === 'S_PRE_START') states.push(state);
    });
    const info = await client.start();
    silent.close();
    expect(info.remotePort).toBe(port);
    expect(log).toEqual([
      expect.stringMatching(/trying the next: udp .* no way there \(ECONNREFUSED\)/),
      expect.stringMatching(/trying the next: tcp .* no way there \(ECONNREFUSED\)/),
      expect.stringMatching(/trying the next: nobody\.invalid: no address found/),
      expect.stringMatching(/trying the next: expected an answer to the hard reset within 1 s/),
    ]);
    expect(states).toEqual([
      ...['resolving', 'connecting', 'negotiating'],
      ...['resolving', 'connecting'],
      'resolving',
      ...['resolving', 'connecting', 'negotiating'],
      ...['resolving', 'connecting', 'negotiating', 'up'],
    ]);
  });

  test('none works: the error of the last, told once', async () => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await Site.open();
      const dead = await deadPort();
      const log: string[] = [];
      const client = site.client(
        { port: dead, lines: ['remote nobody.invalid 1194'] },
        { logger: (_level, _layer, text) => log.push(text) },
      );
      expect(await startError(client)).toMatchObject({ code: 'OVPN_NAME_NOT_FOUND' });
      expect(log).toHaveLength(1);
    }
    expect(await resourcesSince(before)).toEqual([]);
  });

  test('a refusal that no other remote can mend ends it at once', async () => {
    await using site = await Site.open();
    const { port } = site.server.address();
    const lines = [`remote 127.0.0.1 ${port} udp`, 'verify-x509-name other name'];
    const client = site.client({ lines });
    const connecting: string[] = [];
    client.on('state', ({ state }) => state === 'connecting' && connecting.push(state));
    expect(await startError(client)).toMatchObject({ code: 'OVPN_CERT_NAME' });
    expect(connecting).toHaveLength(1);
  });

  test('connectTimeoutMs is for all of them together', async () => {
    await using site = await Site.open({ wrap: 'none' });
    const silent = await silentPort();
    const lines = [
      `remote 127.0.0.1 ${silent.port} udp`,
      `remote 127.0.0.1 ${site.server.address().port} udp`,
    ];
    const client = site.client({ port: silent.port, lines }, { connectTimeoutMs: 200 });
    const startedAt = performance.now();
    expect(await startError(client)).toMatchObject({
      code: 'OVPN_SERVER_SILENT',
      timeoutMs: 200,
      phase: 'hard reset',
    });
    silent.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('remote-random tries them in the order of chance', async () => {
    await using site = await Site.open();
    const hosts = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
    const orders = new Set<string>();
    for (let round = 0; round < 12; round += 1) {
      const asked: string[] = [];
      const client = site.client(
        { port: 9, lines: [...hosts.map((host) => `remote ${host} 9`), 'remote-random'] },
        {
          transport: ({ host }) => {
            asked.push(host);
            throw new Error('not today');
          },
        },
      );
      await startError(client);
      expect(asked.toSorted()).toEqual(['127.0.0.1', ...hosts]);
      orders.add(asked.join());
    }
    expect(orders.size).toBeGreaterThan(3);
  });
});

describe('a name with several addresses', () => {
  test('is tried address by address', async () => {
    await using site = await Site.open();
    const { port } = site.server.address();
    const client = site.client({ port: 9, lines: [`remote localhost ${port} udp`] });
    const info = await client.start();
    expect(info.remoteAddress).toBe('127.0.0.1');
  });
});
