import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIRECTIVES } from '../../src/config/directives.ts';
import { MAX_PUSH_BYTES, MAX_PUSH_OPTIONS, readPushOptions } from '../../src/config/push-reply.ts';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { NO_PUSH_OPTIONS, type PushOptions } from '../../src/model/push-options.ts';

interface PushMessage {
  readonly capture: string;
  readonly text: string;
}

const { push_messages } = JSON.parse(
  readFileSync(new URL('../vectors/vectors.json', import.meta.url), 'utf8'),
) as { push_messages: PushMessage[] };

/** Options of each recorded reply, its parts put together. */
const REPLIES = recordedReplies();

function recordedReplies(): { name: string; options: string[] }[] {
  const replies: { name: string; options: string[] }[] = [];
  let pending: string[] = [];
  for (const { capture, text } of push_messages) {
    const [kind, ...options] = text.replace(/\0$/, '').split(',');
    if (kind !== 'PUSH_REPLY') continue;
    pending.push(...options);
    if (options.at(-1) === 'push-continuation 2') continue;
    replies.push({ name: `${capture} (${replies.length})`, options: pending });
    pending = [];
  }
  return replies;
}

function codeOf(options: readonly string[]): string {
  try {
    readPushOptions(options);
  } catch (error) {
    if (error instanceof OvpnProtocolError) return error.code;
    throw error;
  }
  return 'read';
}

/** A push with its token shown, so that it can be compared. */
type ShownPush = Omit<PushOptions, 'authToken'> & { readonly authToken: string | undefined };

function shown(push: PushOptions): ShownPush {
  return { ...push, authToken: push.authToken?.reveal() };
}

const NOTHING: ShownPush = shown(NO_PUSH_OPTIONS);

describe('recorded replies', () => {
  test('are twelve', () => {
    expect(REPLIES).toHaveLength(12);
  });

  test.each(REPLIES)('$name', ({ name, options }) => {
    const isTokenOnly = options.length === 1;
    const flags = options.find((option) => option.startsWith('protocol-flags')) ?? '';
    const routes = options.filter((option) => option.startsWith('route 10'));
    const token = options.find((option) => option.startsWith('auth-token '))?.slice(11);
    const hidden = options.map((text) =>
      text.startsWith('auth-token ') ? 'auth-token [redacted]' : text,
    );
    const inner = isTokenOnly
      ? {}
      : {
          ipv4: { address: '10.8.0.2', prefixLength: 24, peer: undefined },
          topology: 'subnet',
          routeGateway: options.includes('route-gateway 10.8.0.1') ? '10.8.0.1' : undefined,
          peerId: name.startsWith('13-') ? undefined : 0,
          cipher: 'AES-256-GCM',
          tunMtu: 1500,
        };
    const result = shown(readPushOptions(options));
    expect(result).toEqual({
      ...NOTHING,
      ...inner,
      routes: routes.map((route) => ({
        address: route.split(' ')[1],
        prefixLength: 24,
        gateway: undefined,
        via: 'tunnel',
      })),
      tlsEkm: flags.includes('tls-ekm'),
      ccExit: flags.includes('cc-exit'),
      dynTlsCrypt: flags.includes('dyn-tls-crypt'),
      aeadEpoch: name.startsWith('50-') || name.startsWith('54-'),
      authToken: token,
      echoes: name.startsWith('42-') ? ['a\\b c'] : [],
      texts: hidden,
      ignored: name.startsWith('42-')
        ? [
            {
              option: 'dhcp-option DOMAIN "quoted domain.example"',
              reason: 'expected a domain name',
            },
            { option: 'setenv-safe FOO bar', reason: 'has no meaning without a kernel device' },
          ]
        : [],
    });
  });
});

