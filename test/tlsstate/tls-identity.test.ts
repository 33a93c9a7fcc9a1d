import tls from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { OvpnErrorCode } from '../../src/core/errors.ts';
import type { TlsIdentity } from '../../src/tlsstate/tls-engine.ts';
import type { PeerChecks } from '../../src/tlsstate/verify-peer.ts';
import {
  CLIENT_AUTH,
  clientOptions,
  commonName,
  createAuthority,
  DIGITAL_SIGNATURE,
  type Issued,
  KEY_CERT_SIGN,
  NON_REPUDIATION,
  selfSigned,
  serverOptions,
} from './certificates.ts';
import { createClient, createServer, identityOf, NO_CHECKS, Pair, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

const DAY_MS = 86_400_000;
const { authority } = pki;
const stranger = createAuthority();
const past = {
  notBefore: new Date(Date.now() - 3 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};
const future = {
  notBefore: new Date(Date.now() + DAY_MS),
  notAfter: new Date(Date.now() + 3 * DAY_MS),
};
/** Now, to the hour, and the validity to the second. */
function bothTimes({ notBefore, notAfter }: { notBefore: Date; notAfter: Date }): RegExp {
  const [from, to] = [notBefore, notAfter].map((time) => time.toISOString().slice(0, 19));
  const day = new Date().toISOString().slice(0, 11);
  return new RegExp(`valid now, ${day}[^ ]+, got ${from}[^ ]* to ${to}.*clock of this machine`);
}
const anyServer = authority.issue(serverOptions());

const isServer: PeerChecks = { ...NO_CHECKS, remoteCertTls: 'server' };
const named = (value: string): PeerChecks => ({
  ...NO_CHECKS,
  verifyX509Name: { type: 'name', value },
});
const pinned = (fingerprint: Buffer): PeerChecks => ({
  ...NO_CHECKS,
  peerFingerprints: [fingerprint],
});
function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(31) ^ 1, 31);
  return copy;
}

interface Refusal {
  readonly name: string;
  readonly server: Issued;
  readonly checks: PeerChecks;
  readonly code: OvpnErrorCode;
  readonly says?: RegExp;
  /** Where OpenSSL's own server cannot show such a certificate over TLS 1.2. */
  readonly only?: '1.3';
}

const refusals: readonly Refusal[] = [
  {
    name: 'a chain to another authority of the same name',
    server: stranger.issue(serverOptions()),
    checks: isServer,
    code: 'OVPN_CERT_UNTRUSTED',
    says: /ca/,
  },
  {
    name: 'a self-signed certificate',
    server: selfSigned(serverOptions()),
    checks: NO_CHECKS,
    code: 'OVPN_CERT_UNTRUSTED',
  },
  {
    name: 'the right name from the wrong authority',
    server: stranger.issue(serverOptions()),
    checks: named('vpn.example'),
    code: 'OVPN_CERT_UNTRUSTED',
  },
  {
    name: 'a certificate that has expired',
    server: authority.issue(serverOptions(past)),
    checks: isServer,
    code: 'OVPN_CERT_EXPIRED',
    says: bothTimes(past),
  },
  {
    name: 'a certificate that is not valid yet',
    server: authority.issue(serverOptions(future)),
    checks: isServer,
    code: 'OVPN_CERT_NOT_YET_VALID',
    says: bothTimes(future),
  },
  {
    name: "another client's certificate (the classic man in the middle)",
    server: authority.issue(clientOptions()),
    checks: isServer,
    code: 'OVPN_CERT_PURPOSE',
  },
  {
    name: "another client's certificate, without remote-cert-tls",
    server: authority.issue(clientOptions()),
    checks: NO_CHECKS,
    code: 'OVPN_CERT_PURPOSE',
  },
  {
    name: 'a certificate that may only sign certificates',
    server: authority.issue(serverOptions({ keyUsage: KEY_CERT_SIGN })),
    checks: isServer,
    code: 'OVPN_CERT_PURPOSE',
    only: '1.3',
  },
  {
    name: 'no extended key usage',
    server: authority.issue(serverOptions({ extendedKeyUsage: undefined })),
    checks: isServer,
    code: 'OVPN_CERT_NO_EKU',
  },
  {
    name: 'no key usage',
    server: authority.issue(serverOptions({ keyUsage: undefined })),
    checks: isServer,
    code: 'OVPN_CERT_KEY_USAGE',
  },
  {
    name: "an authority's own certificate with serverAuth",
    server: authority.issue(
      serverOptions({ authority: true, keyUsage: KEY_CERT_SIGN, subject: commonName('sub') }),
    ),
    checks: isServer,
    code: 'OVPN_CERT_PURPOSE',
    only: '1.3',
  },
  {
    name: 'another name',
    server: anyServer,
    checks: named('other.example'),
    code: 'OVPN_CERT_NAME',
    says: /other\.example.*vpn\.example/,
  },
  {
    name: 'two common names, one of them right',
    server: authority.issue(
      serverOptions({ subject: [...commonName('vpn.example'), ...commonName('evil')] }),
    ),
    checks: named('vpn.example'),
    code: 'OVPN_CERT_NAME',
  },
  {
    name: 'a slash that looks like a second name',
    server: authority.issue(serverOptions({ subject: commonName('vpn.example/CN=evil') })),
    checks: named('vpn.example'),
    code: 'OVPN_CERT_NAME',
  },
  {
    name: 'a fingerprint that differs in one bit',
    server: anyServer,
    checks: pinned(flipped(anyServer.fingerprint)),
    code: 'OVPN_CERT_FINGERPRINT',
  },
  {
    name: 'a chain signed with SHA-1',
    server: authority.issue(serverOptions({ digest: 'sha1' })),
    checks: isServer,
    code: 'OVPN_CERT_UNTRUSTED',
  },
];

