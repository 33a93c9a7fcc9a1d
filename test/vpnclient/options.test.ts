import { describe, expect, test } from 'vitest';
import { backgroundClock } from '../../src/core/clock.ts';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { noLog } from '../../src/core/log.ts';
import {
  remotesInOrder,
  resolveClientOptions,
  type VpnClientOptions,
} from '../../src/vpnclient/options.ts';
import { read } from '../config/sample-profile.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

describe('resolveClientOptions', () => {
  test('fills in the defaults, frozen', () => {
    const resolved = resolveClientOptions({ profile: 'client.ovpn' });
    expect(resolved).toMatchObject({
      credentials: undefined,
      transport: undefined,
      tracer: undefined,
      logger: noLog,
      requireServerCheck: false,
      connectTimeoutMs: Number.POSITIVE_INFINITY,
      ivProto: 8094,
      clock: backgroundClock,
    });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no options',               options: undefined },
    { name: 'no profile',               options: {} },
    { name: 'a profile that is a number', options: { profile: 7 } },
    { name: 'a profile that is null',   options: { profile: null } },
    { name: 'a transport that is none', options: { profile: 'x', transport: {} } },
    { name: 'no time at all',           options: { profile: 'x', connectTimeoutMs: 0 } },
    { name: 'negative time',            options: { profile: 'x', connectTimeoutMs: -1 } },
    { name: 'time that is no number',   options: { profile: 'x', connectTimeoutMs: Number.NaN } },
    { name: 'credentials that are none', options: { profile: 'x', credentials: 'ada' } },
    { name: 'credentials without a password', options: { profile: 'x', credentials: { username: 'ada' } } },
    { name: 'an IV_PROTO bit that tundial has not', options: { profile: 'x', ivProto: 8094 + 64 } },
    { name: 'bit 0 of IV_PROTO',        options: { profile: 'x', ivProto: 3 } },
    { name: 'an IV_PROTO beyond 32 bits', options: { profile: 'x', ivProto: 2 ** 33 + 2 } },
    { name: 'a negative IV_PROTO',      options: { profile: 'x', ivProto: -2 } },
    { name: 'half a bit of IV_PROTO',   options: { profile: 'x', ivProto: 2.5 } },
    { name: 'an IV_PROTO that is a text', options: { profile: 'x', ivProto: '414' } },
    { name: 'a cipher provider that is none', options: { profile: 'x', cipherProvider: crypto } },
    { name: 'a logger that is none',    options: { profile: 'x', logger: console } },
  ])('refuses $name', ({ options }) => {
    expect(() => resolveClientOptions(options as unknown as VpnClientOptions)).toThrow(
      OvpnUsageError,
    );
  });
});

describe('ivProto', () => {
  test.each([0, 2, 414, 8094])('%i is announced as it is given', (ivProto) => {
    expect(resolveClientOptions({ profile: 'x', ivProto }).ivProto).toBe(ivProto);
  });
});

describe('remotesInOrder', () => {
  const lines = ['remote a.example', 'remote b.example', 'remote c.example'];
  const hosts = (seed: number, ...more: string[]) =>
    remotesInOrder(read(...lines, ...more), new SeededRandom(seed)).map(({ host }) => host);

  test('is the profile’s order', () => {
    expect(hosts(1)).toEqual(['vpn.example', 'a.example', 'b.example', 'c.example']);
  });

  test('is any order with remote-random, every remote once', () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 400; seed += 1) {
      const order = hosts(seed, 'remote-random');
      expect(order.toSorted()).toEqual(hosts(1).toSorted());
      orders.add(order.join());
    }
    expect(orders.size).toBe(24);
  });
});
