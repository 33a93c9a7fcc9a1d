import { describe, expect, test } from 'vitest';
import { errorOf, inline, profileWith, read } from './sample-profile.ts';

describe('the local end', () => {
  test.each([
    { lines: [], local: undefined },
    { lines: ['nobind'], local: undefined },
    { lines: ['port 443'], local: undefined },
    { lines: ['lport 0'], local: undefined },
    { lines: ['bind'], local: { address: undefined, port: 1194 } },
    { lines: ['bind ipv6only', 'port 443'], local: { address: undefined, port: 443 } },
    { lines: ['lport 5000'], local: { address: undefined, port: 5000 } },
    { lines: ['local 10.0.0.1'], local: { address: '10.0.0.1', port: 1194 } },
    { lines: ['local 10.0.0.1', 'lport 0'], local: { address: '10.0.0.1', port: 0 } },
    { lines: ['local * 5000'], local: { address: undefined, port: 5000 } },
  ])('$lines', ({ lines, local }) => {
    expect(read(...lines).local).toEqual(local);
  });

  test('nobind takes it back, and that is told', () => {
    const { local, ignored } = read('nobind', 'local 10.0.0.1');
    expect(local).toBeUndefined();
    expect(ignored).toEqual([expect.objectContaining({ directive: 'local', level: 'warn' })]);
  });

  test.each(['local', 'local "a b"', 'local a x', 'lport 65536'])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).problems).toHaveLength(1);
  });
});

describe('how long and how often', () => {
  test.each([
    { line: 'connect-retry 5', expected: { connectRetry: { firstMs: 5000, maxMs: 300_000 } } },
    { line: 'connect-retry 5 60', expected: { connectRetry: { firstMs: 5000, maxMs: 60_000 } } },
    { line: 'connect-retry 60 5', expected: { connectRetry: { firstMs: 60_000, maxMs: 60_000 } } },
    {
      line: 'connect-retry 86400',
      expected: { connectRetry: { firstMs: 65_535_000, maxMs: 65_535_000 } },
    },
    { line: 'connect-retry-max 3', expected: { connectRetryMax: 3 } },
    { line: 'connect-retry-max 0', expected: { connectRetryMax: Number.POSITIVE_INFINITY } },
    { line: 'resolv-retry 60', expected: { resolvRetryMs: 60_000 } },
    { line: 'resolv-retry infinite', expected: { resolvRetryMs: Number.POSITIVE_INFINITY } },
    { line: 'setenv SERVER_POLL_TIMEOUT 9', expected: { serverPollTimeoutMs: 9000 } },
    { line: 'setenv REMOTE_RANDOM_HOSTNAME', expected: { remoteRandomHostname: true } },
    { line: 'setenv PUSH_PEER_INFO', expected: { pushPeerInfo: true } },
    { line: 'inactive 60', expected: { inactive: { ms: 60_000, bytes: 0 } } },
    { line: 'inactive 60 5000', expected: { inactive: { ms: 60_000, bytes: 5000 } } },
    { line: 'session-timeout 3600', expected: { sessionTimeoutMs: 3_600_000 } },
    { line: 'mtu-test', expected: { mtuTest: true } },
    { line: 'tun-mtu 1400', expected: { tunMtu: 1400, mssfix: 1452 } },
    { line: 'fragment 1200', expected: { fragment: 1200, mssfix: 1200 } },
    { line: 'fragment 1228 mtu', expected: { fragment: 1200 } },
  ])('$line', ({ line, expected }) => {
    expect(read(line)).toMatchObject(expected);
  });

  test.each([
    'connect-retry',
    'connect-retry 5 x',
    'connect-retry-max x',
    'resolv-retry never',
    'setenv SERVER_POLL_TIMEOUT x',
    'inactive 60 -1',
    'fragment 67',
    'fragment 1200 x',
    'compat-mode 2.4',
    'compat-mode x',
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).problems).toHaveLength(1);
  });

  test('fragment is for UDP', () => {
    const error = errorOf(`fragment 1200\nproto tcp\n${profileWith()}`);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive: 'fragment', line: 1 });
  });

  test('connect-retry-max in a block says nothing', () => {
    const { connectRetryMax, ignored } = read(
      inline('connection', 'remote a\nconnect-retry-max 3'),
    );
    expect(connectRetryMax).toBe(Number.POSITIVE_INFINITY);
    expect(ignored.map(({ directive, level }) => [directive, level])).toEqual([
      ['connect-retry-max', 'quiet'],
    ]);
  });
});

describe('compat-mode', () => {
  test.each([
    { lines: ['compat-mode 2.3.8', 'cipher AES-256-CBC'], fallback: 'AES-256-CBC' },
    { lines: ['compat-mode 2.4.0', 'cipher AES-256-CBC'], fallback: undefined },
    {
      lines: ['compat-mode 2.3.8', 'cipher AES-256-CBC', 'data-ciphers-fallback AES-128-CBC'],
      fallback: 'AES-128-CBC',
    },
  ])('$lines falls back on $fallback', ({ lines, fallback }) => {
    expect(read(...lines).dataCiphersFallback).toBe(fallback);
  });

  test('does not bring old TLS back', () => {
    expect(read('compat-mode 2.3.6').ignored).toEqual([
      expect.objectContaining({ directive: 'compat-mode', level: 'warn' }),
    ]);
  });
});

describe('dev and dev-type', () => {
  test.each([
    { lines: ['dev tun'], told: ['quiet'] },
    { lines: ['dev tun0'], told: ['warn'] },
    { lines: ['dev office', 'dev-type tun'], told: ['warn', 'quiet'] },
    { lines: ['dev-type tun', 'dev tap-free'], told: ['warn', 'quiet'] },
  ])('$lines', ({ lines, told }) => {
    expect(read(...lines).ignored.map(({ level }) => level)).toEqual(told);
  });

  test.each([
    { lines: ['dev tap'], directive: 'dev' },
    { lines: ['dev tun', 'dev-type tap'], directive: 'dev-type' },
    { lines: ['dev null'], directive: 'dev' },
    { lines: ['dev'], directive: 'dev' },
  ])('refuses $lines', ({ lines, directive }) => {
    expect(errorOf(profileWith(...lines)).problems).toEqual([
      expect.objectContaining({ directive }),
    ]);
  });
});
