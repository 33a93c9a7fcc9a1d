import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { TunSocket } from '../../src/dialer/tun-socket.ts';
import type { TunConnectOptions } from '../../src/dialer/tun-socket-options.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { a, aaaa, type DnsScript, dnsServer, response, soa } from './dns-server.ts';
import { SERVER, SERVER6, settled, tunnelPair } from './tunnel-pair.ts';

/** Addresses at which nobody is. */
const DEAD = '10.8.0.99';
const DEAD_TOO = '10.8.0.98';
const DEAD6 = 'fd00:8::99';
const DEAD6_TOO = 'fd00:8::98';

/** What the name server says of a name, and when. Unit: milliseconds. */
interface World {
  readonly v4?: readonly string[];
  readonly v6?: readonly string[];
  readonly v4At?: number;
  readonly v6At?: number;
  /** Nobody listens anywhere. */
  readonly refusing?: boolean;
  readonly options?: Partial<TunConnectOptions>;
}

/** Connects to a name in such a world; tells of attempts as `address@time`. */
function race({ v4 = [], v6 = [], v4At = 0, v6At = 0, refusing = false, options }: World) {
  const clock = new VirtualClock();
  const pair = tunnelPair({ clock });
  const script: DnsScript = (asked) => {
    const { name, type } = asked.question;
    const answers =
      type === 'A' ? v4.map((each) => a(name, each)) : v6.map((each) => aaaa(name, each));
    const authorities = answers.length === 0 ? [soa('test', 30)] : [];
    return [response(asked, { answers, authorities })];
  };
  dnsServer(pair.server, script, {
    delayMs: ({ question }) => (question.type === 'A' ? v4At : v6At),
  });
  if (!refusing) pair.server.listen({ port: 80 });
  const socket = pair.client.connect({ host: 'host.test', port: 80, ...options });
  const attempts: string[] = [];
  socket.on('connectionAttempt', (address) => attempts.push(`${address}@${clock.now()}`));
  const failures: string[] = [];
  socket.on('connectionAttemptFailed', (address) => failures.push(`${address}@${clock.now()}`));
  return { clock, pair, socket, attempts, failures };
}

async function connected(socket: TunSocket, clock: VirtualClock): Promise<string> {
  await settled(once(socket, 'connect'), clock);
  return `${socket.remoteAddress}@${clock.now()}`;
}

