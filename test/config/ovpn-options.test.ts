import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { MAX_PROBLEMS } from '../../src/config/ovpn-tokens.ts';
import { readProfile } from '../../src/config/read-profile.ts';
import { MAX_REMOTES } from '../../src/config/read-remotes.ts';
import { MAX_PEER_INFO_LINES } from '../../src/config/read-session.ts';
import {
  CA,
  CERT,
  errorOf,
  inline,
  KEY,
  profileWith,
  REQUIRED,
  read,
  SERVER_KEY,
  TLS_CRYPT,
} from './sample-profile.ts';

const DIGEST = Array.from({ length: 32 }, (_, at) => at.toString(16).padStart(2, '0')).join(':');

function without(start: string): string {
  return REQUIRED.filter((line) => !line.startsWith(start)).join('\n');
}

describe('a profile with nothing but what it needs', () => {
  test('has the defaults', () => {
    expect(read()).toEqual({
      remotes: [{ host: 'vpn.example', port: 1194, protocol: 'udp', family: 0 }],
      remoteRandom: false,
      remoteRandomHostname: false,
      resolvRetryMs: Number.POSITIVE_INFINITY,
      connectRetry: { firstMs: 1000, maxMs: 300_000 },
      connectRetryMax: Number.POSITIVE_INFINITY,
      proxy: undefined,
      local: undefined,
      float: false,
      persistTun: false,
      ca: CA.slice(CA.indexOf('-----BEGIN')),
      cert: undefined,
      key: undefined,
      needsKeyPassphrase: false,
      keyPassphrase: undefined,
      pkcs12: undefined,
      crl: undefined,
      revokedSerials: [],
      wrap: { kind: 'none' },
      remoteCertTls: 'server',
      verifyX509Name: undefined,
      peerFingerprints: [],
      verifyHashes: [],
      remoteCertKu: [],
      remoteCertEku: undefined,
      nsCertType: undefined,
      tlsCipher: undefined,
      tlsCiphersuites: undefined,
      tlsGroups: undefined,
      tlsVersionMin: '1.2',
      tlsVersionMax: '1.3',
      dataCiphers: ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'],
      dataCiphersFallback: undefined,
      cipher: undefined,
      auth: 'SHA1',
      compression: 'none',
      allowDecompression: false,
      fragment: 0,
      mtuTest: false,
      scramble: undefined,
      authUserPass: undefined,
      authRetry: 'none',
      authNocache: false,
      staticChallenge: undefined,
      pushPeerInfo: false,
      pullFilters: [],
      routeNopull: false,
      localOptions: [],
      clientNat: [],
      inactive: { ms: 0, bytes: 0 },
      sessionTimeoutMs: 0,
      tunMtu: 1500,
      mssfix: 1492,
      pingMs: 0,
      pingRestartMs: undefined,
      pingExitMs: 0,
      explicitExitNotify: undefined,
      handWindowMs: 60_000,
      tranWindowMs: 3_600_000,
      tlsTimeoutMs: 500,
      renegSecMs: 3_600_000,
      renegBytes: 0,
      renegPackets: 0,
      serverPollTimeoutMs: 120_000,
      replayWindow: { packets: 64, ms: 15_000 },
      peerInfo: [],
      ignored: [],
    });
  });

  test('is frozen, with all its lists', () => {
    const profile = read('setenv UV_A b', 'verb 3', `peer-fingerprint ${DIGEST}`);
    for (const part of [
      profile,
      profile.remotes,
      profile.remotes[0],
      profile.dataCiphers,
      profile.peerInfo,
      profile.peerInfo[0],
      profile.peerFingerprints,
      profile.ignored,
      profile.ignored[0],
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  test.each([
    { name: 'client', text: without('client'), message: 'expected client or pull' },
    { name: 'remote', text: without('remote '), message: 'no remote' },
    { name: 'ca', text: without('<ca>'), message: 'neither ca nor peer-fingerprint' },
    {
      name: 'anything that shows who it is',
      text: without('setenv'),
      message: 'neither cert and key nor auth-user-pass',
    },
  ])('is refused without $name', ({ text, message }) => {
    expect(errorOf(`${text}\n`).message).toContain(message);
  });

  test.each([
    { name: 'auth-user-pass', lines: ['auth-user-pass'] },
    { name: 'cert and key', lines: [inline('cert', CERT), inline('key', KEY)] },
  ])('needs nothing else beside $name', ({ lines }) => {
    expect(readProfile([without('setenv'), ...lines, ''].join('\n')).ignored).toEqual([]);
  });

  test('needs no ca beside a fingerprint', () => {
    expect(errorOf(`${without('<ca>')}\n`).problems.length).toBe(1);
    const { ca, peerFingerprints } = read(`peer-fingerprint ${DIGEST}`);
    expect([ca !== undefined, peerFingerprints.length]).toEqual([true, 1]);
  });

  test('warns when any certificate of the authority could pass for the server', () => {
    const { ignored } = readProfile(`${without('remote-cert-tls')}\n`);
    expect(ignored).toEqual([
      expect.objectContaining({ directive: 'remote-cert-tls', line: 0, level: 'warn' }),
    ]);
    for (const check of [`peer-fingerprint ${DIGEST}`, 'verify-x509-name server name']) {
      expect(readProfile(`${without('remote-cert-tls')}\n${check}\n`).ignored).toEqual([]);
    }
  });
});

describe('problems', () => {
  test('are told all at once, each with its line', () => {
    const { problems, line, directive, code, message } = errorOf(
      ['client', 'remote vpn.example 0', 'no-replay', 'no-such-thing', 'ping x', ''].join('\n'),
    );
    expect(problems.map((problem) => [problem.line, problem.directive, problem.code])).toEqual([
      [2, 'remote', 'OVPN_CONFIG_INVALID'],
      [3, 'no-replay', 'OVPN_CONFIG_REFUSED'],
      [4, undefined, 'OVPN_CONFIG_INVALID'],
      [5, 'ping', 'OVPN_CONFIG_INVALID'],
      [undefined, undefined, 'OVPN_CONFIG_INVALID'],
      [undefined, undefined, 'OVPN_CONFIG_INVALID'],
    ]);
    expect({ line, directive, code }).toEqual({
      line: 2,
      directive: 'remote',
      code: 'OVPN_CONFIG_INVALID',
    });
    expect(message).toContain('profile:3: no-replay: would make the tunnel insecure');
  });

  test('never show what stands in the profile', () => {
    const secret = 'hunter2';
    const error = errorOf(
      [
        secret,
        `remote ${secret}!`,
        `ping ${secret}`,
        `proto ${secret}`,
        `auth ${secret}!`,
        `data-ciphers ${secret}!`,
        `verify-x509-name x ${secret}`,
        `peer-fingerprint ${secret}`,
        `tls-version-min ${secret}`,
        `remote-cert-tls ${secret}`,
        `x509-username-field ${secret}`,
        `mode ${secret}`,
        `key-method ${secret}`,
        `pull-filter ${secret}`,
        `"${secret}`,
        `${secret}\x01`,
        inline('tls-crypt', secret),
        inline('key', secret),
        inline('ca', secret),
        inline(secret, secret),
        inline('connection', `${secret}\nremote ${secret}!`),
        '',
      ].join('\n'),
    );
    expect(error.problems.length).toBeGreaterThan(20);
    expect(inspect(error, { depth: 9 }) + JSON.stringify(error.problems)).not.toContain(secret);
  });

  test('are at most as many as can be read', () => {
    expect(errorOf('x\n'.repeat(5000)).problems.length).toBe(MAX_PROBLEMS);
    expect(errorOf('"\n'.repeat(5000)).problems.length).toBe(MAX_PROBLEMS);
  });

  test('names of Object are unknown directives', () => {
    expect(
      errorOf(profileWith('__proto__ x', 'constructor y')).problems.map(({ line }) => line),
    ).toHaveLength(2);
  });
});

describe('unknown directives', () => {
  test.each([
    { name: 'ignore-unknown-option', lines: ['ignore-unknown-option new-one other', 'new-one 1'] },
    {
      name: 'ignore-unknown-option behind it',
      lines: ['new-one 1', 'ignore-unknown-option new-one'],
    },
    { name: 'two dashes', lines: ['ignore-unknown-option --new-one', 'new-one 1'] },
    { name: 'setenv opt', lines: ['setenv opt new-one 1'] },
    { name: 'setenv FORWARD_COMPATIBLE', lines: ['setenv FORWARD_COMPATIBLE 1', 'new-one 1'] },
  ])('pass with $name', ({ lines }) => {
    expect(read(...lines).ignored).toContainEqual(
      expect.objectContaining({ directive: 'new-one', level: 'quiet' }),
    );
  });

  test('setenv opt is the directive itself where it is known', () => {
    expect(read('setenv opt tun-mtu 1400').tunMtu).toBe(1400);
    expect(errorOf(profileWith('setenv opt no-replay')).directive).toBe('no-replay');
  });

  test('ignore-unknown-option does not pass over a known one', () => {
    expect(errorOf(profileWith('ignore-unknown-option no-replay', 'no-replay')).directive).toBe(
      'no-replay',
    );
  });

  test('a known directive is no block', () => {
    expect(errorOf(profileWith(inline('verb', '3'))).message).toContain(
      'cannot be written as a block',
    );
  });
});

describe('remotes', () => {
  const udp = { protocol: 'udp', family: 0 };
  test.each([
    { name: 'a port of its own', lines: ['remote a 53'], last: { host: 'a', port: 53, ...udp } },
    {
      name: 'the general port',
      lines: ['remote a', 'port 443'],
      last: { host: 'a', port: 443, ...udp },
    },
    { name: 'rport', lines: ['remote a', 'rport 443'], last: { host: 'a', port: 443, ...udp } },
    {
      name: 'the general protocol',
      lines: ['remote a', 'proto tcp'],
      last: { host: 'a', port: 1194, protocol: 'tcp', family: 0 },
    },
    {
      name: 'tcp-client',
      lines: ['remote a 1 tcp-client'],
      last: { host: 'a', port: 1, protocol: 'tcp', family: 0 },
    },
    {
      name: 'tcp6-client',
      lines: ['remote a 1 tcp6-client'],
      last: { host: 'a', port: 1, protocol: 'tcp', family: 6 },
    },
    {
      name: 'udp4',
      lines: ['remote a 1 udp4'],
      last: { host: 'a', port: 1, protocol: 'udp', family: 4 },
    },
    {
      name: 'upper case',
      lines: ['remote a 1 UDP6'],
      last: { host: 'a', port: 1, protocol: 'udp', family: 6 },
    },
    {
      name: 'an IPv6 address',
      lines: ['remote fd00::1 1'],
      last: { host: 'fd00::1', port: 1, ...udp },
    },
  ])('$name', ({ lines, last }) => {
    expect(read(...lines).remotes.at(-1)).toEqual(last);
  });

  test('proto-force keeps those of one protocol', () => {
    const { remotes } = read('remote a 1 tcp', 'proto-force tcp');
    expect(remotes.map(({ host }) => host)).toEqual(['a']);
    expect(errorOf(profileWith('proto-force tcp')).message).toContain(
      'proto-force leaves no remote',
    );
  });

  test('connection blocks take the place of remotes outside them', () => {
    const { remotes } = read(
      'port 443',
      inline('connection', 'remote a 1\nproto tcp'),
      inline('connection', 'remote b'),
      inline('connection', 'rport 5\nremote c'),
    );
    expect(remotes).toEqual([
      { host: 'a', port: 1, protocol: 'tcp', family: 0 },
      { host: 'b', port: 443, protocol: 'udp', family: 0 },
      { host: 'c', port: 5, protocol: 'udp', family: 0 },
    ]);
  });

  test.each([
    { name: 'no remote in a block', lines: [inline('connection', 'port 1')] },
    { name: 'verb in a block', lines: [inline('connection', 'remote a\nverb 3')] },
    { name: 'connection as a line', lines: ['connection a'] },
    { name: 'port 0', lines: ['remote a 0'] },
    { name: 'port 65536', lines: ['remote a 65536'] },
    { name: 'a port that is none', lines: ['port 1e3'] },
    { name: 'tcp-server', lines: ['remote a 1 tcp-server'] },
    { name: 'another protocol', lines: ['proto sctp'] },
    { name: 'no host', lines: ['remote'] },
    { name: 'a host with a blank', lines: ['remote "a b" 1'] },
    { name: 'too many', lines: Array.from({ length: MAX_REMOTES }, () => 'remote a') },
  ])('refuses $name', ({ lines }) => {
    expect(errorOf(profileWith(...lines)).problems).toHaveLength(1);
  });

  test('a problem in a connection block has its own line', () => {
    expect(
      errorOf(`<connection>\nremote a\nremote a 0\n</connection>\n${profileWith()}`).line,
    ).toBe(3);
  });
});

describe('certificates and keys', () => {
  const identity = [inline('cert', CERT), inline('key', KEY)];
  test('are taken from blocks, without what surrounds the PEM', () => {
    const { cert, key } = read(...identity);
    expect(cert).toMatch(
      /^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/,
    );
    expect(key?.reveal()).toContain('PRIVATE KEY');
    expect(inspect(key) + JSON.stringify(key)).toBe('[redacted]"[redacted]"');
  });

  test('extra-certs come after the certificate', () => {
    const { cert = '' } = read(...identity, inline('extra-certs', CA));
    expect(cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(read(...identity).cert).toBe(cert.slice(0, cert.lastIndexOf('-----BEGIN')));
  });

  test('crl-verify holds the lists, and nothing else of the file', () => {
    const list = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----';
    const { crl } = read(inline('crl-verify', `text around\n${list}\n${list}`));
    expect(crl).toBe(`${list}\n${list}\n`);
    expect(read().crl).toBeUndefined();
  });

  test.each([
    { name: 'a directory', lines: ['crl-verify revoked dir'] },
    { name: 'a file without a list', lines: [inline('crl-verify', CA)] },
    { name: 'no file', lines: ['crl-verify'] },
  ])('crl-verify refuses $name', ({ lines }) => {
    expect(() => read(...lines)).toThrow(/crl-verify/);
  });

  test('tls-crypt holds the 256 bytes', () => {
    const { wrap } = read(inline('tls-crypt', TLS_CRYPT));
    expect(wrap.kind === 'tls-crypt' && wrap.key.reveal().length).toBe(256);
  });

  const encrypted =
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----';
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
  test.each([
    { name: 'cert without key', lines: [inline('cert', CERT)], message: 'cert without key' },
    { name: 'key without cert', lines: [inline('key', KEY)], message: 'key without cert' },
    {
      name: 'the key of another',
      lines: [inline('cert', CERT), inline('key', SERVER_KEY)],
      message: 'does not belong',
    },
    {
      name: 'a key that is none',
      lines: [inline('cert', CERT), inline('key', encrypted.replaceAll('ENCRYPTED ', ''))],
      message: 'cannot be read',
    },
    {
      name: 'a certificate that is none',
      lines: [inline('ca', CA + broken)],
      message: 'certificate 2 cannot be read',
    },
    { name: 'no certificate', lines: [inline('ca', 'x')], message: 'no PEM certificate' },
    {
      name: 'no key',
      lines: [inline('cert', CERT), inline('key', CERT)],
      message: 'no PEM private key',
    },
    {
      name: 'a short tls-crypt key',
      lines: [inline('tls-crypt', TLS_CRYPT.replace(/[0-9a-f]{32}\n/, ''))],
      message: '256 bytes',
    },
    { name: 'a file in a profile of text', lines: ['ca ca.crt'], message: 'cannot name files' },
    { name: 'no file', lines: ['ca'], message: 'expected a file name or an inline block' },
  ])('refuses $name', ({ lines, message }) => {
    expect(errorOf(profileWith(...lines)).message).toContain(message);
  });
});

describe('credentials', () => {
  test('are asked for by auth-user-pass alone', () => {
    expect(read('auth-user-pass').authUserPass).toEqual({
      username: undefined,
      password: undefined,
    });
  });

  test('may stand in the profile', () => {
    const { authUserPass } = read(inline('auth-user-pass', 'me\n<hidden>'));
    expect(authUserPass?.username).toBe('me');
    expect(authUserPass?.password?.reveal()).toBe('<hidden>');
    expect(inspect(authUserPass) + JSON.stringify(authUserPass)).not.toContain('<hidden>');
  });

  test('may lack the password', () => {
    expect(read(inline('auth-user-pass', 'me')).authUserPass).toEqual({
      username: 'me',
      password: undefined,
    });
  });

  test('need a user name', () => {
    expect(errorOf(profileWith('<auth-user-pass>\n\nx\n</auth-user-pass>')).directive).toBe(
      'auth-user-pass',
    );
  });
});

describe('peer checks', () => {
  test.each([
    { line: 'verify-x509-name server name', check: { type: 'name', value: 'server' } },
    { line: 'verify-x509-name serv name-prefix', check: { type: 'name-prefix', value: 'serv' } },
    { line: 'verify-x509-name "C=DE, CN=a b"', check: { type: 'subject', value: 'C=DE, CN=a b' } },
  ])('$line', ({ line, check }) => {
    expect(read(line).verifyX509Name).toEqual(check);
  });

  test('fingerprints add up, comments in a block do not count', () => {
    const other = DIGEST.replace('00', 'FF');
    const { peerFingerprints } = read(
      `peer-fingerprint ${DIGEST}`,
      inline('peer-fingerprint', `# mine\n${other}\n\n; end\n`),
    );
    expect(peerFingerprints.map((digest) => digest.length)).toEqual([32, 32]);
    expect(peerFingerprints[1]?.readUInt8(0)).toBe(0xff);
  });

  test.each([
    { line: 'tls-version-min 1.3', versions: ['1.3', '1.3'] },
    { line: 'tls-version-min 1.4 or-highest', versions: ['1.3', '1.3'] },
    { line: 'tls-version-max 1.2', versions: ['1.2', '1.2'] },
    { line: 'tls-version-min 1.0', versions: ['1.2', '1.3'] },
    { line: 'tls-version-min 1.1 or-highest', versions: ['1.2', '1.3'] },
  ])('$line', ({ line, versions }) => {
    const { tlsVersionMin, tlsVersionMax } = read(line);
    expect([tlsVersionMin, tlsVersionMax]).toEqual(versions);
  });

  test('tls-version-min above tls-version-max is refused at the later one', () => {
    const text = `tls-version-min 1.3\ntls-version-max 1.2\n${profileWith()}`;
    expect(errorOf(text)).toMatchObject({ directive: 'tls-version-max', line: 2 });
  });

  test.each([
    'tls-version-min',
    'tls-version-max',
    'tls-version-max 1.4',
    'tls-version-max 1.1',
    'tls-version-min 1.2 what',
    'tls-version-min 1.3\ntls-version-max 1.2',
    'remote-cert-tls both',
    'verify-x509-name',
    'verify-x509-name x y',
    `peer-fingerprint ${DIGEST.slice(3)}`,
    'peer-fingerprint',
    'tls-cipher DEFAULT:@SECLEVEL=0',
    'tls-cipher eNULL',
    'tls-cert-profile insecure',
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).problems).toHaveLength(1);
  });
});

describe('ranges', () => {
  const bad = ['-1', '1e3', '0x10', '٣', '4294967296', '99999999999', 'NaN', ''];
  const names = [
    'ping',
    'ping-restart',
    'ping-exit',
    'hand-window',
    'tran-window',
    'tls-timeout',
    'reneg-sec',
    'tun-mtu',
    'mssfix',
    'replay-window',
    'port',
    'server-poll-timeout',
    'explicit-exit-notify',
  ];
  test.each(names)('%s takes only whole numbers in its range', (name) => {
    for (const value of bad) {
      expect(errorOf(profileWith(`${name} "${value}"`)).directive).toBe(name);
    }
  });

  test.each([
    'ping 86401',
    'keepalive 10',
    'keepalive 10 19',
    'keepalive 0 60',
    'hand-window 0',
    'tun-mtu 575',
    'tun-mtu 9001',
    'mssfix 1400 x',
    'replay-window 65537',
    'replay-window 64 601',
    'reneg-bytes -1',
    'key-direction 2',
    'explicit-exit-notify 101',
    'mode server',
    'key-method 1',
    'dev tap0',
    'dev',
    'dev-type tap',
    'dev null',
    'pull-filter drop x',
    'pull-filter reject',
    'pull-filter ignore dhcp-option DNS',
    'setenv GENERIC_CONFIG 1',
    `setenv UV_X ${'x'.repeat(257)}`,
    'tls-cipher-x y',
  ])('refuses %s', (line) => {
    expect(errorOf(profileWith(line)).problems).toHaveLength(1);
  });

  test('ping-restart and ping-exit exclude each other', () => {
    const exit = read('ping-restart 60', 'ping-exit 30');
    expect([exit.pingRestartMs, exit.pingExitMs]).toEqual([0, 30_000]);
    const restart = read('ping-exit 30', 'keepalive 10 60');
    expect([restart.pingRestartMs, restart.pingExitMs]).toEqual([60_000, 0]);
  });
});

describe('setenv', () => {
  test('UV_ and three IV_ names become peer info, the last of a name wins', () => {
    const { peerInfo } = read('setenv UV_A 1', 'setenv IV_GUI_VER "x 1"', 'setenv UV_A 2');
    expect(peerInfo).toEqual([
      ['IV_GUI_VER', 'x 1'],
      ['UV_A', '2'],
    ]);
  });

  test('CLIENT_CERT 0 lets a profile be without certificate and password', () => {
    expect(read().ignored).toEqual([]);
    expect(errorOf(profileWith('setenv CLIENT_CERT 0', 'cert x')).message).not.toContain(
      'CLIENT_CERT',
    );
  });

  test.each(['IV_PROTO 990', 'IV_CIPHERS x', 'IV_SSO webauth', 'PATH /x', 'CLIENT_CERT 1', 'UV_'])(
    '%s has no effect',
    (words) => {
      const { peerInfo, ignored } = read(`setenv ${words}`);
      expect([peerInfo.length, ignored.length]).toEqual([0, 1]);
    },
  );

  test('has a limit', () => {
    const lines = Array.from({ length: MAX_PEER_INFO_LINES + 1 }, (_, at) => `setenv UV_${at} x`);
    expect(errorOf(profileWith(...lines)).problems).toHaveLength(1);
  });
});
