import { describe, expect, test } from 'vitest';
import { parseStaticKey } from '../../src/config/static-key.ts';
import type { Remote } from '../../src/model/profile.ts';
import {
  errorOf,
  inline,
  profileWith,
  read,
  TLS_AUTH,
  TLS_CRYPT,
  TLS_CRYPT_V2,
} from './sample-profile.ts';

function block(...lines: string[]): string {
  return inline('connection', ['remote a 1', ...lines].join('\n'));
}

/** The only remote that is left when `lines` hold one block. */
function remoteOf(...lines: string[]): Remote | undefined {
  const { remotes } = read(...lines);
  expect(remotes).toHaveLength(1);
  return remotes[0];
}

describe('what a connection block says of its own', () => {
  test.each([
    { lines: ['nobind'], settings: undefined },
    { lines: ['mssfix 1492 mtu'], settings: undefined },
    { lines: ['mssfix 1000 mtu'], settings: { mssfix: 1000 } },
    { lines: ['tun-mtu 1400'], settings: { tunMtu: 1400, mssfix: 1452 } },
    { lines: ['fragment 1200'], settings: { fragment: 1200, mssfix: 1200 } },
    { lines: ['fragment 1228 mtu', 'mssfix 0'], settings: { fragment: 1200, mssfix: 0 } },
    { lines: ['max-packet-size 1300'], settings: { mssfix: 1300 } },
    { lines: ['float'], settings: { float: true } },
    { lines: ['explicit-exit-notify 2'], settings: { explicitExitNotify: 2 } },
    { lines: ['connect-timeout 7'], settings: { serverPollTimeoutMs: 7000 } },
    {
      lines: ['connect-retry 5 10'],
      settings: { connectRetry: { firstMs: 5000, maxMs: 10_000 } },
    },
    { lines: ['local 10.0.0.1'], settings: { local: { address: '10.0.0.1', port: 1194 } } },
    { lines: ['lport 99'], settings: { local: { address: undefined, port: 99 } } },
    { lines: ['socks-proxy p'], settings: { proxy: { kind: 'socks5', host: 'p' } } },
  ])('$lines', ({ lines, settings }) => {
    const { settings: own } = remoteOf(block(...lines)) ?? {};
    if (settings === undefined) expect(own).toBeUndefined();
    else {
      expect(own).toMatchObject(settings);
      expect(Object.keys(own ?? {}).toSorted()).toEqual(Object.keys(settings).toSorted());
      expect(Object.isFrozen(own)).toBe(true);
    }
  });

  test('is not said of the others, nor of the profile', () => {
    const profile = read(block('mssfix 0', 'float'), block());
    expect(profile.remotes.map(({ settings }) => settings)).toEqual([
      { mssfix: 0, float: true },
      undefined,
    ]);
    expect([profile.mssfix, profile.float]).toEqual([1492, false]);
  });
});

describe('defaults', () => {
  test('hold for the blocks that follow them', () => {
    const profile = read(block(), 'mssfix 1000 mtu', 'proto tcp', block());
    expect(profile.mssfix).toBe(1000);
    expect(profile.remotes).toEqual([
      { host: 'a', port: 1, protocol: 'udp', family: 0, settings: { mssfix: 1492 } },
      { host: 'a', port: 1, protocol: 'tcp', family: 0 },
    ]);
  });

  test('of a proxy are the same proxy', () => {
    const { proxy, remotes } = read(
      'proto tcp',
      'http-proxy p 80',
      block('float'),
      block('nobind'),
    );
    expect(proxy?.host).toBe('p');
    expect(remotes.map(({ settings }) => settings)).toEqual([{ float: true }, undefined]);
  });

  test('are added to where a block adds', () => {
    const option = 'http-proxy-option AGENT b';
    const { proxy, remotes } = read('proto tcp', 'http-proxy p 80', block(option));
    expect(proxy?.headers).toEqual([]);
    expect(remotes[0]?.settings?.proxy?.headers).toEqual([['User-Agent', 'b']]);
  });

  test('of a remote in a block are taken over by what follows in it', () => {
    expect(remoteOf(inline('connection', 'remote a 1 tcp\nproto udp6\nport 5'))).toMatchObject({
      port: 5,
      protocol: 'udp',
      family: 6,
    });
    expect(remoteOf(inline('connection', 'proto udp6\nremote a\nremote b 7 tcp4'))).toMatchObject({
      host: 'b',
      port: 7,
      protocol: 'tcp',
      family: 4,
    });
  });
});

