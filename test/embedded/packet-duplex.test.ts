import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { ECHO_REPLY, echoRequest, icmpOf } from './icmp-echo.ts';
import { pingOnce, Site } from './site.ts';

const SERVER = '10.8.0.1';

function request(client: VpnClient, sequence: number): Buffer {
  return echoRequest(client.info.ipv4?.address ?? '', SERVER, sequence);
}

describe.each(['udp', 'tcp'] as const)(
  'VpnClient as a Duplex of IP packets over %s',
  (protocol) => {
    test('carries an ICMP echo and its reply', async () => {
      await using site = await Site.open({ protocol });
      site.serverDialer();
      const client = await site.connected();
      client.write(request(client, 7));
      const [reply] = (await once(client, 'data')) as [Buffer];
      expect(icmpOf(reply)).toEqual({ type: ECHO_REPLY, from: SERVER, sequence: 7 });
      expect(client).toMatchObject({ bytesRead: reply.length, bytesWritten: reply.length });
      expect(client.stats).toMatchObject({ packetsIn: 1, packetsOut: 1, overflows: 0 });
    });

    test('keeps order and loses nothing for a reader that keeps up', async () => {
      await using site = await Site.open({ protocol });
      site.serverDialer();
      const client = await site.connected();
      const sequences: number[] = [];
      client.on('data', (packet) => sequences.push(icmpOf(packet).sequence));
      for (let first = 1; first <= 200; first += 20) {
        for (let sequence = first; sequence < first + 20; sequence += 1) {
          client.write(request(client, sequence));
        }
        await expect.poll(() => sequences.length).toBe(first + 19);
      }
      expect(sequences).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    });
  },
);

describe('writing', () => {
  test('shows back-pressure, and drain when there is room again', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const client = await site.connected();
    const packet = request(client, 1);
    let written = 0;
    let hasRoom = true;
    while (hasRoom && written < 10_000) {
      hasRoom = client.write(Buffer.from(packet));
      written += 1;
    }
    expect(hasRoom).toBe(false);
    await once(client, 'drain');
    await expect.poll(() => client.stats.packetsOut).toBe(written);
  });

  test('before the tunnel is up waits for it', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const client = site.client();
    const replies: Buffer[] = [];
    client.on('data', (packet) => replies.push(packet));
    client.write(echoRequest('10.8.0.2', SERVER, 3));
    await client.start();
    await expect.poll(() => replies.length).toBe(1);
  });

  test('that is never possible fails when the client is closed', async () => {
    await using site = await Site.open();
    const client = site.client();
    const failure = new Promise((resolve) => client.write(Buffer.alloc(20), resolve));
    await client.close();
    expect(await failure).toBeInstanceOf(Error);
  });

  test('refuses what is no Buffer, and nothing else happens', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    for (const chunk of ['no packet', 7, { length: 20 }, null]) {
      expect(() => client.write(chunk as unknown as Buffer)).toThrow(OvpnUsageError);
    }
    expect(client.state).toBe('up');
  });

  test('drops and counts what is no IP packet, or longer than the mtu', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const client = await site.connected();
    client.write(Buffer.alloc(20));
    client.write(Buffer.alloc(1501, 0x45));
    client.write(request(client, 9));
    const [reply] = (await once(client, 'data')) as [Buffer];
    expect(icmpOf(reply).sequence).toBe(9);
    expect(client.stats.packetsOut).toBe(1);
  });
});

describe('reading', () => {
  test('drops and counts what the reader does not fetch, and the tunnel stays alive', async () => {
    await using site = await Site.open({ server: { renegSecMs: 0 } });
    const server = site.serverDialer();
    const client = await site.connected();
    client.read();
    const target = client.info.ipv4?.address ?? '';
    const socket = server.createSocket({ type: 'udp4' });
    for (let sent = 0; sent < 600; sent += 100) {
      for (let index = 0; index < 100; index += 1) socket.send('to a deaf reader', 9, target);
      await sleep(10);
    }
    await expect.poll(() => client.stats.overflows).toBeGreaterThan(100);
    expect(client.readableLength).toBeLessThanOrEqual(256);
    const rekeyed = once(client, 'rekey');
    client.renegotiate();
    await rekeyed;

    client.on('data', () => {});
    const seen = client.stats.overflows;
    await expect.poll(() => client.readableLength).toBe(0);
    socket.send('heard again', 9, target);
    const [packet] = (await once(client, 'data')) as [Buffer];
    expect(packet.toString('latin1')).toContain('heard again');
    expect(client.stats.overflows).toBe(seen);
  });

  test('by for await ends with close()', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const client = await site.connected();
    client.write(request(client, 1));
    const read: number[] = [];
    for await (const packet of client) {
      read.push(icmpOf(packet).sequence);
      void client.close();
    }
    expect(read).toEqual([1]);
    await client.close();
  });

  test('by for await throws when the tunnel fails', async () => {
    await using site = await Site.open();
    const client = await site.connected({}, { reconnect: false });
    const read = async () => {
      for await (const packet of client) icmpOf(packet);
    };
    const outcome = expect(read()).rejects.toMatchObject({ code: 'OVPN_PEER_RESTART' });
    await site.server.close();
    await outcome;
  });
});

describe('a dialer and a reader', () => {
  test('do not share packets: reading and writing are refused while a dialer is attached', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const dialer = await site.dialer();
    const { client } = dialer;
    for (const use of [
      () => client.read(),
      () => client.resume(),
      () => client.on('data', () => {}),
      () => client.pipe(client),
      () => client.write(Buffer.alloc(20)),
      () => client[Symbol.asyncIterator](),
    ]) {
      expect(use).toThrow(OvpnUsageError);
    }
    expect(await pingOnce(dialer, SERVER)).toBeGreaterThan(0);
  });

  test('a dialer is refused where somebody reads', async () => {
    await using site = await Site.open();
    const client = await site.connected();
    client.on('data', () => {});
    await sleep(0);
    expect(() => TunDialer.over(client)).toThrow(OvpnUsageError);
  });

  test('a dialer is refused before the tunnel is up, and a second one at all', async () => {
    await using site = await Site.open();
    const client = site.client();
    expect(() => TunDialer.over(client)).toThrow(OvpnUsageError);
    await client.start();
    TunDialer.over(client);
    expect(() => TunDialer.over(client)).toThrow(OvpnUsageError);
  });
});

describe('setTimeout', () => {
  test('emits timeout once after silence, and again after the next', async () => {
    await using site = await Site.open();
    site.serverDialer();
    const client = await site.connected();
    client.on('data', () => {});
    let timeouts = 0;
    client.setTimeout(30, () => {
      timeouts += 1;
    });
    client.on('timeout', () => {
      timeouts += 10;
    });
    await expect.poll(() => timeouts).toBe(11);
    await sleep(60);
    expect(timeouts).toBe(11);
    client.write(request(client, 1));
    await expect.poll(() => timeouts).toBe(21);
    client.setTimeout(0);
    client.write(request(client, 2));
    await sleep(60);
    expect(timeouts).toBe(21);
  });
});
