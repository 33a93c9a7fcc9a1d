import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { OuterProxy } from '../../src/model/profile.ts';
import { DatagramLink } from '../../src/networkio/datagram-link.ts';
import type { Link, LinkAddresses } from '../../src/networkio/link.ts';
import {
  linkByProxy,
  type ProxyLinkOptions,
  type ProxyRoute,
} from '../../src/networkio/proxy-link.ts';
import { StreamLink } from '../../src/networkio/stream-link.ts';
import { linkContract } from '../contract/link.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import {
  datagramHeader,
  honestHttpProxy,
  Listener,
  proxyAt,
  SocksProxy,
  user,
} from './fake-proxy.ts';
import { RecordingPort } from './recording-port.ts';

const closing: { close(): unknown }[] = [];
afterEach(async () => {
  for (const open of closing.splice(0).reverse()) await open.close();
});

function kept<T extends { close(): unknown }>(open: T): T {
  closing.push(open);
  return open;
}

async function through(
  proxy: OuterProxy,
  target: { host: string; port: number; protocol: 'udp' | 'tcp' },
  options: Partial<ProxyLinkOptions> = {},
): Promise<Link> {
  const route: ProxyRoute = { family: 0, ...target };
  return kept(await linkByProxy(proxy, route, { random: new SeededRandom(1), ...options }));
}

async function udpSocket(host: string): Promise<UdpSocket> {
  const socket = createSocket(host === '::1' ? 'udp6' : 'udp4').bind(0, host);
  await once(socket, 'listening');
  return socket;
}

/** A TCP server that takes one connection. */
async function tcpServer(host: string) {
  let taken = (_socket: Socket) => {};
  const accepted = new Promise<Socket>((resolve) => {
    taken = resolve;
  });
  return { listener: await Listener.open((socket) => taken(socket), host), accepted };
}

/** The far end of `near`, as if nothing lay between. */
function farOf({ localAddress, localPort, remoteAddress, remotePort }: Link): LinkAddresses {
  return {
    localAddress: remoteAddress,
    localPort: remotePort,
    remoteAddress: localAddress,
    remotePort: localPort,
  };
}

for (const host of ['127.0.0.1', '::1']) {
  linkContract(`TCP by an HTTP proxy at ${host}`, async () => {
    const { listener, accepted } = await tcpServer(host);
    const http = await honestHttpProxy(undefined, host);
    const target = { host, port: listener.port, protocol: 'tcp' } as const;
    const near = await through(proxyAt(http, { kind: 'http' }), target);
    const far = new StreamLink(await accepted, { addresses: farOf(near) });
    const stop = async () => {
      await http.close();
      await listener.close();
    };
    return { near, far, stop };
  });

  linkContract(`TCP by a SOCKS5 proxy at ${host}`, async () => {
    const { listener, accepted } = await tcpServer(host);
    const socks = await SocksProxy.open({}, host);
    const target = { host, port: listener.port, protocol: 'tcp' } as const;
    const near = await through(proxyAt(socks, { kind: 'socks5' }), target);
    const far = new StreamLink(await accepted, { addresses: farOf(near) });
    const stop = async () => {
      await socks.close();
      await listener.close();
    };
    return { near, far, stop };
  });

  linkContract(`UDP by a SOCKS5 proxy at ${host}`, async () => {
    const socks = await SocksProxy.open({}, host);
    const socket = await udpSocket(host);
    const { port } = socket.address();
    const near = await through(proxyAt(socks, { kind: 'socks5' }), { host, port, protocol: 'udp' });
    const outside = socks.relays[1]?.address().port ?? 0;
    await new Promise<void>((resolve) => socket.connect(outside, host, resolve));
    // The relay learns where its client is by the first datagram.
    near.send(Buffer.from('first'));
    await once(socket, 'message');
    const far = new DatagramLink(socket, { addresses: farOf(near) });
    return { near, far, stop: () => socks.close() };
  });
}

