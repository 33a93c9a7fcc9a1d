import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DIRECTIVES, type DirectiveRule } from '../../src/config/directives.ts';
import { readProfile } from '../../src/config/read-profile.ts';
import { OvpnConfigError } from '../../src/core/errors.ts';
import type { Profile } from '../../src/model/profile.ts';
import { CA, CERT, KEY, TLS_AUTH, TLS_CRYPT, TLS_CRYPT_V2 } from './sample-profile.ts';

/** Arguments with which each implemented directive is right, and what it needs beside it. */
const SAMPLES: Readonly<Record<string, readonly [args: string, ...beside: string[]]>> = {
  'allow-compression': ['asym'],
  auth: ['SHA256'],
  'auth-nocache': [''],
  'auth-retry': ['interact'],
  'auth-user-pass': ['pass.txt'],
  bind: [''],
  'block-ipv6': [''],
  ca: ['ca.crt'],
  cert: ['client.crt', 'key client.key'],
  cipher: ['AES-256-CBC'],
  client: [''],
  'client-nat': ['snat 192.168.0.0 255.255.0.0 10.64.0.0'],
  'comp-lzo': ['no'],
  'compat-mode': ['2.4.0'],
  compress: ['stub-v2'],
  'connect-retry': ['5 60'],
  'connect-retry-max': ['3'],
  'connect-timeout': ['10'],
  connection: [''],
  'crl-verify': ['list.crl'],
  'data-ciphers': ['AES-128-GCM:?AES-256-GCM'],
  'data-ciphers-fallback': ['AES-256-CBC'],
  dev: ['tun'],
  'dev-type': ['tun'],
  'dhcp-option': ['DNS 10.8.0.1'],
  dns: ['server 0 address 10.8.0.1'],
  'ecdh-curve': ['prime256v1'],
  'explicit-exit-notify': ['2'],
  'extra-certs': ['ca.crt'],
  float: [''],
  fragment: ['1200'],
  'hand-window': ['30'],
  'http-proxy': ['proxy.example 3128', 'proto tcp', 'remote a 1 tcp'],
  'http-proxy-option': ['AGENT "a browser"'],
  'http-proxy-user-pass': ['pass.txt'],
  ifconfig: ['10.8.0.2 255.255.255.0'],
  'ifconfig-ipv6': ['fd00::2/64 fd00::1'],
  'ignore-unknown-option': ['new-one'],
  inactive: ['3600 1000'],
  keepalive: ['10 60'],
  key: ['client.key', 'cert client.crt'],
  'key-direction': ['1'],
  'key-method': ['2'],
  keysize: ['256'],
  local: ['127.0.0.1'],
  lport: ['5000'],
  'max-packet-size': ['1300'],
  mode: ['p2p'],
  mssfix: ['1400 mtu'],
  'mtu-test': [''],
  'ncp-ciphers': ['AES-256-GCM'],
  'ncp-disable': ['', 'cipher AES-256-GCM'],
  nobind: [''],
  'ns-cert-type': ['server'],
  'peer-fingerprint': [Array.from({ length: 32 }, () => 'ab').join(':')],
  'persist-tun': [''],
  ping: ['10'],
  'ping-exit': ['60'],
  'ping-restart': ['60'],
  port: ['443'],
  proto: ['udp4'],
  'proto-force': ['udp'],
  pull: [''],
  'pull-filter': ['ignore "dhcp-option DNS"'],
  'push-peer-info': [''],
  'redirect-gateway': ['def1 bypass-dhcp'],
  'redirect-private': [''],
  remote: ['other.example 443 tcp'],
  'remote-cert-eku': ['"TLS Web Server Authentication"'],
  'remote-cert-ku': ['a0 88'],
  'remote-cert-tls': ['server'],
  'remote-random': [''],
  'remote-random-hostname': [''],
  'reneg-bytes': ['1000000'],
  'reneg-pkts': ['1000000'],
  'reneg-sec': ['0'],
  'replay-window': ['128 30'],
  'resolv-retry': ['infinite'],
  route: ['10.0.0.0 255.0.0.0'],
  'route-gateway': ['10.8.0.1'],
  'route-ipv6': ['fd01::/64'],
  'route-metric': ['5'],
  'route-nopull': [''],
  rport: ['443'],
  scramble: ['obfuscate key'],
  'server-poll-timeout': ['10'],
  'session-timeout': ['3600'],
  setenv: ['UV_A b'],
  'socks-proxy': ['127.0.0.1 1080 pass.txt'],
  'static-challenge': ['"Your code" 1 concat', 'auth-user-pass'],
  'tls-auth': ['ta.key 1'],
  'tls-cert-profile': ['preferred'],
  'tls-cipher': ['TLS-ECDHE-RSA-WITH-AES-256-GCM-SHA384'],
  'tls-ciphersuites': ['TLS_AES_256_GCM_SHA384'],
  'tls-client': [''],
  'tls-crypt': ['tc.key'],
  'tls-crypt-v2': ['tc2.key'],
  'tls-groups': ['X25519:secp256r1'],
  'tls-timeout': ['2'],
  'tls-version-max': ['1.3'],
  'tls-version-min': ['1.2 or-highest'],
  topology: ['subnet'],
  'tran-window': ['3600'],
  'tun-mtu': ['1400'],
  'verify-hash': [Array.from({ length: 32 }, () => 'ab').join(':')],
  'verify-x509-name': ['server name'],
  'x509-username-field': ['CN'],
};