let server: RawServer | undefined;
let client: ReturnType<typeof createClient> | undefined;
afterEach(() => {
  client?.service.stop();
  server?.stop();
  vi.unstubAllEnvs();
});

async function meet(
  shown: Issued,
  changes: Partial<TlsIdentity>,
  options: ConstructorParameters<typeof RawServer>[1] = {},
) {
  const raw = new RawServer(shown, options);
  const joined = createClient({ identity: identityOf(pki.client, changes) });
  server = raw;
  client = joined;
  await raw.serve(joined);
  return { raw, joined };
}

describe.each(['1.2', '1.3'] as const)('the client over TLS %s', (version) => {
  const versions = { tlsVersionMin: version, tlsVersionMax: version };

  const shown = refusals.filter(({ only }) => only === undefined || only === version);

  test.each(shown)('refuses $name before it tells anything', async (refusal) => {
    const { raw, joined } = await meet(refusal.server, { ...versions, checks: refusal.checks });
    expect(joined.code).toBe(refusal.code);
    expect(joined.error?.message).toMatch(refusal.says ?? /./);
    expect(joined.error?.cause === undefined || joined.error.cause instanceof Error).toBe(true);
    expect(raw.receivedBytes).toBe(0);
    expect(joined.states).toEqual(['0:S_START', '0:S_ERROR']);
  });

  test('accepts a good one, and then only sends its key method 2', async () => {
    const { raw, joined } = await meet(anyServer, {
      ...versions,
      checks: {
        ...NO_CHECKS,
        remoteCertTls: 'server',
        verifyX509Name: { type: 'name', value: 'vpn.example' },
        peerFingerprints: [flipped(anyServer.fingerprint), anyServer.fingerprint],
      },
    });
    expect(joined.error).toBeUndefined();
    expect(joined.states).toEqual(['0:S_START', '0:S_SENT_KEY']);
    expect(raw.plaintext).toHaveLength(1);
    expect(raw.plaintext[0]?.subarray(0, 5).toString('hex')).toBe('0000000002');
  });

  test('a pinned fingerprint stands for the chain where there is no ca', async () => {
    const shown = stranger.issue(serverOptions());
    const changes = { ...versions, ca: undefined, checks: pinned(shown.fingerprint) };
    expect((await meet(shown, changes)).joined.error).toBeUndefined();
  });

  test('a wrong fingerprint without a ca is refused before anything is told', async () => {
    const shown = stranger.issue(serverOptions());
    const checks = pinned(flipped(shown.fingerprint));
    const { raw, joined } = await meet(shown, { ...versions, ca: undefined, checks });
    expect(joined.code).toBe('OVPN_CERT_FINGERPRINT');
    expect(raw.receivedBytes).toBe(0);
  });

  test('neither ca nor fingerprint: nobody is trusted, least of all the system', async () => {
    const { raw, joined } = await meet(anyServer, { ...versions, ca: undefined });
    expect(joined.code).toBe('OVPN_CERT_UNTRUSTED');
    expect(raw.receivedBytes).toBe(0);
  });
});

describe('a certificate that nobody can describe is refused like any other', () => {
  test.each([
    { name: 'no subject', subject: [], validity: {} },
    { name: 'an escape sequence', subject: commonName('\x1b[2J\x9b2J\n'), validity: {} },
    { name: 'no subject, expired', subject: [], validity: past },
    { name: 'no beginning', subject: commonName('x'), validity: { ...past, notBefore: 'soon' } },
    { name: 'no end', subject: commonName('x'), validity: { ...future, notAfter: 'never' } },
  ])('$name', async ({ subject, validity }) => {
    const shown = serverOptions({ subject, ...validity });
    for (const issued of [selfSigned(shown), authority.issue(shown)]) {
      const { raw, joined } = await meet(issued, { checks: named('vpn.example') });
      expect(joined.code).toMatch(/^OVPN_(CERT|TLS)_/);
      expect(joined.error?.message).toMatch(/^[\x20-\x7e]+$/);
      expect(raw.receivedBytes).toBe(0);
    }
  });
});