describe('SOCKS5', () => {
  test('is given a name as it is, and a user only where there is one', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const { listener } = await tcpServer('127.0.0.1');
    kept(listener);
    const target = { host: 'localhost', port: listener.port, protocol: 'tcp' } as const;
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic', credentials: user('u', 'p') });
    const link = await through(proxy, target);
    expect(link.remoteAddress).toBe('localhost');
    expect(socks.asked).toMatchObject([
      {
        methods: [0, 2],
        signIn: 'u:p',
        command: 1,
        type: 3,
        host: 'localhost',
        port: listener.port,
      },
    ]);
    await expect(through(proxyAt(socks, { kind: 'socks5' }), target)).rejects.toMatchObject({
      code: 'OVPN_PROXY_AUTH',
      message: expect.stringMatching(/wants to know who we are/),
    });
  });

  test('a password that is refused is OVPN_PROXY_AUTH, and is not told', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const credentials = user('canary', 'canary');
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic', credentials });
    const failed = through(proxy, { host: 'h', port: 1, protocol: 'tcp' });
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH', retryable: false });
    expect(String(await failed.catch((error: unknown) => error))).not.toContain('canary');
    expect(socks.asked).toEqual([]);
  });

  test('the profile has no user: the callback is asked; one too long is not sent', async () => {
    const socks = kept(await SocksProxy.open({ signIn: 'u:p' }));
    const { listener } = await tcpServer('127.0.0.1');
    kept(listener);
    const target = { host: '127.0.0.1', port: listener.port, protocol: 'tcp' } as const;
    const proxy = proxyAt(socks, { kind: 'socks5', auth: 'basic' });
    await through(proxy, target, { ask: async () => user('u', 'p') });
    expect(socks.asked).toHaveLength(1);
    const long = through(proxy, target, { ask: async () => user('u', 'p'.repeat(256)) });
    await expect(long).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH' });
    await expect(through(proxy, target)).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH' });
  });
});