/** Read from files of their own, in the tests of keys and certificates. */
const ELSEWHERE: ReadonlySet<string> = new Set(['pkcs12', 'askpass']);

const directory = mkdtempSync(join(tmpdir(), 'tundial-positions-'));
const path = join(directory, 'client.ovpn');
const LIST = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';

beforeAll(() => {
  const files = {
    'ca.crt': CA,
    'client.crt': CERT,
    'client.key': KEY,
    'ta.key': TLS_AUTH,
    'tc.key': TLS_CRYPT,
    'tc2.key': TLS_CRYPT_V2,
    'list.crl': LIST,
    'pass.txt': 'me\nsecret\n',
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  }
});
afterAll(() => rmSync(directory, { recursive: true }));

type Outcome = Profile | OvpnConfigError;

function outcomeOf(text: string): Outcome {
  writeFileSync(path, text);
  try {
    return readProfile(path);
  } catch (error) {
    if (error instanceof OvpnConfigError) return error;
    throw error;
  }
}

/** A profile around the line, which comes first, unless the line takes a part of it over. */
function around(line: string, beside: readonly string[]): string {
  const [name = ''] = line.split(/\s/, 1);
  const others = [
    'client',
    ...(beside.some((one) => one.startsWith('remote ')) ? [] : ['remote vpn.example']),
    'ca ca.crt',
    'setenv CLIENT_CERT 0',
    ...beside,
  ];
  const rest = others.filter((other) => name === 'setenv' || !other.startsWith(`${name} `));
  return `${[line, ...rest].join('\n')}\n`;
}

/** Each word in its own quotes. */
function quoted(args: string): string {
  return args.replace(/"[^"]*"|\S+/g, (word) => (word.startsWith('"') ? word : `"${word}"`));
}

interface Case {
  readonly name: string;
  readonly rule: DirectiveRule;
  readonly args: string;
  readonly beside: readonly string[];
}

const CASES: readonly Case[] = [...DIRECTIVES].flatMap(([name, rule]): Case[] => {
  if (rule.class !== 'implement') return [{ name, rule, args: 'x', beside: [] }];
  const [args, ...beside] = SAMPLES[name] ?? ['no sample'];
  return ELSEWHERE.has(name) || name === 'connection' ? [] : [{ name, rule, args, beside }];
});

/** The directive ends as its class says. */
function expectClass(outcome: Outcome, { name, rule }: Case, line: number): void {
  if (rule.class === 'refuse') {
    expect(outcome).toBeInstanceOf(OvpnConfigError);
    expect((outcome as OvpnConfigError).problems).toContainEqual({
      code: 'OVPN_CONFIG_REFUSED',
      directive: name,
      line,
      message: rule.reason,
    });
  } else if (rule.class === 'implement') {
    expect(outcome).not.toBeInstanceOf(Error);
  } else {
    const entry = { directive: name, line, level: rule.class, reason: rule.reason };
    expect((outcome as Profile).ignored).toContainEqual(entry);
  }
}

const WAYS: readonly { way: string; text: (one: Case) => string }[] = [
  { way: 'a line', text: ({ name, args, beside }) => around(`${name} ${args}`, beside) },
  { way: 'two dashes', text: ({ name, args, beside }) => around(`--${name} ${args}`, beside) },
  { way: 'tabs', text: ({ name, args, beside }) => around(`${name} \t${args}\t `, beside) },
  { way: 'quotes', text: ({ name, args, beside }) => around(`${name} ${quoted(args)}`, beside) },
  { way: 'a comment', text: ({ name, args, beside }) => around(`${name} ${args} ; "x`, beside) },
  {
    way: 'CRLF',
    text: ({ name, args, beside }) => around(`${name} ${args}`, beside).replaceAll('\n', '\r\n'),
  },
  {
    way: 'a byte order mark',
    text: (one) => `\ufeff${around(`${one.name} ${one.args}`, one.beside)}`,
  },
  {
    way: 'setenv opt',
    text: ({ name, args, beside }) => around(`setenv opt ${name} ${args}`, beside),
  },
];

test('every implemented directive has a sample', () => {
  const names = [...DIRECTIVES].filter(([, { class: kind }]) => kind === 'implement');
  expect(
    names.map(([name]) => name).filter((name) => !(name in SAMPLES) && !ELSEWHERE.has(name)),
  ).toEqual([]);
});

describe.each(CASES)('$name', (one) => {
  test('ends in its class, however it is written', () => {
    for (const { way, text } of WAYS) {
      const written =
        way === 'setenv opt' && one.name === 'setenv' ? WAYS[0]?.text(one) : text(one);
      expectClass(outcomeOf(written ?? ''), one, 1);
    }
  });

  test('stands in a connection block, or is refused there', () => {
    const { name, rule, args, beside } = one;
    const own = name === 'remote' ? '' : 'remote a 1\n';
    const extra = beside.includes('proto tcp') ? 'proto tcp\n' : '';
    const outcome = outcomeOf(
      around(`<connection>\n${name} ${args}\n${own}${extra}</connection>`, beside),
    );
    if (rule.inConnection || rule.class === 'refuse') expectClass(outcome, one, 2);
    else {
      expect((outcome as OvpnConfigError).problems).toContainEqual({
        code: 'OVPN_CONFIG_REFUSED',
        directive: name,
        line: 2,
        message: 'cannot stand inside <connection>',
      });
    }
  });
});