describe('readPushOptions', () => {
  test('reads nothing as nothing, frozen', () => {
    const result = readPushOptions([]);
    expect(shown(result)).toEqual(NOTHING);
    expect([result, result.routes, result.texts, result.ignored].every(Object.isFrozen)).toBe(true);
  });

  test('does not show a token', () => {
    const push = readPushOptions(['auth-token canary-token']);
    expect(inspect(push, { depth: 9 }) + JSON.stringify(push)).not.toContain('canary');
    expect(push.authToken?.reveal()).toBe('canary-token');
  });

  test.each<{ name: string; options: string[]; expected: Partial<ShownPush> }>([
    {
      name: 'subnet',
      options: ['ifconfig 10.8.0.2 255.255.0.0', 'topology subnet'],
      expected: {
        topology: 'subnet',
        ipv4: { address: '10.8.0.2', prefixLength: 16, peer: undefined },
      },
    },
    {
      name: 'net30 by default',
      options: ['ifconfig 10.8.0.6 10.8.0.5'],
      expected: {
        topology: 'net30',
        ipv4: { address: '10.8.0.6', prefixLength: 30, peer: '10.8.0.5' },
      },
    },
    {
      name: 'p2p',
      options: ['topology p2p', 'ifconfig 10.8.0.4 10.8.0.1'],
      expected: {
        topology: 'p2p',
        ipv4: { address: '10.8.0.4', prefixLength: 32, peer: '10.8.0.1' },
      },
    },
    {
      name: 'the last ifconfig',
      options: ['ifconfig 1.1.1.1 1.1.1.2', 'ifconfig 10.8.0.4 10.8.0.1'],
      expected: { ipv4: { address: '10.8.0.4', prefixLength: 30, peer: '10.8.0.1' } },
    },
    {
      name: 'ifconfig-ipv6',
      options: ['ifconfig-ipv6 FD00::2/64 fd00::1'],
      expected: { ipv6: { address: 'fd00::2', prefixLength: 64, peer: 'fd00::1' } },
    },
    {
      name: 'ifconfig-ipv6 without a gateway',
      options: ['ifconfig-ipv6 fd00::2/64'],
      expected: { ipv6: { address: 'fd00::2', prefixLength: 64, peer: undefined } },
    },
    {
      name: 'a host route',
      options: ['route 10.9.0.1'],
      expected: {
        routes: [{ address: '10.9.0.1', prefixLength: 32, gateway: undefined, via: 'tunnel' }],
      },
    },
    {
      name: 'routes add up',
      options: ['route 10.9.3.1 255.255.0.0 vpn_gateway 5', 'route 10.7.0.0 255.255.0.0 10.8.0.9'],
      expected: {
        routes: [
          { address: '10.9.0.0', prefixLength: 16, gateway: undefined, via: 'tunnel' },
          { address: '10.7.0.0', prefixLength: 16, gateway: '10.8.0.9', via: 'tunnel' },
        ],
      },
    },
    {
      name: 'IPv6 routes',
      options: ['route-ipv6 fd01::/48', 'route-ipv6 ::/0 fd00::1 4'],
      expected: {
        routes: [
          { address: 'fd01::', prefixLength: 48, gateway: undefined, via: 'tunnel' },
          { address: '::', prefixLength: 0, gateway: 'fd00::1', via: 'tunnel' },
        ],
      },
    },
    {
      name: 'timers',
      options: ['ping 10', 'ping-restart 60', 'inactive 300 1000', 'session-timeout 86400'],
      expected: {
        pingMs: 10_000,
        pingRestartMs: 60_000,
        inactiveMs: 300_000,
        inactiveBytes: 1000,
        sessionTimeoutMs: 86_400_000,
      },
    },
    {
      name: 'ping-exit after ping-restart',
      options: ['ping-restart 60', 'ping-exit 30'],
      expected: { pingRestartMs: undefined, pingExitMs: 30_000 },
    },
    {
      name: 'timers switched off',
      options: ['ping 0', 'ping-restart 0'],
      expected: { pingMs: 0, pingRestartMs: 0 },
    },
    {
      name: 'key-derivation',
      options: ['key-derivation tls-ekm'],
      expected: { tlsEkm: true, ccExit: false },
    },
    {
      name: 'flags',
      options: ['protocol-flags cc-exit tls-ekm'],
      expected: { tlsEkm: true, ccExit: true },
    },
    {
      name: 'a cipher in lower case',
      options: ['cipher aes-128-gcm'],
      expected: { cipher: 'AES-128-GCM' },
    },
    {
      name: 'the last cipher',
      options: ['cipher AES-128-GCM', 'cipher AES-256-GCM'],
      expected: { cipher: 'AES-256-GCM' },
    },
    { name: 'the highest peer id', options: ['peer-id 16777214'], expected: { peerId: 0xff_fffe } },
    { name: 'no peer id', options: ['peer-id 16777215'], expected: { peerId: undefined } },
    {
      name: 'explicit-exit-notify',
      options: ['explicit-exit-notify'],
      expected: { explicitExitNotify: 1 },
    },
    {
      name: 'explicit-exit-notify with a number',
      options: ['explicit-exit-notify 3'],
      expected: { explicitExitNotify: 3 },
    },
    {
      name: 'a token and its user',
      options: ['auth-token abc', 'auth-token-user bWU='],
      expected: {
        authToken: 'abc',
        authTokenUser: 'me',
        texts: ['auth-token [redacted]', 'auth-token-user [redacted]'],
      },
    },
    {
      name: 'tabs, quotes and blanks',
      options: ['  "tun-mtu"\t\'1400\' '],
      expected: { tunMtu: 1400 },
    },
    {
      name: 'the mark of a continued push',
      options: ['push-continuation 1'],
      expected: { texts: ['push-continuation 1'] },
    },
  ])('$name', ({ options, expected }) => {
    expect(shown(readPushOptions(options))).toEqual({
      ...NOTHING,
      ...expected,
      texts: expect.anything(),
    });
    expect(readPushOptions(options).texts).toEqual(
      expected.texts ?? options.map((text) => text.replaceAll('\t', '\\x09')),
    );
  });

  test.each([
    'ifconfig 10.8.0.2',
    'ifconfig 10.8.0.2 255.255.255.0',
    'ifconfig host 10.8.0.1',
    'ifconfig 127.0.0.1 10.8.0.1',
    'ifconfig',
    'ifconfig-ipv6 fd00::2',
    'ifconfig-ipv6 ::1/64',
    'ifconfig-ipv6 fd00::2/0 fd00::1',
    'ifconfig-ipv6 fd00::2/64 gw',
    'topology ring',
    'topology',
    'peer-id -1',
    'peer-id 16777216',
    'peer-id 1e3',
    'peer-id',
    'cipher',
    'cipher "AES 256"',
    'key-derivation prf',
    'protocol-flags cc-exit tls-ekm aead-epoch',
    'compress zstd',
    'compress LZ4',
    'comp-lzo maybe',
  ])('%s ends the session', (option) => {
    expect(codeOf([option])).toBe('OVPN_PUSH_INVALID');
  });

  test.each([
    { topology: 'subnet', ifconfig: 'ifconfig 10.8.0.2 10.8.0.1' },
    { topology: 'subnet', ifconfig: 'ifconfig 10.8.0.2 0.0.0.0' },
    { topology: 'p2p', ifconfig: 'ifconfig 10.8.0.2 255.255.255.0' },
  ])('$ifconfig does not fit topology $topology', ({ topology, ifconfig }) => {
    expect(codeOf([ifconfig, `topology ${topology}`])).toBe('OVPN_PUSH_INVALID');
  });

  test.each([
    'route-gateway dhcp',
    'route host',
    'route 10.0.0.0 255.0.255.0',
    'route net_gateway',
    'redirect-gateway everything',
    'client-nat snat 10.0.0.0 255.0.0.0',
    'keepalive 10',
    'route 10.0.0.0 255.0.0.0 gw.example',
    'route',
    'route-ipv6 fd00::',
    'route-ipv6 fd00::/8 gw',
    'tun-mtu 575',
    'tun-mtu 9001',
    'tun-mtu 0x5dc',
    'ping -1',
    'ping 2147484',
    'ping-restart 4294967296',
    'ping-exit 1e9',
    'inactive ٣',
    'session-timeout NaN',
    'explicit-exit-notify x',
    'auth-token',
    'auth-token-user !',
    'protocol-flags future',
    'a "b',
    'setenv A b',
    'up /bin/sh',
    'remote evil.example',
    '__proto__ x',
    'constructor',
  ])('%s has no effect, and that is told', (option) => {
    const { ignored, texts, ...values } = readPushOptions([option]);
    const { ignored: _none, texts: _empty, ...untouched } = NOTHING;
    expect(values).toEqual(untouched);
    expect(ignored).toHaveLength(1);
    expect(texts).toHaveLength(1);
  });

  test('an MTU below 1280 is not taken beside IPv6', () => {
    const ipv6 = 'ifconfig-ipv6 fd00::2/64 fd00::1';
    expect(readPushOptions(['tun-mtu 1279', ipv6]).tunMtu).toBeUndefined();
    expect(readPushOptions(['tun-mtu 1279', ipv6]).ignored).toHaveLength(1);
    expect(readPushOptions(['tun-mtu 1280', ipv6]).tunMtu).toBe(1280);
    expect(readPushOptions(['tun-mtu 1279']).tunMtu).toBe(1279);
  });

  test('a token stays out of texts and errors, however it is written', () => {
    const written = [
      'auth-token hunter2',
      '  auth-token\thunter2',
      '"auth-token" hunter2',
      '"auth-token hunter2',
    ];
    for (const option of written) {
      const { texts, ignored } = readPushOptions([option]);
      expect(JSON.stringify([texts, ignored])).not.toContain('hunter2');
    }
  });

  test('what is shown is printable', () => {
    expect(readPushOptions(['x \x1b[2J']).texts).toEqual(['x \\x1b[2J']);
  });

  test('a push larger than any honest one ends the session', () => {
    const many = Array.from({ length: MAX_PUSH_OPTIONS }, () => 'echo x');
    expect([codeOf(many), codeOf([...many, 'echo x'])]).toEqual(['read', 'OVPN_PUSH_INVALID']);
    expect(codeOf(['x'.repeat(MAX_PUSH_BYTES + 1)])).toBe('OVPN_PUSH_INVALID');
  });

  test('no other directive of a profile has an effect when it is pushed', () => {
    const allowed = new Set([
      'topology',
      'ifconfig',
      'ifconfig-ipv6',
      'route-gateway',
      'route',
      'route-ipv6',
      'redirect-gateway',
      'redirect-private',
      'block-ipv4',
      'block-ipv6',
      'client-nat',
      'echo',
      'parameter',
      'tun-mtu',
      'dhcp-option',
      'dns',
      'peer-id',
      'cipher',
      'key-derivation',
      'protocol-flags',
      'compress',
      'comp-lzo',
      'ping',
      'ping-restart',
      'ping-exit',
      'keepalive',
      'inactive',
      'session-timeout',
      'explicit-exit-notify',
      'auth-token',
      'auth-token-user',
      'push-continuation',
    ]);
    const others = [...DIRECTIVES.keys()].filter((name) => !allowed.has(name));
    expect(others.length).toBeGreaterThan(200);
    const pushed = others.map((name) => `${name} 1 2`);
    const environment = { ...process.env, cwd: process.cwd() };
    expect(shown(readPushOptions(pushed))).toEqual({
      ...NOTHING,
      texts: pushed,
      ignored: pushed.map((option) => ({ option, reason: expect.any(String) })),
    });
    expect({ ...process.env, cwd: process.cwd() }).toEqual(environment);
  });

  test('any text gives options or the one typed error', () => {
    const word = fc.constantFrom(
      'ifconfig',
      'route',
      'dns',
      'server',
      'address',
      'dhcp-option',
      'DNS',
      'ping',
      'peer-id',
      '10.8.0.1',
      'fd00::1/64',
      '-1',
      '"',
      '\\',
      '',
      '0',
      'auth-token',
      'topology',
      'subnet',
    );
    const option = fc.oneof(
      fc.array(word).map((words) => words.join(' ')),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(option), (options) => {
        expect(['read', 'OVPN_PUSH_INVALID']).toContain(codeOf(options));
      }),
    );
  });
});