/** A proxy that answers each message of a client with the next of `answers`, in pieces of `size`. */
async function scripted(answers: readonly string[], size = 65_536): Promise<Listener> {
  return kept(
    await Listener.open(async (socket) => {
      socket.setNoDelay(true);
      for (const answer of answers) {
        await once(socket, 'data');
        const bytes = Buffer.from(answer.replaceAll(' ', ''), 'hex');
        for (let at = 0; at < bytes.length && !socket.destroyed; at += size) {
          socket.write(bytes.subarray(at, at + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }),
  );
}

const TARGET = { host: 'h', port: 443, protocol: 'tcp' } as const;
const YES = '05 00 00 01 00000000 0000';

describe('a SOCKS5 proxy that will not, or is none', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'a general failure',             answers: ['0500', '05 01 00 01 000000000000'], message: /a general failure/ },
    { name: 'against its rules',             answers: ['0500', '05 02 00 01 000000000000'], message: /its rules do not allow/ },
    { name: 'no network',                    answers: ['0500', '05 03 00 01 000000000000'], message: /the network cannot be reached/ },
    { name: 'no host',                       answers: ['0500', '05 04 00 01 000000000000'], message: /the host cannot be reached/ },
    { name: 'refused',                       answers: ['0500', '05 05 00 01 000000000000'], message: /the server refused/ },
    { name: 'too far',                       answers: ['0500', '05 06 00 01 000000000000'], message: /too long/ },
    { name: 'unknown command',               answers: ['0500', '05 07 00 01 000000000000'], message: /does not know the command/ },
    { name: 'unknown kind of address',       answers: ['0500', '05 08 00 01 000000000000'], message: /kind of address/ },
    { name: 'a code of its own',             answers: ['0500', '05 7f 00 01 000000000000'], message: /code 127/ },
    { name: 'a refusal without an address',  answers: ['0500', '05 05 00 00 000000000000'], message: /the server refused/ },
    { name: 'SOCKS4',                        answers: ['0400'],                             message: /did not answer as a SOCKS5 proxy does/ },
    { name: 'HTTP',                          answers: ['485454502f312e31'],                 message: /did not answer as a SOCKS5 proxy does/ },
    { name: 'a method we did not name',      answers: ['0502'],                             message: /did not answer as a SOCKS5 proxy does/ },
    { name: 'an address of no kind',         answers: ['0500', '05 00 00 02 000000000000'], message: /did not answer as a SOCKS5 proxy does/ },
    { name: 'another version in the answer', answers: ['0500', '04 00 00 01 000000000000'], message: /did not answer as a SOCKS5 proxy does/ },
  ])('$name: OVPN_PROXY_FAILED', async ({ answers, message }) => {
    const listener = await scripted(answers);
    await expect(through(proxyAt(listener, { kind: 'socks5' }), TARGET)).rejects.toMatchObject({
      name: 'OvpnNetworkError',
      code: 'OVPN_PROXY_FAILED',
      retryable: true,
      message: expect.stringMatching(message),
    });
    await expect.poll(() => listener.sockets.size).toBe(0);
  });

  test('nothing that fits is OVPN_PROXY_AUTH', async () => {
    const listener = await scripted(['05ff']);
    const proxy = proxyAt(listener, { kind: 'socks5' });
    await expect(through(proxy, TARGET)).rejects.toMatchObject({ code: 'OVPN_PROXY_AUTH' });
  });

  test('hangs up after any number of bytes', async () => {
    const wire = Buffer.from(`0500${YES.replaceAll(' ', '')}`, 'hex');
    for (let length = 0; length < wire.length; length += 1) {
      const listener = kept(
        await Listener.open((socket) => {
          socket.end(wire.subarray(0, length));
        }),
      );
      await expect(through(proxyAt(listener, { kind: 'socks5' }), TARGET)).rejects.toMatchObject({
        code: 'OVPN_PROXY_FAILED',
      });
    }
  });

  test('answers in pieces of any size, of any length: what follows is the server', async () => {
    const answers = [YES, '05 00 00 03 05 68656c6c6f 0001', `05 00 00 04 ${'00'.repeat(18)}`];
    for (const answer of answers) {
      for (let size = 1; size <= 30; size += 1) {
        const listener = await scripted(['0500', `${answer} 0003 616263`], size);
        const link = await through(proxyAt(listener, { kind: 'socks5' }), TARGET);
        const port = new RecordingPort();
        link.open(port);
        await vi.waitFor(() => expect(port.packets.map(String)).toEqual(['abc']));
      }
    }
  });

  test('is silent: aborting ends it, and the connection', async () => {
    const listener = await scripted(['05']);
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = through(proxyAt(listener, { kind: 'socks5' }), TARGET, { signal });
    await expect.poll(() => listener.sockets.size).toBe(1);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'OVPN_ABORTED', cause: 'enough' });
    await expect.poll(() => listener.sockets.size).toBe(0);
  });

  test('is not there: every address is told', async () => {
    const gone = await Listener.open(() => {});
    const { port } = gone;
    await gone.close();
    const lookup = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    const proxy = proxyAt({ host: 'proxy.example', port }, { kind: 'http' });
    await expect(through(proxy, TARGET, { lookup })).rejects.toMatchObject({
      code: 'OVPN_PROXY_FAILED',
      message: `HTTP proxy proxy.example port ${port} cannot be reached at 127.0.0.1 (ECONNREFUSED); HTTP proxy proxy.example port ${port} cannot be reached at ::1 (ECONNREFUSED)`,
    });
  });

  test('its second address may do', async () => {
    const socks = kept(await SocksProxy.open({}));
    const { listener } = await tcpServer('127.0.0.1');
    kept(listener);
    const lookup = async () => [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 },
    ];
    const proxy = proxyAt({ host: 'proxy.example', port: socks.port }, { kind: 'socks5' });
    const target = { host: '127.0.0.1', port: listener.port, protocol: 'tcp' } as const;
    await through(proxy, target, { lookup });
    expect(socks.asked).toHaveLength(1);
  });
});

