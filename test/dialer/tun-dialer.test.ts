import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import { TunSocket } from '../../src/dialer/tun-socket.ts';
import { TunUdpSocket } from '../../src/dialer/tun-udp-socket.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { a, dnsServer, response } from './dns-server.ts';
import {
  type PairOptions,
  SERVER,
  SERVER6,
  settled,
  type TunnelPair,
  tunnelPair,
} from './tunnel-pair.ts';

/** Nobody is there. */
const SILENT = '10.8.0.99';

function virtual(options: PairOptions = {}): { clock: VirtualClock; pair: TunnelPair } {
  const clock = new VirtualClock();
  return { clock, pair: tunnelPair({ clock, ...options }) };
}

describe('dial', () => {
  test('gives a connected TunSocket or TunUdpSocket', async () => {
    const { clock, pair } = virtual();
    pair.server.listen({ port: 80 });
    for (const network of ['tcp', 'tcp4'] as const) {
      const socket = await settled(pair.client.dial(network, `${SERVER}:80`), clock);
      expect(socket).toBeInstanceOf(TunSocket);
      expect(socket.readyState).toBe('open');
      expect(socket.listenerCount('error')).toBe(0);
    }
    const six = await settled(pair.client.dial('tcp6', `[${SERVER6}]:80`), clock);
    expect(six.remoteFamily).toBe('IPv6');
    const udp = await settled(pair.client.dial('udp', `[${SERVER6}]:53`), clock);
    expect(udp).toBeInstanceOf(TunUdpSocket);
    expect(udp.remoteAddress()).toEqual({ address: SERVER6, family: 'IPv6', port: 53 });
  });

  test('keeps to the family that is asked for', async () => {
    const { clock, pair } = virtual();
    await expect(settled(pair.client.dial('tcp4', `[${SERVER6}]:80`), clock)).rejects.toMatchObject(
      {
        code: 'ENETUNREACH',
        message: expect.stringContaining('there is no IPv4 address'),
      },
    );
  });

  test.each([
    { network: 'tcp', target: 'no-port' },
    { network: 'tcp', target: '10.8.0.1:0' },
    { network: 'tcp', target: '10.8.0.1:65536' },
    { network: 'tcp', target: 'fd00::1:80' },
    { network: 'tcp', target: ':80' },
    { network: 'unix', target: '10.8.0.1:80' },
  ])('refuses $network $target', async ({ network, target }) => {
    const { pair } = virtual();
    await expect(pair.client.dial(network as 'tcp', target)).rejects.toMatchObject({
      code: 'OVPN_USAGE',
    });
  });

  test.each([
    { phase: 'before it begins', target: `${SERVER}:80`, afterMs: undefined },
    { phase: 'while the name is looked up', target: 'silent.test:80', afterMs: 100 },
    { phase: 'while it connects', target: `${SILENT}:80`, afterMs: 100 },
  ])('ends with OVPN_ABORTED $phase, and leaves nothing behind', async ({ target, afterMs }) => {
    for (const network of ['tcp', 'udp'] as const) {
      const { clock, pair } = virtual({ client: { dnsServers: [SILENT] } });
      const abort = new AbortController();
      const reason = new Error('enough');
      if (afterMs === undefined) abort.abort(reason);
      else clock.setTimer(afterMs, () => abort.abort(reason));
      // UDP has no handshake: it is connected as soon as it is addressed.
      if (network === 'udp' && target.startsWith(SILENT)) continue;
      const dialling = pair.client.dial(network as 'tcp', target, { signal: abort.signal });
      await expect(settled(dialling, clock)).rejects.toMatchObject({
        code: 'OVPN_ABORTED',
        cause: reason,
      });
      expect(clock.now()).toBe(afterMs ?? 0);
      await settled(pair.client.close(), clock);
      await settled(pair.server.close(), clock);
      expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test('ends with OVPN_DIAL_TIMEOUT in its time', async () => {
    const { clock, pair } = virtual();
    const dialling = pair.client.dial('tcp', `${SILENT}:80`, { timeoutMs: 1500 });
    await expect(settled(dialling, clock)).rejects.toMatchObject({
      code: 'OVPN_DIAL_TIMEOUT',
      timeoutMs: 1500,
    });
    expect(clock.now()).toBe(1500);
  });

  test('ends with ETIMEDOUT when TCP gives up', async () => {
    const { clock, pair } = virtual();
    await expect(settled(pair.client.dial('tcp', `${SILENT}:80`), clock)).rejects.toMatchObject({
      code: 'ETIMEDOUT',
      message: `connect ETIMEDOUT ${SILENT}:80`,
    });
  });
});

describe('names', () => {
  const both = (pair: TunnelPair, six: string) =>
    dnsServer(pair.server, (asked) => {
      const { name, type } = asked.question;
      const aaaa = { type: 'AAAA' as const, class: 'IN' as const, name, ttl: 60, data: six };
      return [response(asked, { answers: [type === 'A' ? a(name, SERVER) : aaaa] })];
    });

  test('connect to IPv6 first', async () => {
    const { clock, pair } = virtual();
    both(pair, SERVER6);
    pair.server.listen({ port: 80 });
    const socket = pair.client.connect({ host: 'both.test', port: 80 });
    const lookups: unknown[] = [];
    socket.on('lookup', (...args) => lookups.push(args));
    await settled(once(socket, 'connect'), clock);
    expect(socket.remoteAddress).toBe(SERVER6);
    expect(lookups).toEqual([
      [null, SERVER6, 6, 'both.test'],
      [null, SERVER, 4, 'both.test'],
    ]);
    expect(socket.autoSelectFamilyAttemptedAddresses).toEqual([`${SERVER6}:80`]);
  });

  test('connect to IPv4 250 ms later when IPv6 is silent', async () => {
    const { clock, pair } = virtual();
    both(pair, 'fd00:8::99');
    pair.server.listen({ port: 80 });
    const socket = pair.client.connect({ host: 'both.test', port: 80 });
    socket.on('connectionAttemptFailed', () => expect.fail('the loser did not fail'));
    await settled(once(socket, 'connect'), clock);
    expect(socket.remoteAddress).toBe(SERVER);
    expect(clock.now()).toBe(250);
    expect(pair.client.stats.tcpFlows).toBe(1);
  });

  test('connect to IPv4 at once when IPv6 is refused', async () => {
    const { clock, pair } = virtual();
    both(pair, SERVER6);
    pair.server.listen({ port: 80, host: SERVER });
    const socket = pair.client.connect({ host: 'both.test', port: 80 });
    const failed: unknown[] = [];
    socket.on('connectionAttemptFailed', (...args) => failed.push(args));
    await settled(once(socket, 'connect'), clock);
    expect(clock.now()).toBe(0);
    expect(failed).toEqual([[SERVER6, 80, 6, expect.objectContaining({ code: 'ECONNREFUSED' })]]);
  });

  test('that are refused everywhere give an AggregateError with the code', async () => {
    const { clock, pair } = virtual();
    both(pair, SERVER6);
    await expect(settled(pair.client.dial('tcp', 'both.test:80'), clock)).rejects.toMatchObject({
      name: 'AggregateError',
      code: 'ECONNREFUSED',
      errors: [{ address: SERVER6 }, { address: SERVER }],
    });
  });

  test('that are not found tell `lookup` and fail', async () => {
    const { clock, pair } = virtual();
    dnsServer(pair.server, (asked) => [response(asked, { flags: 3 })]);
    const socket = pair.client.connect({ host: 'missing.test', port: 80 });
    const lookup = once(socket, 'lookup').catch(() => {});
    const failed = once(socket, 'error');
    expect((await settled(failed, clock))[0]).toMatchObject({
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: 'missing.test',
    });
    await lookup;
  });

  test('are looked up one or all', async () => {
    const { clock, pair } = virtual();
    both(pair, SERVER6);
    const { client } = pair;
    expect(await settled(client.lookup('both.test'), clock)).toEqual({
      address: SERVER6,
      family: 6,
    });
    expect(await settled(client.lookup('both.test', { family: 4 }), clock)).toMatchObject({
      family: 4,
    });
    expect(await settled(client.lookup('both.test', { all: true }), clock)).toHaveLength(2);
  });
});

describe('fetch', () => {
  test('never leaves the tunnel, whatever dispatcher is left undefined', async () => {
    const { clock, pair } = virtual();
    const init = {};
    Reflect.set(init, 'dispatcher', undefined);
    const fetching = pair.client.fetch('http://127.0.0.1:59999/', init);
    await expect(settled(fetching, clock)).rejects.toMatchObject({
      cause: { name: 'Error', syscall: 'connect', code: 'ECONNREFUSED' },
    });
    expect(pair.client.stats.packetsOut).toBeGreaterThan(0);
  });
});

describe('TunDialer', () => {
  test('claims the packets of its end', () => {
    const { pair } = virtual();
    expect(() => TunDialer.over(pair.client.client)).toThrow('claimed already');
  });

  test('refuses a DNS server that is none, and passes over one that was pushed', () => {
    const [client] = [{ dnsServers: ['dns.example.com'] }];
    expect(() => tunnelPair({ client })).toThrow('expected the address of a DNS server');
    const { client: dialer } = tunnelPair({ info: { dnsServers: ['nonsense', '10.8.0.5'] } });
    expect(dialer.resolver.getServers()).toEqual(['10.8.0.5:53']);
  });

  test('keeps the segments within the mssfix of the tunnel', async () => {
    const clock = new VirtualClock();
    const pair = tunnelPair({ clock, info: { mss: 1000 } });
    pair.server.listen({ port: 80 });
    const four = await settled(pair.client.dial('tcp', `${SERVER}:80`), clock);
    const six = await settled(pair.client.dial('tcp', `[${SERVER6}]:80`), clock);
    expect(four.tcpInfo()?.mss).toBeLessThanOrEqual(1000);
    expect(six.tcpInfo()?.mss).toBe((four.tcpInfo()?.mss ?? 0) - 20);
  });

  test('close ends everything, once, and leaves nothing behind', async () => {
    const { clock, pair } = virtual();
    const peers: TunSocket[] = [];
    const ends: string[] = [];
    pair.server.listen({ port: 80 }, (socket) => {
      peers.push(socket);
      socket.resume().on('end', () => ends.push('end'));
    });
    const open = await settled(pair.client.dial('tcp', `${SERVER}:80`), clock);
    const idle = open.setTimeout(60_000);
    const opening = pair.client.connect({ host: SILENT, port: 80 });
    const udp = pair.client.createSocket('udp4').bind();
    const server = pair.client.listen({ port: 81 });
    const pinging = pair.client.ping(SILENT).next();
    await turn();
    const closes = [idle, opening, udp, server].map((each) => once(each, 'close').catch((e) => e));
    const failed = once(opening, 'error');
    const closing = pair.client.close();
    expect(pair.client.close()).toBe(closing);
    await settled(closing, clock);
    expect((await settled(failed, clock))[0]).toMatchObject({ code: 'ECONNABORTED' });
    await settled(Promise.all(closes), clock);
    expect(await settled(pinging, clock)).toMatchObject({ done: true });
    expect(ends).toEqual(['end']);
    expect(open.destroyed && opening.destroyed).toBe(true);
    await expect(pair.client.dial('tcp', `${SERVER}:80`)).rejects.toMatchObject({
      code: 'ENETDOWN',
    });
    await settled(pair.server.close(), clock);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(clock.busy).toBe(false);
  });

  test('tells its sockets why when its end is closed below it', async () => {
    const { clock, pair } = virtual();
    pair.server.listen({ port: 80 });
    const socket = await settled(pair.client.dial('tcp', `${SERVER}:80`), clock);
    const failed = once(socket, 'error');
    await pair.client.client.close();
    expect((await settled(failed, clock))[0]).toMatchObject({
      code: 'ENETRESET',
      cause: { code: 'OVPN_CLOSED' },
    });
  });

  test('ends what is accepted and what is opening with the cause of the tunnel', async () => {
    const { clock, pair } = virtual({ client: { dnsServers: [SILENT] } });
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    const accepted: Promise<unknown>[] = [];
    pair.server.listen({ port: 80 }, (socket) => accepted.push(once(socket, 'error')));
    const socket = await settled(pair.client.dial('tcp', `${SERVER}:80`), clock);
    socket.on('error', () => {});
    const opening = pair.server.dial('tcp', `${SILENT}:80`);
    const looking = pair.client.dial('tcp', 'name.test:80');
    clock.setTimer(clock.now() + 10, () => {
      pair.server.client.fail(cause);
      pair.client.client.fail(cause);
    });
    const [one, other] = await settled(Promise.allSettled([opening, looking]), clock);
    expect(one).toMatchObject({ reason: { code: 'ENETRESET', cause } });
    expect(other).toMatchObject({ reason: { code: 'ENETRESET', cause } });
    expect(await settled(Promise.all(accepted), clock)).toMatchObject([
      [{ code: 'ENETRESET', cause }],
    ]);
  });
});
