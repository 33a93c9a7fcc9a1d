import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { TunnelInfo } from '../../src/model/tunnel-info.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { Site } from './site.ts';

const PAGE = new SeededRandom(7).bytes(2 * 1024 * 1024);
const PAGE_SHA256 = createHash('sha256').update(PAGE).digest('hex');

/** Pushes `options` to the only client; gives what it tells of it. */
async function updated(
  site: Site,
  client: VpnClient,
  options: readonly string[],
): Promise<TunnelInfo> {
  const told = once(client, 'updated');
  expect(site.server.pushUpdate(onlyPeer(site), options)).toBe(true);
  const [info] = await told;
  return info as TunnelInfo;
}

function onlyPeer({ server }: Site): number {
  const [peer] = server.peers;
  if (peer === undefined) throw new Error('no client');
  return peer.peerId;
}

/** Reads a page, and calls `meanwhile` once a part of it is there. */
async function readPage(
  dialer: TunDialer<VpnClient>,
  meanwhile: () => Promise<unknown>,
): Promise<string> {
  const socket = await dialer.dial('tcp', '10.8.0.1:80');
  const hash = createHash('sha256');
  let other: Promise<unknown> | undefined;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    hash.update(chunk);
    other ??= meanwhile();
  }
  await other;
  return hash.digest('hex');
}

describe('PUSH_UPDATE while a transfer runs', () => {
  test.each(['udp', 'tcp'] as const)(
    'over %s the transfer goes on, and the tunnel is another one',
    async (protocol) => {
      await using site = await Site.open({
        protocol,
        server: { pushes: ['route 10.1.0.0 255.255.0.0', 'dhcp-option DNS 10.8.0.1'] },
      });
      site.serverDialer().listen({ port: 80 }, (socket) => socket.end(PAGE));
      const dialer = await site.dialer();
      const { client } = dialer;
      expect(dialer.resolver.getServers()).toEqual(['10.8.0.1:53']);
      const hash = await readPage(dialer, () =>
        updated(site, client, [
          'tun-mtu 1280',
          'route 10.2.0.0 255.255.0.0',
          '-dhcp-option',
          'dns server 1 address 10.8.0.9:5353',
          'dns search-domains inside.example',
          '?future option',
          'keepalive 7 70',
        ]),
      );
      expect(hash).toBe(PAGE_SHA256);
      expect(dialer.info).toBe(client.info);
      expect(dialer.info).toMatchObject({
        mtu: 1280,
        ipv4: { address: '10.8.0.2', prefixLength: 24 },
        routes: [{ address: '10.2.0.0', prefixLength: 16 }],
        searchDomains: ['inside.example'],
      });
      expect(client.tun.mtu).toBe(1280);
      expect(dialer.resolver.getServers()).toEqual(['10.8.0.9:5353']);
      expect(await readPage(dialer, async () => {})).toBe(PAGE_SHA256);
    },
  );

  test('uploads follow a smaller MTU too', async () => {
    await using site = await Site.open();
    const arrived = new Promise<string>((resolve) => {
      site.serverDialer().listen({ port: 80 }, async (socket) => {
        const hash = createHash('sha256');
        for await (const chunk of socket as AsyncIterable<Buffer>) hash.update(chunk);
        resolve(hash.digest('hex'));
      });
    });
    const dialer = await site.dialer();
    const socket = await dialer.dial('tcp', '10.8.0.1:80');
    socket.write(PAGE.subarray(0, 1_000_000));
    await updated(site, dialer.client, ['tun-mtu 600']);
    socket.end(PAGE.subarray(1_000_000));
    expect(await arrived).toBe(PAGE_SHA256);
  });

  test('routes decide what is dialled from then on', async () => {
    await using site = await Site.open({ server: { pushes: ['redirect-gateway def1'] } });
    const dialer = TunDialer.over(await site.connected(), { routing: 'pushed' });
    const refused = { code: 'ENETUNREACH' };
    const dial = () => dialer.dial('tcp', '9.9.9.9:80', { timeoutMs: 200 });
    await expect(dial()).rejects.toMatchObject({ code: 'OVPN_DIAL_TIMEOUT' });
    await updated(site, dialer.client, ['-redirect-gateway']);
    await expect(dial()).rejects.toMatchObject(refused);
    await updated(site, dialer.client, ['route 9.9.9.0 255.255.255.0']);
    await expect(dial()).rejects.toMatchObject({ code: 'OVPN_DIAL_TIMEOUT' });
  });

  test('sockets end with an address that went away; new ones have the new address', async () => {
    await using site = await Site.open();
    const far = site.serverDialer();
    far.listen({ port: 80 }, (socket) => {
      socket.on('error', () => {});
      socket.write(`you are ${socket.remoteAddress}`);
    });
    const echo = far.createSocket('udp4').bind(7);
    echo.on('message', (payload, { port, address }) => echo.send(payload, port, address));
    const dialer = await site.dialer();
    const socket = await dialer.dial('tcp', '10.8.0.1:80');
    const connected = await dialer.dial('udp', '10.8.0.1:7');
    const free = dialer.createSocket('udp4').bind(5000);
    const everywhere = dialer.listen({ port: 81 });
    const bound = dialer.listen({ port: 82, host: '10.8.0.2' });
    await Promise.all([once(free, 'listening'), once(bound, 'listening')]);
    const gone = [socket, connected, bound].map((one) => once(one, 'error'));
    const info = await updated(site, dialer.client, ['ifconfig 10.8.0.77 255.255.255.0']);
    expect(info.ipv4).toEqual({ address: '10.8.0.77', prefixLength: 24 });
    for (const [error] of await Promise.all(gone)) {
      expect(error).toMatchObject({
        code: 'ENETRESET',
        cause: { code: 'OVPN_ADDRESS_CHANGED', retryable: true },
      });
    }
    const [text] = await once(await dialer.dial('tcp', '10.8.0.1:80'), 'data');
    expect(`${text}`).toBe('you are 10.8.0.77');
    free.send('hello', 7, '10.8.0.1');
    expect(`${(await once(free, 'message'))[0]}`).toBe('hello');
    expect(free.address()).toMatchObject({ address: '10.8.0.77', port: 5000 });
    expect(everywhere.listening).toBe(true);
    const back = once(everywhere, 'connection');
    await far.dial('tcp', '10.8.0.77:81');
    await back;
  });

  test('what cannot change while the session lasts ends it, and the next one begins', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    const lost = once(client, 'reconnecting');
    const back = once(client, 'up');
    expect(site.server.pushUpdate(onlyPeer(site), ['cipher AES-128-GCM'])).toBe(true);
    const [{ error }] = await lost;
    expect(error).toMatchObject({ code: 'OVPN_PUSH_INVALID', retryable: true });
    await back;
  });

  test('a client that has not announced it is not told', async () => {
    await using site = await Site.open();
    const ivProto = CLIENT_IV_PROTO & ~IvProto.PUSH_UPDATE;
    await site.connected({}, { ivProto });
    expect(site.server.pushUpdate(onlyPeer(site), ['tun-mtu 1400'])).toBe(false);
    expect(site.server.pushUpdate(77, ['tun-mtu 1400'])).toBe(false);
    expect(() => site.server.pushUpdate(0, ['a,b'])).toThrow(/without a comma/);
  });
});

