import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Remote } from '../../src/model/profile.ts';
import {
  type LinkCandidate,
  type LinkCandidatesOptions,
  type LinkSettings,
  linkCandidates,
} from '../../src/vpnclient/open-link.ts';
import { ProxySignIn } from '../../src/vpnclient/proxy-sign-in.ts';
import { honestHttpProxy, Listener, proxyAt, SocksProxy, user } from '../networkio/fake-proxy.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

function kept<T extends { close(): unknown }>(open: T): T {
  closing.push(open);
  return open;
}

const SETTINGS: LinkSettings = {
  proxy: undefined,
  local: undefined,
  remoteRandomHostname: false,
  resolvRetryMs: 0,
  serverPollTimeoutMs: 10_000,
};

function remote(
  host: string,
  port: number,
  protocol: 'udp' | 'tcp',
  family: 0 | 4 | 6 = 0,
): Remote {
  return { host, port, protocol, family };
}

function candidates(
  to: Remote,
  settings: Partial<LinkSettings> = {},
  options: Partial<LinkCandidatesOptions> = {},
): Promise<readonly LinkCandidate[]> {
  return linkCandidates(to, {
    settings: { ...SETTINGS, ...settings },
    signal: new AbortController().signal,
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    ...options,
  });
}

async function opened(candidate: LinkCandidate | undefined, signal = new AbortController().signal) {
  if (candidate === undefined) throw new Error('no candidate');
  return kept(await candidate.open(signal));
}

async function tcpServer(): Promise<Listener> {
  return kept(await Listener.open((socket) => void socket.resume()));
}

const twoAddresses = async () => [
  { address: '2001:db8::1', family: 6 },
  { address: '192.0.2.1', family: 4 },
];

