import { describe, expect, test } from 'vitest';
import { DnsCache, MAX_CACHED_NAMES } from '../../src/dialer/dns-cache.ts';
import { parseDnsServer } from '../../src/dialer/dns-server.ts';

const server = parseDnsServer('10.8.0.1') ?? expect.fail('an address');

function answer(...ttls: number[]) {
  const record = { name: 'a.test', type: 'A' as const, value: '10.0.0.1', text: '10.0.0.1' };
  return { kind: 'answer' as const, server, records: ttls.map((ttl) => ({ ...record, ttl })) };
}

describe('DnsCache', () => {
  test.each([
    { name: 'the shortest of its records', outcome: answer(300, 20), keptMs: 20_000 },
    { name: 'at least a second', outcome: answer(0), keptMs: 1000 },
    { name: 'at most an hour', outcome: answer(86_400), keptMs: 3_600_000 },
    {
      name: 'as long as the SOA says, that there is none',
      outcome: { kind: 'negative' as const, code: 'ENOTFOUND' as const, ttl: 30, server },
      keptMs: 30_000,
    },
  ])('keeps $name', ({ outcome, keptMs }) => {
    const cache = new DnsCache();
    cache.put('a.test', 'A', outcome, 0);
    expect(cache.get('a.test', 'A', keptMs - 1)).toBe(outcome);
    expect(cache.get('a.test', 'AAAA', 0)).toBeUndefined();
    expect(cache.get('a.test', 'A', keptMs)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  test('does not keep that there is none without a SOA', () => {
    const cache = new DnsCache();
    cache.put('a.test', 'A', { kind: 'negative', code: 'ENODATA', ttl: undefined, server }, 0);
    expect(cache.size).toBe(0);
  });

  test('forgets the name that was used longest ago', () => {
    const cache = new DnsCache();
    for (let index = 0; index < MAX_CACHED_NAMES; index += 1) {
      cache.put(`n${index}.test`, 'A', answer(60), 0);
    }
    cache.get('n0.test', 'A', 1);
    cache.put('one-more.test', 'A', answer(60), 1);
    expect(cache.size).toBe(MAX_CACHED_NAMES);
    expect(cache.get('n0.test', 'A', 2)).toBeDefined();
    expect(cache.get('n1.test', 'A', 2)).toBeUndefined();
  });
});