describe('client-nat', () => {
  test('both ends have their own view of the addresses', async () => {
    await using site = await Site.open({
      server: {
        pushes: [
          'client-nat snat 192.168.7.0 255.255.255.0 10.8.0.0',
          'client-nat dnat 172.16.5.0 255.255.255.0 10.8.0.0',
          'ifconfig 192.168.7.2 255.255.255.0',
        ],
      },
    });
    const far = site.serverDialer();
    far.listen({ port: 80 }, (socket) => socket.end(`you are ${socket.remoteAddress}`));
    const dialer = await site.dialer();
    expect(dialer.info.ipv4?.address).toBe('192.168.7.2');
    const [text] = await once(await dialer.dial('tcp', '172.16.5.1:80'), 'data');
    expect(`${text}`).toBe('you are 10.8.0.2');
    const { value: reply } = await dialer.ping('172.16.5.1', { count: 1 }).next();
    expect(reply).toMatchObject({ from: '172.16.5.1' });
    await expect(dialer.dial('tcp', '172.16.5.1:81')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });
});

describe('echo', () => {
  test('is told, before the tunnel is up', async () => {
    await using site = await Site.open({ server: { pushes: ['echo hello%2C there'] } });
    const client = site.client();
    const told: string[] = [];
    client.on('echo', ({ text }) => told.push(text));
    await client.start();
    expect(told).toEqual(['hello, there']);
  });
});
