import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Remote } from '../../src/model/profile.ts';
import { resourcesSince } from './resources.ts';
import { RestartingSite } from './restarting-site.ts';

/** A remote where nobody ever answers. */
async function silentRemote(): Promise<{ remote: Remote; close(): void }> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const remote = { host: '127.0.0.1', port, protocol: 'udp', family: 0 } as const;
  return { remote, close: () => socket.close() };
}

test('race: silent remotes do not hold up the one that works, and it is the one that stays', async () => {
  const before = process.getActiveResourcesInfo();
  const [first, second] = [await silentRemote(), await silentRemote()];
  {
    await using site = await RestartingSite.open({ server: { subnet: '10.8.0.0/30' } });
    const { remotes } = site.profile();
    const client = await site.connected(
      { remotes: [first.remote, second.remote, ...remotes] },
      { race: { delayMs: 20 } },
    );
    expect(client.info.remotePort).toBe(remotes[0]?.port);
    expect(client.remotePort).toBe(remotes[0]?.port);
    expect(client.stats.linkBytesIn).toBeGreaterThan(0);
    const up = once(client, 'up');
    const states: string[] = [];
    client.on('state', ({ state }) => states.push(state));
    await site.restart();
    await up;
    expect(client.remotePort).toBe(remotes[0]?.port);
    expect(states.filter((state) => state === 'connecting').length).toBeLessThanOrEqual(5);
  }
  first.close();
  second.close();
  expect(await resourcesSince(before)).toEqual([]);
});

test('race: when nobody answers, the error tells of all', async () => {
  await using site = await RestartingSite.open({ protocol: 'tcp' });
  await site.stop();
  const { remotes } = site.profile();
  const client = site.client({ remotes: [...remotes, ...remotes] }, { race: true });
  await expect(client.start()).rejects.toMatchObject({ code: 'OVPN_UNREACHABLE' });
  await site.start();
});

test('race: with keepTrying it goes on after a round, one remote after the other', async () => {
  await using site = await RestartingSite.open({ protocol: 'tcp' });
  await site.stop();
  const { remotes } = site.profile();
  const options = { race: true, keepTrying: true } as const;
  const client = site.client({ remotes: [...remotes, ...remotes] }, options);
  const started = client.start();
  await once(client, 'reconnecting');
  await site.start();
  expect((await started).remotePort).toBe(remotes[0]?.port);
});
