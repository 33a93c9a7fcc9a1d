import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import { pingOnce, Site } from './site.ts';
import { type CuttablePipe, openPipe } from './udp-pipe.ts';

/** A client whose way to the server can be cut. */
async function cuttable(
  site: Site,
  lines: readonly string[] = [],
): Promise<{ client: Awaited<ReturnType<Site['connected']>>; pipe: CuttablePipe }> {
  const pipe = await openPipe('127.0.0.1', site.server.address().port);
  const client = await site.connected({ lines }, { transport: () => pipe, reconnect: false });
  return { client, pipe };
}

describe('keepalive', () => {
  test('a client that vanishes is dropped by the server, and its address is free', async () => {
    await using site = await Site.open({
      server: { keepalive: { pingMs: 100, pingRestartMs: 300 }, subnet: '10.9.0.0/30' },
    });
    const gone = once(site.server, 'disconnect');
    const { pipe } = await cuttable(site, ['pull-filter ignore ping']);
    pipe.cut();
    const [{ peer, error }] = await gone;
    expect(error).toMatchObject({ code: 'OVPN_PING_TIMEOUT', phase: 'ping-restart' });
    expect(site.server.peers).toEqual([]);
    const next = await site.connected();
    expect(next.info.ipv4?.address).toBe(peer.ipv4);
  });

  test('a server that vanishes is given up by the client after ping-restart', async () => {
    await using site = await Site.open({
      server: { keepalive: { pingMs: 1000, pingRestartMs: 2000 } },
    });
    const { client, pipe } = await cuttable(site);
    const startedAt = performance.now();
    pipe.cut();
    expect(await client.ended).toMatchObject({
      code: 'OVPN_PING_TIMEOUT',
      phase: 'ping-restart',
      timeoutMs: 2000,
      retryable: true,
    });
    expect(performance.now() - startedAt).toBeGreaterThan(1_900);
  });

  test('pings alone keep an idle tunnel, on both sides', async () => {
    await using site = await Site.open({
      server: { keepalive: { pingMs: 200, pingRestartMs: 1200 } },
    });
    const serverDialer = site.serverDialer();
    const client = await site.connected();
    const dialer = TunDialer.over(client);
    await new Promise((resolve) => setTimeout(resolve, 2_600));
    expect(client.state).toBe('up');
    expect(client.stats.packetsIn).toBe(0);
    expect(await pingOnce(dialer, '10.8.0.1')).toBeGreaterThan(0);
    expect(await pingOnce(serverDialer, client.info.ipv4?.address ?? '')).toBeGreaterThan(0);
  });
});

describe('explicit exit', () => {
  test('over the control channel: the server knows at once', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    const gone = once(site.server, 'disconnect');
    const startedAt = performance.now();
    await client.close();
    expect(await gone).toMatchObject([{ error: undefined }]);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  test('over TCP: the end of the connection says it', async () => {
    await using site = await Site.open({ protocol: 'tcp' });
    const client = await site.connected();
    const gone = once(site.server, 'disconnect');
    await client.close();
    expect(await gone).toMatchObject([{ error: undefined }]);
  });

  test('nobody answers: close() takes a second, no more', async () => {
    await using site = await Site.open();
    const { client, pipe } = await cuttable(site);
    pipe.cut();
    const startedAt = performance.now();
    await client.close();
    const elapsedMs = performance.now() - startedAt;
    expect(elapsedMs).toBeGreaterThan(900);
    expect(elapsedMs).toBeLessThan(1_900);
    expect(await client.ended).toBeUndefined();
  });
});
