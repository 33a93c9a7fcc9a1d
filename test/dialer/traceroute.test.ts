import { describe, expect, test } from 'vitest';
import { OvpnNetworkError } from '../../src/core/errors.ts';
import { type TracerouteHop, tracerouteHops } from '../../src/dialer/traceroute.ts';
import { address } from '../sim/netstack-pair.ts';
import { routedTunnel } from './routed-tunnel.ts';
import { settled } from './tunnel-pair.ts';

async function collect(hops: AsyncIterable<TracerouteHop>): Promise<TracerouteHop[]> {
  const all: TracerouteHop[] = [];
  for await (const hop of hops) all.push(hop);
  return all;
}

/** Hops as text: who answered the probes and why, `!` at the last one. */
function shown(hops: readonly TracerouteHop[]): string[] {
  return hops.map(({ ttl, probes, reached }) => {
    const answers = new Set(probes.map(({ address: from, reason }) => `${from ?? '*'} ${reason}`));
    return `${ttl}: ${[...answers].join(', ')}${reached ? ' !' : ''}`;
  });
}

const ENDS = [
  { family: 4, host: '10.8.0.2', net: '10.9.0.' },
  { family: 6, host: 'fd00::2', net: 'fd09::' },
] as const;
const METHODS = ['icmp', 'udp'] as const;

describe.each(ENDS)('tracerouteHops over IPv$family', ({ family, host, net }) => {
  test.each(METHODS)('names every router and the host, by %s', async (method) => {
    const { pair, scope } = routedTunnel([{}, { manner: 'silent' }, {}]);
    const hops = await settled(collect(tracerouteHops(scope, host, { method })), pair.clock);
    expect(shown(hops)).toEqual([
      `1: ${net}1 time-exceeded`,
      '2: * timed-out',
      `3: ${net}3 time-exceeded`,
      `4: ${host} reply !`,
    ]);
    expect(hops[0]?.probes).toHaveLength(3);
    expect(hops[0]?.probes[0]?.ms).toBe(0);
    expect(hops[1]?.probes[0]?.ms).toBeUndefined();
    // Only the silent hop takes time.
    expect(pair.clock.now()).toBe(1000);
    expect(pair.left.stats().udpEndpoints).toBe(0);
    expect(scope.tenants).toBe(0);
  });

  test.each(METHODS)('ends where a router refuses, by %s', async (method) => {
    const refuses = family === 4 ? 0x0301 : 0x0103;
    const { pair, scope } = routedTunnel([{}, { refuses }, {}]);
    const hops = await settled(collect(tracerouteHops(scope, host, { method })), pair.clock);
    expect(shown(hops)).toEqual([`1: ${net}1 time-exceeded`, `2: ${net}2 host-unreachable`]);
  });

  test('stops at maxHops, with as many probes as asked', async () => {
    const { pair, scope } = routedTunnel([{}, {}, {}]);
    const options = { maxHops: 2, probes: 1, timeoutMs: 50 };
    const hops = await settled(collect(tracerouteHops(scope, host, options)), pair.clock);
    expect(shown(hops)).toEqual([`1: ${net}1 time-exceeded`, `2: ${net}2 time-exceeded`]);
    expect(hops[0]?.probes).toHaveLength(1);
  });

  test('a service on the probed port is the host too', async () => {
    const { pair, scope } = routedTunnel([]);
    const log = { failed: () => {}, drained: () => {} };
    const echo = pair.right.openUdp(
      { family, port: 33_434 },
      { ...log, datagram: (payload, from, port) => echo.send(payload, from, port) },
    );
    const options = { method: 'udp', probes: 1 } as const;
    const hops = await settled(collect(tracerouteHops(scope, host, options)), pair.clock);
    expect(shown(hops)).toEqual([`1: ${host} reply !`]);
  });
});

describe('tracerouteHops', () => {
  test.each([{ maxHops: 0 }, { maxHops: 256 }, { probes: 0 }, { probes: 11 }])(
    'refuses %o',
    async (options) => {
      const { scope } = routedTunnel([]);
      const hops = tracerouteHops(scope, '10.8.0.2', options);
      await expect(hops.next()).rejects.toMatchObject({ code: 'OVPN_USAGE' });
    },
  );

  test('ends with OVPN_ABORTED, before and while it waits', async () => {
    const { pair, scope } = routedTunnel([{ manner: 'silent' }]);
    const abort = new AbortController();
    const { signal } = abort;
    const waiting = collect(tracerouteHops(scope, '10.8.0.2', { signal }));
    pair.clock.setTimer(500, () => abort.abort());
    await expect(settled(waiting, pair.clock)).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
    expect(pair.clock.now()).toBe(500);
    const late = collect(tracerouteHops(scope, '10.8.0.2', { signal }));
    await expect(settled(late, pair.clock)).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
    expect(scope.tenants).toBe(0);
  });

  test('ends with the cause when the tunnel ends, and ENETDOWN after', async () => {
    const { pair, scope } = routedTunnel([{ manner: 'silent' }]);
    const cause = new OvpnNetworkError('OVPN_LINK_CLOSED', 'gone', { layer: 'test' });
    pair.clock.setTimer(500, () => scope.end(cause));
    const waiting = collect(tracerouteHops(scope, '10.8.0.2'));
    await expect(settled(waiting, pair.clock)).rejects.toBe(cause);
    const late = collect(tracerouteHops(scope, '10.8.0.2'));
    await expect(settled(late, pair.clock)).rejects.toMatchObject({ code: 'ENETDOWN', cause });
  });

  test('leaving the loop leaves nothing behind', async () => {
    const { pair, scope } = routedTunnel([{}]);
    const first = async () => {
      for await (const hop of tracerouteHops(scope, '10.8.0.2')) return hop;
      return undefined;
    };
    expect(await settled(first(), pair.clock)).toMatchObject({ ttl: 1, reached: false });
    expect(pair.clock.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(scope.tenants).toBe(0);
  });

  test('an answer that quotes another port, host or identifier is not believed', async () => {
    const { pair, scope } = routedTunnel([{ manner: 'silent' }]);
    // Another program's endpoint and ping, to the same host, with their own hop limits.
    const hops = tracerouteHops(scope, '10.8.0.2', { probes: 1, maxHops: 1 });
    const answer = hops.next();
    const other = pair.left.openEcho(address('10.8.0.2'), {
      reply: () => {},
      unreachable: () => {},
    });
    other.send(1, 8);
    const { value } = await settled(answer, pair.clock);
    expect(value).toMatchObject({ probes: [{ reason: 'timed-out' }], reached: false });
  });
});
