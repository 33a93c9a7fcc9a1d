import { describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { DEFAULT_DATA_CIPHERS } from '../../src/model/ciphers.ts';
import type { Profile } from '../../src/model/profile.ts';
import { inline, profileWith, TLS_CRYPT } from './sample-profile.ts';

const DIGEST = Array.from({ length: 32 }, () => 'ab').join(':');

/** Each implemented directive with a value that is not its default, and what must come of it. */
const DIRECTIVES: readonly { words: readonly string[]; expected: Partial<Profile> }[] = [
  { words: ['remote-random'], expected: { remoteRandom: true } },
  { words: ['server-poll-timeout', '7'], expected: { serverPollTimeoutMs: 7000 } },
  { words: ['connect-timeout', '8'], expected: { serverPollTimeoutMs: 8000 } },
  { words: ['proto', 'udp4'], expected: { remotes: [remote({ family: 4 })] } },
  { words: ['proto', 'tcp-client'], expected: { remotes: [remote({ protocol: 'tcp' })] } },
  { words: ['proto-force', 'udp'], expected: { remotes: [remote({})] } },
  { words: ['remote-cert-tls', 'client'], expected: { remoteCertTls: 'client' } },
  {
    words: ['verify-x509-name', 'a b', 'name'],
    expected: { verifyX509Name: { type: 'name', value: 'a b' } },
  },
  { words: ['peer-fingerprint', DIGEST], expected: { peerFingerprints: [Buffer.alloc(32, 0xab)] } },
  { words: ['tls-version-min', '1.3'], expected: { tlsVersionMin: '1.3' } },
  { words: ['tls-version-max', '1.2'], expected: { tlsVersionMax: '1.2' } },
  { words: ['data-ciphers', 'AES-128-GCM'], expected: { dataCiphers: ['AES-128-GCM'] } },
  { words: ['ncp-ciphers', 'AES-128-GCM'], expected: { dataCiphers: ['AES-128-GCM'] } },
  {
    words: ['data-ciphers-fallback', 'AES-128-GCM'],
    expected: { dataCiphersFallback: 'AES-128-GCM' },
  },
  { words: ['auth', 'SHA512'], expected: { auth: 'SHA512' } },
  { words: ['auth', 'rsa-sha256'], expected: { auth: 'SHA256' } },
  { words: ['auth', 'none'], expected: { auth: 'NONE' } },
  {
    words: ['cipher', 'aes-256-cbc'],
    expected: { cipher: 'AES-256-CBC', dataCiphers: [...DEFAULT_DATA_CIPHERS, 'AES-256-CBC'] },
  },
  { words: ['compress'], expected: { compression: 'stub' } },
  { words: ['compress', 'stub-v2'], expected: { compression: 'stub-v2' } },
  { words: ['comp-lzo', 'no'], expected: { compression: 'comp-lzo-no' } },
  {
    words: ['auth-user-pass'],
    expected: { authUserPass: { username: undefined, password: undefined } },
  },
  { words: ['tun-mtu', '1400'], expected: { tunMtu: 1400 } },
  { words: ['mssfix', '0'], expected: { mssfix: 0 } },
  { words: ['mssfix', '1400'], expected: { mssfix: 1428 } },
  { words: ['mssfix', '1400', 'mtu'], expected: { mssfix: 1400 } },
  { words: ['mssfix', '1400', 'fixed'], expected: { mssfix: 1452 } },
  { words: ['mssfix'], expected: { mssfix: 1492 } },
  { words: ['ping', '5'], expected: { pingMs: 5000 } },
  { words: ['ping-restart', '0'], expected: { pingRestartMs: 0 } },
  { words: ['ping-exit', '60'], expected: { pingExitMs: 60_000 } },
  { words: ['keepalive', '10', '60'], expected: { pingMs: 10_000, pingRestartMs: 60_000 } },
  { words: ['explicit-exit-notify'], expected: { explicitExitNotify: 1 } },
  { words: ['explicit-exit-notify', '3'], expected: { explicitExitNotify: 3 } },
  { words: ['hand-window', '30'], expected: { handWindowMs: 30_000 } },
  { words: ['tran-window', '30'], expected: { tranWindowMs: 30_000 } },
  { words: ['tls-timeout', '1'], expected: { tlsTimeoutMs: 1000 } },
  { words: ['reneg-sec', '0'], expected: { renegSecMs: 0 } },
  { words: ['reneg-sec', '7200', '3600'], expected: { renegSecMs: 7_200_000 } },
  { words: ['reneg-bytes', '1000000'], expected: { renegBytes: 1_000_000 } },
  { words: ['reneg-pkts', '1000'], expected: { renegPackets: 1000 } },
  { words: ['replay-window', '128'], expected: { replayWindow: { packets: 128, ms: 15_000 } } },
  {
    words: ['replay-window', '128', '30'],
    expected: { replayWindow: { packets: 128, ms: 30_000 } },
  },
  { words: ['setenv', 'UV_NAME', 'a b'], expected: { peerInfo: [['UV_NAME', 'a b']] } },
];

function remote(changes: Partial<Profile['remotes'][number]>): Profile['remotes'][number] {
  return { host: 'vpn.example', port: 1194, protocol: 'udp', family: 0, ...changes };
}

const BLOCK = inline('tls-crypt', TLS_CRYPT);

const plain = (words: readonly string[]): string =>
  words.map((word) => (word.includes(' ') ? `"${word}"` : word)).join(' ');

/** Ways to write a profile that must all mean the same. */
const WAYS: readonly { way: string; text: (words: readonly string[]) => string }[] = [
  { way: 'at the end', text: (words) => profileWith(plain(words)) },
  { way: 'after a block', text: (words) => profileWith(BLOCK, plain(words), 'verb 3') },
  { way: 'without a line end', text: (words) => profileWith(BLOCK, plain(words)).trimEnd() },
  {
    way: 'indented with tabs',
    text: (words) => profileWith(`\t${plain(words).replace(' ', '\t \t')}\t`),
  },
  {
    way: 'in double quotes',
    text: (words) => profileWith(words.map((word) => `"${word}"`).join(' ')),
  },
  {
    way: 'in single quotes',
    text: (words) => profileWith(words.map((word) => `'${word}'`).join(' ')),
  },
  {
    way: 'with escapes',
    text: (words) => profileWith(words.map((word) => word.replaceAll(' ', '\\ ')).join(' ')),
  },
  { way: 'before a comment', text: (words) => profileWith(`${plain(words)} # "note`) },
  { way: 'with two dashes', text: (words) => profileWith(`--${plain(words)}`) },
  { way: 'with CRLF', text: (words) => profileWith(BLOCK, plain(words)).replaceAll('\n', '\r\n') },
  { way: 'with a byte order mark', text: (words) => `\ufeff${profileWith(plain(words))}` },
  { way: 'as setenv opt', text: (words) => profileWith(`setenv opt ${plain(words)}`) },
];

describe.each(DIRECTIVES)('$words', ({ words, expected }) => {
  test.each(WAYS)('$way', ({ text }) => {
    expect(readProfile(text(words))).toMatchObject(expected);
  });

  test('at the top', () => {
    const profile = readProfile(`${plain(words)}\n${withoutDouble(words)}`);
    expect(profile).toMatchObject(expected);
  });
});

/** The rest of the profile, without a line that would take the place of the one at the top. */
function withoutDouble([name = '']: readonly string[]): string {
  const lines = profileWith().split('\n');
  return lines.filter((line) => name === 'setenv' || !line.startsWith(`${name} `)).join('\n');
}
