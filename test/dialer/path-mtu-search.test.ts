import { describe, expect, test } from 'vitest';
import { searchPathMtu } from '../../src/dialer/path-mtu-search.ts';
import type { RouterSpec } from '../netstack/router.ts';
import { routedTunnel } from './routed-tunnel.ts';
import { settled } from './tunnel-pair.ts';

const ENDS = [
  { family: 4, host: '10.8.0.2', floor: 576 },
  { family: 6, host: 'fd00::2', floor: 1280 },
] as const;

describe.each(ENDS)('searchPathMtu over IPv$family', ({ family, host, floor }) => {
  // biome-ignore format: one case a line
  test.each([
    { name: 'nothing in the way',            routers: [{}],                                   mtu: 1500,  withinMs: 0,      hint: undefined },
    { name: 'a router that tells',           routers: [{ mtu: 1400 }],                        mtu: 1400,  withinMs: 0,      hint: 'refused' },
    { name: 'two routers that tell',         routers: [{ mtu: 1450 }, { mtu: 1300 }],         mtu: 1300,  withinMs: 0,      hint: 'refused' },
    { name: 'a black hole',                  routers: [{ mtu: 1392, manner: 'silent' }],      mtu: 1392,  withinMs: 40_000, hint: 'vanish' },
    { name: 'a black hole behind a router',  routers: [{ mtu: 1444 }, { mtu: 1391, manner: 'silent' }], mtu: 1391, withinMs: 40_000, hint: 'vanish' },
    { name: 'one byte less than the tunnel', routers: [{ mtu: 1499, manner: 'silent' }],      mtu: 1499,  withinMs: 40_000, hint: 'vanish' },
    { name: 'the least MTU',                 routers: [{ mtu: floor }],                       mtu: floor, withinMs: 0,      hint: 'refused' },
  ] satisfies { name: string; routers: RouterSpec[]; mtu: number; withinMs: number; hint: string | undefined }[])('$name: $mtu', async ({ routers, mtu, withinMs, hint }) => {
    const { pair, scope } = routedTunnel(routers);
    const found = await settled(searchPathMtu(scope, host), pair.clock);
    expect(found).toMatchObject({ address: host, mtu });
    if (hint === undefined) expect(found.hint).toBeUndefined();
    else expect(found.hint).toContain(hint);
    expect(pair.clock.now()).toBeLessThanOrEqual(withinMs);
    expect(scope.tenants).toBe(0);
  });

  test('a host that answers no ping is ETIMEDOUT', async () => {
    const { pair, scope } = routedTunnel([{ mtu: 100, manner: 'silent' }]);
    const search = settled(searchPathMtu(scope, host, { attempts: 2, timeoutMs: 300 }), pair.clock);
    await expect(search).rejects.toMatchObject({ code: 'ETIMEDOUT', address: host });
    expect(pair.clock.now()).toBe(600);
  });

  test('a way that is closed is told by its code', async () => {
    const { pair, scope } = routedTunnel([{ refuses: family === 4 ? 0x0300 : 0x0100 }]);
    const search = settled(searchPathMtu(scope, host), pair.clock);
    await expect(search).rejects.toMatchObject({ code: 'ENETUNREACH', address: host });
  });

  test('ends with OVPN_ABORTED', async () => {
    const { pair, scope } = routedTunnel([{ mtu: 1300, manner: 'silent' }]);
    const abort = new AbortController();
    pair.clock.setTimer(1500, () => abort.abort());
    const search = settled(searchPathMtu(scope, host, { signal: abort.signal }), pair.clock);
    await expect(search).rejects.toMatchObject({ code: 'OVPN_ABORTED' });
    expect(pair.clock.now()).toBe(1500);
    expect(scope.tenants).toBe(0);
  });
});

test('a host behind a router that refuses even the least size is ETIMEDOUT', async () => {
  const { pair, scope } = routedTunnel([{ refuses: 0x0304 }]);
  const search = settled(searchPathMtu(scope, '10.8.0.2', { attempts: 1 }), pair.clock);
  await expect(search).rejects.toMatchObject({ code: 'ETIMEDOUT' });
});

test('a router that names no MTU, as the oldest do, costs no more than the halves', async () => {
  const { pair, scope } = routedTunnel([{ mtu: 1300, names: 0 }]);
  const found = await settled(searchPathMtu(scope, '10.8.0.2'), pair.clock);
  expect(found.mtu).toBe(1300);
  expect(pair.left.stats().packetsOut).toBeLessThan(15);
});
