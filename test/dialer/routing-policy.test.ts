import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { readPushOptions } from '../../src/config/push-reply.ts';
import {
  type RoutedTunnel,
  type RoutingOptions,
  RoutingPolicy,
} from '../../src/dialer/routing-policy.ts';
import { IpAddress } from '../../src/netstack/ip-address.ts';
import { type TunnelPair, tunnelPair } from './tunnel-pair.ts';

const BASE = [
  'topology subnet',
  'ifconfig 10.8.0.2 255.255.255.0',
  'ifconfig-ipv6 fd00::2/64 fd00::1',
];

function tunnel(...options: readonly string[]): RoutedTunnel {
  const push = readPushOptions([...BASE, ...options]);
  return { ...push, gateway: push.routeGateway ?? push.ipv4?.peer, gateway6: push.ipv6?.peer };
}

function ip(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === undefined) throw new Error(text);
  return address;
}

/** An address of this machine that is not loopback; undefined on a machine without a network. */
const HOST_ADDRESS = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe('RoutingPolicy', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { pushed: [],                                                 to: '9.9.9.9',     way: 'outside' },
    { pushed: [],                                                 to: '10.8.0.77',   way: 'tunnel' },
    { pushed: [],                                                 to: 'fd00::77',    way: 'tunnel' },
    { pushed: [],                                                 to: '2001:db8::1', way: 'outside' },
    { pushed: ['topology p2p', 'ifconfig 10.8.0.4 10.9.0.1'],     to: '10.9.0.1',    way: 'tunnel' },
    { pushed: ['topology p2p', 'ifconfig 10.8.0.4 10.9.0.1'],     to: '10.8.0.1',    way: 'outside' },
    { pushed: ['topology net30', 'ifconfig 10.8.0.6 10.8.0.5'],   to: '10.8.0.5',    way: 'tunnel' },
    { pushed: ['route-gateway 10.7.0.1'],                         to: '10.7.0.1',    way: 'tunnel' },
    { pushed: ['route 10.1.0.0 255.255.0.0'],                     to: '10.1.2.3',    way: 'tunnel' },
    { pushed: ['route 10.1.0.0 255.255.0.0'],                     to: '10.2.2.3',    way: 'outside' },
    { pushed: ['route-ipv6 2001:db8::/32'],                       to: '2001:db8::1', way: 'tunnel' },
    { pushed: ['redirect-gateway def1'],                          to: '9.9.9.9',     way: 'tunnel' },
    { pushed: ['redirect-gateway def1'],                          to: '2001:db8::1', way: 'outside' },
    { pushed: ['redirect-gateway ipv6'],                          to: '2001:db8::1', way: 'tunnel' },
    { pushed: ['redirect-gateway ipv6 !ipv4'],                    to: '9.9.9.9',     way: 'outside' },
    { pushed: ['redirect-private def1'],                          to: '9.9.9.9',     way: 'outside' },
    { pushed: ['redirect-gateway', 'route 10.1.0.0 255.255.0.0 net_gateway'], to: '10.1.2.3', way: 'outside' },
    { pushed: ['route 10.0.0.0 255.0.0.0 net_gateway', 'route 10.1.0.0 255.255.0.0'], to: '10.1.2.3', way: 'tunnel' },
    { pushed: ['route 10.1.0.0 255.255.0.0', 'route 10.1.0.0 255.255.0.0 net_gateway'], to: '10.1.2.3', way: 'tunnel' },
    { pushed: ['redirect-gateway ipv6', 'block-ipv6'],            to: '2001:db8::1', way: 'blocked' },
    { pushed: ['redirect-gateway', 'block-ipv4'],                 to: '9.9.9.9',     way: 'blocked' },
  ])('with $pushed, $to is reached by the $way', ({ pushed, to, way }) => {
    const policy = new RoutingPolicy({ routing: 'pushed' }, tunnel(...pushed));
    expect(policy.wayTo(ip(to))).toBe(way);
    expect(policy.reaches?.(ip(to))).toBe(way === 'tunnel');
    expect(policy.bypasses(ip(to))).toBe(false);
  });

  test('name servers are asked inside', () => {
    const policy = new RoutingPolicy({ routing: 'pushed' }, tunnel(), [ip('9.9.9.9')]);
    expect([policy.wayTo(ip('9.9.9.9')), policy.wayTo(ip('9.9.9.8'))]).toEqual([
      'tunnel',
      'outside',
    ]);
  });

  test('without a wish everything goes into the tunnel, but a blocked family', () => {
    expect(new RoutingPolicy({}, tunnel()).reaches).toBeUndefined();
    const blocked = new RoutingPolicy({}, tunnel('block-ipv6'));
    expect([blocked.wayTo(ip('9.9.9.9')), blocked.wayTo(ip('fd00::1'))]).toEqual([
      'tunnel',
      'blocked',
    ]);
    expect(blocked.families).toEqual([4]);
  });

  test.each<{ options: RoutingOptions }>([
    { options: { routing: 'all' as 'tunnel' } },
    { options: { routing: 'pushed', outside: 'allow' as 'bypass' } },
    { options: { outside: 'bypass' } },
  ])('$options cannot be meant', ({ options }) => {
    expect(() => new RoutingPolicy(options, tunnel())).toThrow(/expected `/);
  });
});

describe('a dialer with a routing policy', () => {
  let pair: TunnelPair | undefined;
  afterEach(async () => {
    await pair?.[Symbol.asyncDispose]();
    pair = undefined;
  });

  test('refuses what lies outside, by every protocol, and says why', async () => {
    pair = tunnelPair({ client: { routing: 'pushed' } });
    const { client, server } = pair;
    server.listen({ port: 80 }, (socket) => socket.end('in'));
    const inside = await client.dial('tcp', '10.8.0.1:80');
    expect(`${(await once(inside, 'data'))[0]}`).toBe('in');
    await expect(client.dial('tcp', '9.9.9.9:80')).rejects.toMatchObject({
      code: 'ENETUNREACH',
      message: expect.stringContaining('outside of the tunnel'),
    });
    await expect(client.dial('udp', '9.9.9.9:53')).rejects.toMatchObject({ code: 'ENETUNREACH' });
    const udp = client.createSocket('udp4');
    const sent = new Promise((resolve) => udp.send('x', 53, '9.9.9.9', resolve));
    expect(await sent).toMatchObject({ code: 'ENETUNREACH' });
    await expect(client.ping('9.9.9.9', { count: 1 }).next()).rejects.toMatchObject({
      code: 'ENETUNREACH',
    });
  });

  test('refuses a blocked family even where everything goes into the tunnel', async () => {
    pair = tunnelPair({ info: { blockIpv6: true } });
    await expect(pair.client.dial('tcp', '[fd00::1]:80')).rejects.toMatchObject({
      code: 'ENETUNREACH',
      message: expect.stringContaining('blocks IPv6'),
    });
  });

  test('around the tunnel, names and loopback stay inside', async () => {
    pair = tunnelPair({ client: { routing: 'pushed', outside: 'bypass' } });
    const host = createServer();
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const { port } = host.address() as AddressInfo;
    for (const target of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      await expect(pair.client.dial('tcp', target)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    }
    host.close();
  });

  test.skipIf(HOST_ADDRESS === undefined)(
    'goes around the tunnel where that was asked for: the same sockets, made by the host',
    async () => {
      const host = createServer({ allowHalfOpen: true }, (socket) => {
        socket.on('data', (chunk) => socket.write(`host ${chunk}`));
        socket.on('end', () => socket.end(' bye'));
      });
      host.listen(0, HOST_ADDRESS);
      await once(host, 'listening');
      const { port } = host.address() as AddressInfo;
      pair = tunnelPair({ client: { routing: 'pushed', outside: 'bypass' } });
      const socket = await pair.client.dial('tcp', `${HOST_ADDRESS}:${port}`);
      expect(socket).toMatchObject({ remoteAddress: HOST_ADDRESS, localAddress: HOST_ADDRESS });
      socket.end('hello');
      let text = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk;
      expect(text).toBe('host hello bye');
      host.close();
      await once(host, 'close');
      await expect(pair.client.dial('tcp', `${HOST_ADDRESS}:${port}`)).rejects.toMatchObject({
        code: 'ECONNREFUSED',
        address: HOST_ADDRESS,
      });
    },
  );
});