describe('a control wrap', () => {
  const AUTH = inline('tls-auth', TLS_AUTH);
  const CRYPT = inline('tls-crypt', TLS_CRYPT);
  const CRYPT_V2 = inline('tls-crypt-v2', TLS_CRYPT_V2);

  test('of the profile holds for blocks without one, before and behind it', () => {
    const { wrap, remotes } = read(block(), CRYPT, block());
    expect(wrap.kind).toBe('tls-crypt');
    expect(remotes.map(({ settings }) => settings)).toEqual([undefined, undefined]);
  });

  test('of a block is its own', () => {
    const { wrap, remotes } = read(
      CRYPT,
      block(AUTH, 'key-direction 1'),
      block(CRYPT_V2),
      block('tls-auth [inline] 0', AUTH),
    );
    expect(wrap.kind).toBe('tls-crypt');
    expect(remotes.map(({ settings }) => settings?.wrap)).toMatchObject([
      { kind: 'tls-auth', direction: 1, digest: 'SHA1' },
      { kind: 'tls-crypt-v2' },
      { kind: 'tls-auth', direction: 0 },
    ]);
    const own = remotes[0]?.settings?.wrap;
    expect(own?.kind === 'tls-auth' && own.key.reveal()).toEqual(parseStaticKey(TLS_AUTH));
  });

  test('of a block does not take the direction of the profile', () => {
    const { remotes } = read('key-direction 1', block(AUTH));
    expect(remotes[0]?.settings?.wrap).toMatchObject({ kind: 'tls-auth', direction: undefined });
  });

  test.each([
    { name: 'two of them in a block', lines: [block(AUTH, CRYPT)], directive: 'tls-crypt' },
    {
      name: 'a block that is announced there and stands outside',
      lines: [block('tls-auth [inline] 1'), AUTH],
      directive: 'tls-auth',
    },
    {
      name: 'a file in a profile of text',
      lines: [block('tls-crypt tc.key')],
      directive: 'tls-crypt',
    },
  ])('$name is refused', ({ lines, directive }) => {
    const { problems } = errorOf(profileWith(...lines));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ directive });
  });
});

describe('a problem in a block', () => {
  test.each([
    {
      name: 'no remote',
      text: '<connection>\nfloat\n</connection>',
      line: 1,
      directive: 'connection',
    },
    {
      name: 'an unknown directive',
      text: '<connection>\nremote a\nodd x\n</connection>',
      line: 3,
      directive: undefined,
    },
    {
      name: 'one that stands outside',
      text: '<connection>\nremote a\ndev tun\n</connection>',
      line: 3,
      directive: 'dev',
    },
    {
      name: 'a block in a block',
      text: '<connection>\nremote a\nconnection x\n</connection>',
      line: 3,
      directive: 'connection',
    },
    {
      name: 'a wrong value',
      text: '<connection>\nremote a\nmssfix x\n</connection>',
      line: 3,
      directive: 'mssfix',
    },
    {
      name: 'fragment over TCP',
      text: '<connection>\nremote a 1 tcp\nfragment 1200\n</connection>',
      line: 3,
      directive: 'fragment',
    },
    {
      name: 'http-proxy with UDP',
      text: '<connection>\nremote a\nhttp-proxy p 80\n</connection>',
      line: 3,
      directive: 'http-proxy',
    },
    {
      name: 'no closing tag',
      text: '<connection>\nremote a\n<ca>\nx\n</ca>',
      line: 1,
      directive: undefined,
    },
  ])('$name is told with its line', ({ text, line, directive }) => {
    const first = errorOf(`${text}\n${profileWith()}`).problems[0];
    expect([first?.line, first?.directive]).toEqual([line, directive]);
  });

  test('is none where the profile allows for the unknown', () => {
    const { remotes } = read('ignore-unknown-option odd', block('odd x', 'setenv opt odder y'));
    expect(remotes).toHaveLength(1);
  });
});