describe('HappyEyeballs', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'IPv6 that is known first begins at once',        world: { v4: [SERVER], v6: [SERVER6], v4At: 40 },               attempts: [`${SERVER6}@0`],                     won: `${SERVER6}@0` },
    { name: 'IPv4 waits for IPv6 that comes soon',            world: { v4: [SERVER], v6: [SERVER6], v6At: 30 },               attempts: [`${SERVER6}@30`],                    won: `${SERVER6}@30` },
    { name: 'IPv4 waits no longer than 50 ms',                world: { v4: [SERVER], v6: [SERVER6], v6At: 200 },              attempts: [`${SERVER}@50`],                     won: `${SERVER}@50` },
    { name: 'IPv4 begins when there is no IPv6',              world: { v4: [SERVER], v6At: 20 },                              attempts: [`${SERVER}@20`],                     won: `${SERVER}@20` },
    { name: 'IPv6 alone, late',                               world: { v6: [SERVER6], v6At: 900 },                            attempts: [`${SERVER6}@900`],                   won: `${SERVER6}@900` },
    { name: 'IPv4 alone, after IPv6 is known not to be',      world: { v4: [SERVER], v4At: 900 },                             attempts: [`${SERVER}@900`],                    won: `${SERVER}@900` },
    { name: 'dead IPv6 has 250 ms',                           world: { v4: [SERVER], v6: [DEAD6] },                           attempts: [`${DEAD6}@0`, `${SERVER}@250`],      won: `${SERVER}@250` },
    { name: 'dead IPv6, IPv4 known while it is tried',        world: { v4: [SERVER], v6: [DEAD6], v4At: 100 },                attempts: [`${DEAD6}@0`, `${SERVER}@250`],      won: `${SERVER}@250` },
    { name: 'dead IPv6, IPv4 known later',                    world: { v4: [SERVER], v6: [DEAD6], v4At: 400 },                attempts: [`${DEAD6}@0`, `${SERVER}@400`],      won: `${SERVER}@400` },
    { name: 'dead IPv4, IPv6 known while it is tried',        world: { v4: [DEAD], v6: [SERVER6], v6At: 100 },                attempts: [`${DEAD}@50`, `${SERVER6}@300`],     won: `${SERVER6}@300` },
    { name: 'the families take turns',                        world: { v4: [DEAD, SERVER], v6: [DEAD6, DEAD6_TOO] },          attempts: [`${DEAD6}@0`, `${DEAD}@250`, `${DEAD6_TOO}@500`, `${SERVER}@750`], won: `${SERVER}@750` },
    { name: 'one family goes on alone',                       world: { v4: [DEAD, DEAD_TOO, SERVER] },                        attempts: [`${DEAD}@0`, `${DEAD_TOO}@250`, `${SERVER}@500`], won: `${SERVER}@500` },
    { name: 'the other family comes next, however late',      world: { v4: [SERVER], v6: [DEAD6, DEAD6_TOO], v4At: 10 },      attempts: [`${DEAD6}@0`, `${SERVER}@250`],      won: `${SERVER}@250` },
    { name: 'a chosen time for an attempt',                   world: { v4: [SERVER], v6: [DEAD6], options: { autoSelectFamilyAttemptTimeout: 100 } }, attempts: [`${DEAD6}@0`, `${SERVER}@100`], won: `${SERVER}@100` },
    { name: 'a time that is too short',                       world: { v4: [SERVER], v6: [DEAD6], options: { autoSelectFamilyAttemptTimeout: 1 } }, attempts: [`${DEAD6}@0`, `${SERVER}@10`], won: `${SERVER}@10` },
    { name: 'one family by choice',                           world: { v4: [SERVER], v6: [SERVER6], options: { family: 4 } },  attempts: [`${SERVER}@0`],                      won: `${SERVER}@0` },
    { name: 'an address instead of a name',                   world: { options: { host: SERVER } },                           attempts: [`${SERVER}@0`],                      won: `${SERVER}@0` },
  ] satisfies { name: string; world: World; attempts: string[]; won: string }[])(
    '$name',
    async ({ world, attempts, won }) => {
      const run = race(world);
      expect(await connected(run.socket, run.clock)).toBe(won);
      expect(run.attempts).toEqual(attempts);
      expect(run.failures).toEqual([]);
    },
  );

  test('goes on at once when an attempt is refused', async () => {
    const { clock, socket, pair, attempts, failures } = race({
      v4: [SERVER],
      v6: [SERVER6],
      refusing: true,
    });
    pair.server.listen({ port: 80, host: SERVER });
    expect(await connected(socket, clock)).toBe(`${SERVER}@0`);
    expect(attempts).toEqual([`${SERVER6}@0`, `${SERVER}@0`]);
    expect(failures).toEqual([`${SERVER6}@0`]);
  });

  test('waits for the family that is still asked for when the other one is refused', async () => {
    const run = race({ v4: [SERVER], v6: [SERVER6], v6At: 400, refusing: true });
    run.pair.server.listen({ port: 80, host: SERVER6 });
    expect(await connected(run.socket, run.clock)).toBe(`${SERVER6}@400`);
    expect(run.attempts).toEqual([`${SERVER}@50`, `${SERVER6}@400`]);
  });

  test('tells of every attempt when all fail', async () => {
    const world = { v4: [SERVER, DEAD], v6: [SERVER6], refusing: true };
    const { clock, socket } = race(world);
    const [error] = await settled(once(socket, 'error'), clock).catch((thrown) => [thrown]);
    expect(error).toBeInstanceOf(AggregateError);
    expect(error).toMatchObject({
      code: 'ECONNREFUSED',
      errors: [
        { code: 'ECONNREFUSED', address: SERVER6, port: 80, syscall: 'connect' },
        { code: 'ECONNREFUSED', address: SERVER },
        { code: 'ETIMEDOUT', address: DEAD },
      ],
    });
  });

  test('tries one address alone without autoSelectFamily, and throws its error', async () => {
    const options = { autoSelectFamily: false };
    const world = { v4: [SERVER], v6: [SERVER6], refusing: true, options };
    const { clock, socket, attempts } = race(world);
    const [error] = await settled(once(socket, 'error'), clock).catch((thrown) => [thrown]);
    expect(error).toMatchObject({ code: 'ECONNREFUSED', address: SERVER6 });
    expect(error).not.toBeInstanceOf(AggregateError);
    expect(attempts).toEqual([`${SERVER6}@0`]);
  });

  test.each([
    { phase: 'the questions', after: 10, world: { v4At: 100, v6At: 100 }, attempts: [] },
    { phase: 'the wait for IPv6', after: 30, world: { v6At: 500 }, attempts: [] },
    { phase: 'an attempt', after: 100, world: {}, attempts: [`${DEAD6}@0`] },
    { phase: 'two attempts', after: 300, world: {}, attempts: [`${DEAD6}@0`, `${DEAD}@250`] },
  ])('does nothing more when it is destroyed in $phase', async ({ after, world, attempts }) => {
    const run = race({ v4: [DEAD, DEAD_TOO], v6: [DEAD6, DEAD6_TOO], ...world });
    const passed = new Promise<void>((resolve) => {
      run.clock.setTimer(after, resolve);
    });
    await settled(passed, run.clock);
    run.socket.destroy();
    const later = new Promise<void>((resolve) => {
      run.clock.setTimer(5000, resolve);
    });
    await settled(later, run.clock);
    expect(run.attempts).toEqual(attempts);
    expect(run.pair.client.stats.tcpFlows).toBe(0);
  });

  test('lets go of the losers', async () => {
    const { clock, socket, pair } = race({ v4: [SERVER], v6: [DEAD6] });
    await connected(socket, clock);
    expect(pair.client.stats.tcpFlows).toBe(1);
  });
});
