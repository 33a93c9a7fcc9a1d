import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { RestartingSite } from './restarting-site.ts';
import { pingOnce } from './site.ts';

describe('a session that has had its time', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'inactive of the profile',        push: [],                    profile: { inactive: { ms: 300, bytes: 0 } }, code: 'OVPN_INACTIVE' },
    { name: 'inactive that was pushed',       push: ['inactive 1'],        profile: {},                                  code: 'OVPN_INACTIVE' },
    { name: 'session-timeout of the profile', push: [],                    profile: { sessionTimeoutMs: 300 },           code: 'OVPN_SESSION_TIMEOUT' },
    { name: 'session-timeout that was pushed', push: ['session-timeout 1'], profile: { sessionTimeoutMs: 90_000 },       code: 'OVPN_SESSION_TIMEOUT' },
  ])('$name: the client leaves in order, and does not come back', async ({ push, profile, code }) => {
    const keepalive = { pingMs: 50, pingRestartMs: 60_000 };
    await using site = await RestartingSite.open({ server: { pushes: push, keepalive } });
    const client = await site.connected({ ...profile, pingMs: 50 });
    const left = once(site.server, 'disconnect');
    expect(await client.ended).toMatchObject({ code, retryable: false });
    expect((await left)[0]).toMatchObject({ error: undefined });
    expect(client.state).toBe('down');
  });

  test('pings inside the tunnel are data, and keep it', async () => {
    await using site = await RestartingSite.open();
    const dialer = await site.dialer({ inactive: { ms: 400, bytes: 50 } });
    for (let count = 0; count < 8; count += 1) {
      await pingOnce(dialer, '10.8.0.1');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(dialer.client.state).toBe('up');
  });
});
