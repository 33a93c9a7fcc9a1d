import dns from 'node:dns';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import type { LookupAddress } from '../../src/dialer/dns-lookup.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { a, aaaa, dnsServer, NXDOMAIN, response } from './dns-server.ts';
import { SERVER, SERVER6, settled, tunnelPair } from './tunnel-pair.ts';

/** A tunnel behind which `host.test` has both families and `loop.test` is this machine. */
function tunnel() {
  const clock = new VirtualClock();
  const { client, server } = tunnelPair({ clock });
  dnsServer(server, (asked) => {
    const { name, type } = asked.question;
    const v4 = { 'host.test': SERVER, 'loop.test': '127.0.0.1' }[name.toLowerCase()];
    if (v4 === undefined) return [response(asked, { flags: NXDOMAIN })];
    return [response(asked, { answers: [type === 'A' ? a(name, v4) : aaaa(name, SERVER6)] })];
  });
  return { clock, lookup: client.lookup };
}

const FOUR = { address: SERVER, family: 4 };
const SIX = { address: SERVER6, family: 6 };

describe('lookup', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { options: {},                               expected: SIX },
    { options: { family: 4 },                    expected: FOUR },
    { options: { family: 'IPv4' },               expected: FOUR },
    { options: { all: true },                    expected: [SIX, FOUR] },
    { options: { all: true, verbatim: false },   expected: [FOUR, SIX] },
    { options: { all: true, order: 'ipv4first' }, expected: [FOUR, SIX] },
    { options: { all: true, order: 'ipv6first' }, expected: [SIX, FOUR] },
    { options: { order: 'ipv4first' },           expected: FOUR },
    { options: { hints: dns.ADDRCONFIG },        expected: SIX },
  ] as const)('with $options', async ({ options, expected }) => {
    const { clock, lookup } = tunnel();
    expect(await settled(lookup('host.test', options), clock)).toEqual(expected);
  });

  test('calls back as dns.lookup', async () => {
    const { clock, lookup } = tunnel();
    const calls = [
      new Promise((resolve) => {
        void lookup('host.test', (...args) => resolve(args));
      }),
      new Promise((resolve) => {
        lookup('host.test', 4, (...args) => resolve(args));
      }),
      new Promise((resolve) => {
        lookup('host.test', { all: true }, (...args) => resolve(args));
      }),
      new Promise((resolve) => {
        lookup('none.test', {}, (error) => resolve(error?.code));
      }),
    ];
    expect(await settled(Promise.all(calls), clock)).toEqual([
      [null, SERVER6, 6],
      [null, SERVER, 4],
      [null, [SIX, FOUR]],
      'ENOTFOUND',
    ]);
  });

  test('refuses a family that is none', () => {
    expect(() => tunnel().lookup('host.test', { family: 5 as 4 })).toThrow('family 0, 4 or 6');
  });

  test.each([true, false])(
    'serves net.connect, autoSelectFamily %s, without `this`',
    async (autoSelectFamily) => {
      const { clock, lookup } = tunnel();
      const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as net.AddressInfo;
      const found: LookupAddress[] = [];
      const options = { host: 'loop.test', family: 4, port, lookup, autoSelectFamily };
      const socket = net.connect(options as net.TcpNetConnectOpts);
      socket.on('lookup', (_error, address, family) => {
        found.push({ address, family: Number(family) as 4 });
      });
      await settled(once(socket, 'connect'), clock).finally(() => {
        socket.destroy();
        server.close();
      });
      expect(found).toEqual([{ address: '127.0.0.1', family: 4 }]);
    },
  );
});