describe('what could widen the checks', () => {
  test.each([
    { name: "the profile's", ca: authority.certPem, given: authority.certPem },
    { name: 'none, not the system', ca: undefined, given: [] },
  ])('the authorities are $name', async ({ ca, given }) => {
    const connect = vi.spyOn(tls, 'connect');
    await meet(anyServer, { ca });
    const [options] = connect.mock.calls[0] ?? [];
    connect.mockRestore();
    expect(options).toMatchObject({ ca: given, rejectUnauthorized: true });
  });

  test.each(refusals.slice(0, 6))(
    'NODE_TLS_REJECT_UNAUTHORIZED=0 still refuses $name',
    async (refusal) => {
      vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
      const { raw, joined } = await meet(refusal.server, { checks: refusal.checks });
      expect(joined.code).toBe(refusal.code);
      expect(raw.receivedBytes).toBe(0);
    },
  );

  test('a server of TLS 1.1 only is refused', async () => {
    const { raw, joined } = await meet(
      anyServer,
      {},
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
    );
    expect(['OVPN_TLS_FAILED', 'OVPN_TLS_REJECTED']).toContain(joined.code);
    expect(raw.receivedBytes).toBe(0);
  });

  test('tls-version-min 1.3 is kept against a server of TLS 1.2', async () => {
    const { joined } = await meet(anyServer, { tlsVersionMin: '1.3' }, { maxVersion: 'TLSv1.2' });
    expect(['OVPN_TLS_FAILED', 'OVPN_TLS_REJECTED']).toContain(joined.code);
  });

  test('no server name and no ALPN are sent', async () => {
    const { raw } = await meet(anyServer, {}, { ALPNProtocols: ['h2'] });
    expect(raw.socket?.servername).toBe(false);
    expect(raw.socket?.alpnProtocol).toBe(false);
  });

  test('a renegotiation that the server starts is refused (TLS 1.2)', async () => {
    const { raw, joined } = await meet(anyServer, { tlsVersionMax: '1.2' });
    const answered = new Promise<Error | null>((resolve) => {
      raw.socket?.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    const outcome = await Promise.race([
      answered,
      raw.settle(joined).then(() => new Error('no renegotiation')),
    ]);
    expect(outcome).toBeInstanceOf(Error);
    expect(raw.plaintext).toHaveLength(1);
  });

  test.each(['1.2', '1.3'] as const)('tickets are not used: TLS %s', async (version) => {
    const ticketKeys = Buffer.alloc(48, 7);
    const versions = { tlsVersionMin: version, tlsVersionMax: version };
    for (let time = 0; time < 2; time += 1) {
      const { raw, joined } = await meet(anyServer, versions, { ticketKeys });
      expect(joined.error).toBeUndefined();
      expect(raw.socket?.isSessionReused()).toBe(false);
    }
  });
});

describe('the server', () => {
  async function join(identity: TlsIdentity) {
    const pair = new Pair(createClient({ identity }), createServer());
    pair.begin();
    await pair.settle();
    pair.stop();
    return pair;
  }

  test.each([
    {
      name: 'another authority',
      shown: stranger.issue(clientOptions()),
      code: 'OVPN_CERT_UNTRUSTED',
    },
    { name: 'expired', shown: authority.issue(clientOptions(past)), code: 'OVPN_CERT_EXPIRED' },
    { name: "a server's", shown: anyServer, code: 'OVPN_CERT_PURPOSE' },
    {
      name: 'no subject, another authority',
      shown: stranger.issue(clientOptions({ subject: [] })),
      code: 'OVPN_CERT_UNTRUSTED',
    },
    {
      name: 'no digital signature',
      shown: authority.issue(clientOptions({ keyUsage: NON_REPUDIATION })),
      code: 'OVPN_CERT_PURPOSE',
    },
  ])('refuses a client certificate: $name', async ({ shown, code }) => {
    const { server: served } = await join(identityOf(shown));
    expect(served.code).toBe(code);
    expect(served.messages).toEqual([]);
    expect(served.states).toEqual(['0:S_START', '0:S_ERROR']);
  });

  test('refuses a client without a certificate, and the client hears it', async () => {
    const pair = await join({ ...identityOf(pki.client), cert: undefined, key: undefined });
    expect(pair.server.code).toBe('OVPN_CERT_MISSING');
    expect(pair.client.code).toBe('OVPN_TLS_REJECTED');
  });

  test('refuses by its own checks too', async () => {
    const shown = authority.issue(
      clientOptions({ keyUsage: DIGITAL_SIGNATURE, extendedKeyUsage: [CLIENT_AUTH] }),
    );
    const served = createServer({
      identity: identityOf(pki.server, { checks: named('somebody else') }),
    });
    const pair = new Pair(createClient({ identity: identityOf(shown) }), served);
    pair.begin();
    await pair.settle();
    pair.stop();
    expect(served.code).toBe('OVPN_CERT_NAME');
    expect(served.asked).toEqual([]);
  });
});