describe('linkCandidates', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'all addresses of a name, in order',  protocol: 'udp', family: 0, proxy: undefined,            names: ['udp 2001:db8::1 port 1194', 'udp 192.0.2.1 port 1194'] },
    { name: 'of one family where that is asked',  protocol: 'tcp', family: 4, proxy: undefined,            names: ['tcp 192.0.2.1 port 1194'] },
    { name: 'a name as it is to an HTTP proxy',   protocol: 'tcp', family: 0, proxy: 'http' as const,      names: ['tcp vpn.example port 1194 by HTTP proxy p port 1'] },
    { name: 'and to a SOCKS5 proxy for TCP',      protocol: 'tcp', family: 0, proxy: 'socks5' as const,    names: ['tcp vpn.example port 1194 by SOCKS5 proxy p port 1'] },
    { name: 'addresses to it for UDP',            protocol: 'udp', family: 0, proxy: 'socks5' as const,    names: ['udp 2001:db8::1 port 1194 by SOCKS5 proxy p port 1', 'udp 192.0.2.1 port 1194 by SOCKS5 proxy p port 1'] },
  ] as const)('$name', async ({ protocol, family, proxy: kind, names }) => {
    const proxy = kind && proxyAt({ host: 'p', port: 1 }, { kind });
    const found = await candidates(remote('vpn.example', 1194, protocol, family), { proxy }, { lookup: twoAddresses });
    expect(found.map(({ name }) => name)).toEqual(names);
  });

  test('an HTTP proxy for UDP is refused', async () => {
    const proxy = proxyAt({ host: 'p', port: 1 }, { kind: 'http' });
    await expect(candidates(remote('h', 1, 'udp'), { proxy })).rejects.toMatchObject({
      code: 'OVPN_PROXY_FAILED',
    });
  });

  test('remote-random-hostname: a label of twelve digits, new every time, not before an address', async () => {
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return [{ address: '192.0.2.1', family: 4 }];
    };
    const random = new SeededRandom(1);
    for (let tries = 0; tries < 2; tries += 1) {
      await candidates(
        remote('vpn.example', 1, 'udp'),
        { remoteRandomHostname: true },
        { lookup, random },
      );
    }
    await candidates(
      remote('192.0.2.1', 1, 'udp'),
      { remoteRandomHostname: true },
      { lookup, random },
    );
    expect(asked).toEqual([
      expect.stringMatching(/^[0-9a-f]{12}\.vpn\.example$/),
      expect.stringMatching(/^[0-9a-f]{12}\.vpn\.example$/),
    ]);
    expect(asked[0]).not.toBe(asked[1]);
    const proxy = proxyAt({ host: 'p', port: 1 }, { kind: 'http' });
    const [by] = await candidates(
      remote('vpn.example', 1, 'tcp'),
      { remoteRandomHostname: true, proxy },
      { random },
    );
    expect(by?.name).toMatch(/^tcp [0-9a-f]{12}\.vpn\.example port 1 by/);
  });

  test('resolv-retry: a resolver that cannot answer now is asked every 5 s, for so long', async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const lookup = async () => {
      at.push(clock.now());
      throw Object.assign(new Error('again'), { code: 'EAI_AGAIN' });
    };
    let error: unknown;
    candidates(
      remote('vpn.example', 1, 'udp'),
      { resolvRetryMs: 12_000, serverPollTimeoutMs: 60_000 },
      { lookup, clock },
    ).catch((thrown: unknown) => {
      error = thrown;
    });
    for (let turns = 0; turns < 10; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.step();
    }
    expect(at).toEqual([0, 5_000, 10_000]);
    expect(error).toMatchObject({ code: 'OVPN_NAME_NOT_FOUND', cause: { code: 'EAI_AGAIN' } });
  });

  test('a name that is none is not asked for again', async () => {
    const lookup = vi.fn(async () => {
      throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
    });
    const failed = candidates(
      remote('vpn.example', 1, 'udp'),
      { resolvRetryMs: Number.POSITIVE_INFINITY },
      { lookup },
    );
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_NAME_NOT_FOUND' });
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test('aborting ends the pause between two look-ups', async () => {
    const controller = new AbortController();
    const clock = new VirtualClock();
    const lookup = vi.fn(async () => {
      throw Object.assign(new Error('again'), { code: 'EAI_AGAIN' });
    });
    const failed = candidates(
      remote('vpn.example', 1, 'udp'),
      { resolvRetryMs: 60_000, serverPollTimeoutMs: 60_000 },
      { lookup, clock, signal: controller.signal },
    );
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort('enough');
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'enough' });
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('open', () => {
  test('goes through the proxy every time', async () => {
    const server = await tcpServer();
    const http = kept(await honestHttpProxy());
    const socks = kept(await SocksProxy.open());
    const to = remote('127.0.0.1', server.port, 'tcp');
    const [byHttp] = await candidates(to, { proxy: proxyAt(http, { kind: 'http' }) });
    const [bySocks] = await candidates(to, { proxy: proxyAt(socks, { kind: 'socks5' }) });
    for (let connects = 1; connects <= 3; connects += 1) {
      await (await opened(byHttp)).close();
      await (await opened(bySocks)).close();
      expect([http.asked.length, socks.asked.length]).toEqual([connects, connects]);
    }
  });

  test('binds to the local end, of either protocol', async () => {
    const server = await tcpServer();
    const free = createSocket('udp4').bind(0, '127.0.0.2');
    await once(free, 'listening');
    const { port } = free.address();
    free.close();
    const local = { address: '127.0.0.2', port };
    for (const protocol of ['udp', 'tcp'] as const) {
      const [candidate] = await candidates(remote('127.0.0.1', server.port, protocol), { local });
      const link = await opened(candidate);
      expect([link.localAddress, link.localPort]).toEqual(['127.0.0.2', port]);
    }
  });

  test('binds to an address of a name, or to a port alone', async () => {
    const server = await tcpServer();
    const lookup = async () => [{ address: '127.0.0.3', family: 4 }];
    const named = await candidates(
      remote('127.0.0.1', server.port, 'tcp'),
      { local: { address: 'me.example', port: 0 } },
      { lookup },
    );
    expect((await opened(named[0])).localAddress).toBe('127.0.0.3');
    const free = createSocket('udp4').bind(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address();
    free.close();
    for (const protocol of ['udp', 'tcp'] as const) {
      const [any] = await candidates(remote('127.0.0.1', server.port, protocol), {
        local: { address: undefined, port },
      });
      expect((await opened(any)).localPort).toBe(port);
    }
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'of the other family', address: '::1',       message: /expected an IPv4 address of this machine/ },
    { name: 'of another machine',  address: '192.0.2.1', message: /local address 192\.0\.2\.1 cannot be had \(EADDRNOTAVAIL\)/ },
  ])('a local address $name is OVPN_UNREACHABLE', async ({ address, message }) => {
    for (const protocol of ['udp', 'tcp'] as const) {
      const [candidate] = await candidates(remote('127.0.0.1', 9, protocol), { local: { address, port: 0 } });
      await expect(opened(candidate)).rejects.toMatchObject({
        code: 'OVPN_UNREACHABLE',
        message: expect.stringMatching(message),
      });
    }
  });

  test('a local port that is taken is OVPN_UNREACHABLE', async () => {
    const taken = kept(createSocket('udp4').bind(0, '127.0.0.1'));
    await once(taken, 'listening');
    const { port } = taken.address();
    const [candidate] = await candidates(remote('127.0.0.1', 9, 'udp'), {
      local: { address: '127.0.0.1', port },
    });
    await expect(opened(candidate)).rejects.toMatchObject({
      code: 'OVPN_UNREACHABLE',
      message: `local address 127.0.0.1 port ${port} cannot be had (EADDRINUSE)`,
    });
  });

  test('a silent proxy has server-poll-timeout, and no longer', async () => {
    const silent = kept(await Listener.open((socket) => void socket.resume()));
    const clock = new VirtualClock();
    const to = remote('192.0.2.1', 443, 'tcp');
    for (const kind of ['http', 'socks5'] as const) {
      const [candidate] = await candidates(to, { proxy: proxyAt(silent, { kind }) }, { clock });
      const failed = opened(candidate);
      failed.catch(() => {});
      await expect.poll(() => silent.sockets.size).toBe(1);
      clock.advance(9_999);
      expect(silent.sockets.size).toBe(1);
      clock.advance(1);
      await expect(failed).rejects.toMatchObject({
        name: 'OvpnTimeoutError',
        code: 'OVPN_PROXY_FAILED',
        retryable: true,
        timeoutMs: 10_000,
        message: expect.stringMatching(/led nowhere within 10 s$/),
      });
      await expect.poll(() => silent.sockets.size).toBe(0);
    }
  });

  test('the time stands still while the user is asked', async () => {
    const server = await tcpServer();
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const clock = new VirtualClock();
    let asked = 0;
    const userPassword = async () => {
      asked += 1;
      clock.advance(1_000_000);
      return user('u', 'p');
    };
    const proxies = new ProxySignIn({ hasCallback: true, userPassword });
    const to = remote('127.0.0.1', server.port, 'tcp');
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic' });
    const [candidate] = await candidates(to, { proxy }, { clock, proxies });
    await opened(candidate);
    await opened(candidate);
    expect([asked, socks.asked.length]).toEqual([1, 2]);
    expect(clock.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('what the proxy refuses is asked for again', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const userPassword = vi.fn(async () => user('u', 'wrong'));
    const proxies = new ProxySignIn({ hasCallback: true, userPassword });
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic' });
    const [candidate] = await candidates(remote('127.0.0.1', 9, 'tcp'), { proxy }, { proxies });
    for (let tries = 1; tries <= 2; tries += 1) {
      await expect(opened(candidate)).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH' });
      expect(userPassword).toHaveBeenCalledTimes(tries);
    }
  });

  test('no proxy hears the fixed credentials, which are for the server', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const userPassword = vi.fn(async () => user('u', 'p'));
    const proxies = new ProxySignIn({ hasCallback: false, userPassword });
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic' });
    const [candidate] = await candidates(remote('127.0.0.1', 9, 'tcp'), { proxy }, { proxies });
    await expect(opened(candidate)).rejects.toMatchObject({
      code: 'OVPN_PROXY_AUTH',
      message: expect.stringMatching(/give `credentials` as a function/),
    });
    expect(userPassword).not.toHaveBeenCalled();
  });

  test('aborting while the user is asked ends it', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const controller = new AbortController();
    let heard: AbortSignal | undefined;
    const proxies = new ProxySignIn({
      hasCallback: true,
      userPassword: (_asked, { signal }) => {
        heard = signal;
        return new Promise((_resolve, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic' });
    const [candidate] = await candidates(remote('127.0.0.1', 9, 'tcp'), { proxy }, { proxies });
    const failed = opened(candidate, controller.signal);
    failed.catch(() => {});
    await expect.poll(() => heard).toBeDefined();
    controller.abort('enough');
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'enough' });
    await expect.poll(() => socks.listener?.sockets.size).toBe(0);
  });

  test('the transport of the caller takes the place of all of it', async () => {
    const pipe = createSocket('udp4');
    const transport = vi.fn(() => pipe);
    const [candidate] = await candidates(remote('no.invalid', 1, 'udp'), {}, { transport });
    const link = await opened(candidate);
    expect([link.protocol, link.remoteAddress]).toEqual(['udp', 'no.invalid']);
    expect(transport).toHaveBeenCalledTimes(1);
  });
});