describe('datagrams by SOCKS5', () => {
  async function associated() {
    const socks = kept(await SocksProxy.open({}));
    const server = kept(await udpSocket('127.0.0.1'));
    const { port } = server.address();
    const proxy = proxyAt(socks, { kind: 'socks5' });
    const link = await through(proxy, { host: '127.0.0.1', port, protocol: 'udp' });
    const heard = new RecordingPort();
    link.open(heard);
    return { socks, server, link, heard, port };
  }

  test('fragments, other senders and short datagrams are not let in', async () => {
    const { socks, link, heard, port } = await associated();
    const [relay] = socks.relays;
    const send = (datagram: Buffer) => relay?.send(datagram, link.localPort, '127.0.0.1');
    const from = datagramHeader({ address: '127.0.0.1', port });
    const wrong = [
      Buffer.concat([Buffer.from([0, 0, 1]), from.subarray(3), Buffer.from('fragment')]),
      Buffer.concat([
        datagramHeader({ address: '127.0.0.1', port: port ^ 1 }),
        Buffer.from('port'),
      ]),
      Buffer.concat([datagramHeader({ address: '127.0.0.2', port }), Buffer.from('host')]),
      Buffer.concat([datagramHeader({ address: '::1', port }), Buffer.from('family')]),
      Buffer.from([0, 0, 0, 3, 255, 1]),
      ...Array.from({ length: from.length }, (_, length) => from.subarray(0, length)),
    ];
    for (const datagram of wrong) send(datagram);
    send(from);
    send(Buffer.concat([from, Buffer.from('right')]));
    await vi.waitFor(() => expect(heard.packets.map(String)).toEqual(['', 'right']));
    expect(heard.errors).toEqual([]);
  });

  test('the association ends with its connection', async () => {
    const { socks, link, heard } = await associated();
    for (const socket of socks.listener?.sockets ?? []) socket.write('not a word more');
    for (const socket of socks.listener?.sockets ?? []) socket.end();
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1));
    expect(heard.errors[0]).toMatchObject({
      code: 'OVPN_PROXY_FAILED',
      message: expect.stringMatching(/ended the association/),
    });
    link.send(Buffer.from('late'));
    await link.close();
    expect(heard.errors).toHaveLength(1);
  });

  test('closing the link ends the connection', async () => {
    const { socks, link } = await associated();
    await link.close();
    await expect.poll(() => socks.listener?.sockets.size).toBe(0);
  });

  test('a relay that is not there ends the link', async () => {
    const dead = await udpSocket('127.0.0.1');
    const { port } = dead.address();
    dead.close();
    const listener = await scripted([
      '0500',
      `05 00 00 01 7f000001 ${port.toString(16).padStart(4, '0')}`,
    ]);
    const link = await through(proxyAt(listener, { kind: 'socks5' }), {
      host: '192.0.2.1',
      port: 1,
      protocol: 'udp',
    });
    const heard = new RecordingPort();
    link.open(heard);
    link.send(Buffer.from('x'));
    await vi.waitFor(() => expect(heard.endCode).toBe('OVPN_PROXY_FAILED'));
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no port', answer: '05 00 00 01 7f000001 0000' },
    { name: 'a name',  answer: '05 00 00 03 01 61 0001' },
  ])('a relay with $name is OVPN_PROXY_FAILED', async ({ answer }) => {
    const listener = await scripted(['0500', answer]);
    const failed = through(proxyAt(listener, { kind: 'socks5' }), { host: '192.0.2.1', port: 1, protocol: 'udp' });
    await expect(failed).rejects.toMatchObject({ code: 'OVPN_PROXY_FAILED' });
    await expect.poll(() => listener.sockets.size).toBe(0);
  });

  test('an HTTP proxy carries none', async () => {
    const proxy = proxyAt({ host: '127.0.0.1', port: 1 }, { kind: 'http' });
    await expect(
      through(proxy, { host: '192.0.2.1', port: 1, protocol: 'udp' }),
    ).rejects.toMatchObject({
      code: 'OVPN_PROXY_FAILED',
      message: expect.stringMatching(/carries TCP only/),
    });
  });
});

describe('the local end', () => {
  test('its address is for all sockets to a proxy, its port for datagrams', async () => {
    const socks = kept(await SocksProxy.open({}));
    // Taken for TCP: a connection could not have it.
    const { port } = kept(await Listener.open(() => {}, '127.0.0.2'));
    const local = { address: '127.0.0.2', port };
    const target = { host: '127.0.0.1', port: 1194, protocol: 'udp' } as const;
    const link = await through(proxyAt(socks, { kind: 'socks5' }), target, { local });
    expect([link.localAddress, link.localPort]).toEqual(['127.0.0.2', port]);
    const [control] = socks.listener?.sockets ?? [];
    expect(control?.remoteAddress).toBe('127.0.0.2');
    expect(control?.remotePort).not.toBe(port);
  });
});
