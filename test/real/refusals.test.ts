import { afterEach, describe, expect, test } from 'vitest';
import { createAuthority, createStaticKeyText, type IssueOptions } from '../../src/server/pki.ts';
import type { Background, Finished } from '../lab/commands.ts';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { ConfigChanges, Lab } from '../lab/lab.ts';
import { LAB, type TunnelKind } from '../lab/openvpn-config.ts';
import { dissect } from '../lab/tshark.ts';
import { createV2Keys } from '../lab/v2-keys.ts';

/** How long a refusal may take where the server answers, start of the process included. */
const ANSWERED_MS = 2_000;
/** The same where it does not: `--timeout` and as much again for the rest. */
const UNANSWERED_MS = 4_000;

/** One way in which a connection must fail. */
interface Refusal {
  readonly name: string;
  readonly kind?: TunnelKind;
  /** What the client has instead of it. */
  readonly clientKind?: TunnelKind;
  /** What either end has of its own. */
  readonly server?: 'none' | 'silent' | Changes;
  readonly client?: Changes;
  readonly password?: string;
  readonly code: string;
  readonly status: number;
  readonly says: RegExp;
  readonly withinMs: number;
}

/** Two ends whose control wraps do not fit, and what silence is called then. */
interface Misfit extends Pick<Refusal, 'name' | 'client' | 'clientKind' | 'says'> {
  readonly kind: TunnelKind;
  readonly silence?: string;
}

type Changes = (lab: Lab) => ConfigChanges | Promise<ConfigChanges>;

const ANSWERED = { withinMs: ANSWERED_MS };
const UNANSWERED = { withinMs: UNANSWERED_MS };

/** The server's certificate is not what it should be. */
// biome-ignore format: a table, one row a line
const CERTIFICATES: readonly Refusal[] = [
  { name: 'another ca', client: otherAuthority,
    code: 'OVPN_CERT_UNTRUSTED', status: 77, says: /CN=lab-server.* issued by the configured ca/, ...ANSWERED },
  { name: 'an expired certificate', server: (lab) => issued(lab, { notAfter: new Date(Date.now() - 60_000) }),
    code: 'OVPN_CERT_EXPIRED', status: 77, says: /has expired/, ...ANSWERED },
  { name: 'a client certificate', server: (lab) => issued(lab, { purpose: 'client' }),
    code: 'OVPN_CERT_PURPOSE', status: 77, says: /made for a server/, ...ANSWERED },
  { name: 'no extended key usage', server: (lab) => issued(lab, { extensions: { extendedKeyUsage: [] } }),
    code: 'OVPN_CERT_NO_EKU', status: 77, says: /extended key usage/, ...ANSWERED },
  { name: 'another name', client: () => ({ lines: ['verify-x509-name other-server name'] }),
    code: 'OVPN_CERT_NAME', status: 77, says: /other-server/, ...ANSWERED },
];

// biome-ignore format: a table, one row a line
const OTHERS: readonly Refusal[] = [
  { name: 'another tls-crypt key, over UDP', kind: { wrap: 'tls-crypt' }, client: otherStaticKey,
    code: 'OVPN_WRAP_UNANSWERED', status: 69, says: /tls-crypt key/, ...UNANSWERED },
  { name: 'another tls-crypt key, over TCP', kind: { wrap: 'tls-crypt', proto: 'tcp' }, client: otherStaticKey,
    code: 'OVPN_LINK_CLOSED', status: 69, says: /closed/, ...ANSWERED },
  { name: 'a wrong password', password: 'wrong',
    code: 'OVPN_AUTH_FAILED', status: 77, says: /user name|password|credentials/i, ...ANSWERED },
  { name: 'no shared cipher', server: () => ({ lines: ['data-ciphers CHACHA20-POLY1305'] }),
    code: 'OVPN_NO_SHARED_CIPHER', status: 76, says: /cipher/, ...ANSWERED },
  { name: 'no server', server: 'none',
    code: 'OVPN_UNREACHABLE', status: 69, says: /192\.168\.77\.1 port 1194/, ...ANSWERED },
  { name: 'a server that is silent', server: 'silent',
    code: 'OVPN_SERVER_SILENT', status: 69, says: /within 2 s/, ...UNANSWERED },
  { name: 'tls-verify in the profile', server: 'none', client: () => ({ lines: ['tls-verify /bin/true'] }),
    code: 'OVPN_CONFIG_REFUSED', status: 78, says: /client-\d+\.ovpn:\d+: tls-verify/, ...ANSWERED },
  { name: 'a ca file that is not there', server: 'none', client: () => ({ caPem: '', lines: ['ca /nowhere/ca.crt'] }),
    code: 'OVPN_FILE_UNREADABLE', status: 66, says: /ca/, ...ANSWERED },
];

/** The control wraps do not fit: over UDP nobody answers, over TCP the server hangs up. */
// biome-ignore format: a table, one row a line
const MISFITS: readonly Misfit[] = [
  { name: 'another tls-auth key',         kind: { wrap: 'tls-auth' },                       client: otherStaticKey,                       says: /its tls-auth key is not/ },
  { name: 'the same key-direction',       kind: { wrap: 'tls-auth', direction: 0 },         clientKind: { direction: 1 },                 says: /key-direction or auth differ/ },
  { name: 'a key-direction at one end',   kind: { wrap: 'tls-auth', direction: 0 },         clientKind: { direction: undefined },         says: /key-direction or auth differ/ },
  { name: 'another digest',               kind: { wrap: 'tls-auth', auth: 'SHA256' },       clientKind: { auth: 'SHA512' },               says: /key-direction or auth differ/ },
  { name: 'another tls-crypt-v2 server key', kind: { wrap: 'tls-crypt-v2' },                client: otherV2Key,                           says: /its tls-crypt-v2 key is not/ },
  { name: 'tls-crypt-v2 for tls-crypt',   kind: { wrap: 'tls-crypt' },                      clientKind: { wrap: 'tls-crypt-v2' },         says: /its tls-crypt-v2 key is not/ },
  { name: 'tls-crypt for tls-crypt-v2',   kind: { wrap: 'tls-crypt-v2' },                   clientKind: { wrap: 'tls-crypt' },            says: /its tls-crypt key is not/ },
  { name: 'tls-crypt for tls-auth',       kind: { wrap: 'tls-auth' },                       clientKind: { wrap: 'tls-crypt' },            says: /its tls-crypt key is not/ },
  { name: 'no wrap for tls-crypt',        kind: { wrap: 'tls-crypt' },                      clientKind: { wrap: 'none' },                 says: /wants a control wrap/, silence: 'OVPN_SERVER_SILENT' },
];

const WRAPS: readonly Refusal[] = [
  ...MISFITS.flatMap(({ name, silence = 'OVPN_WRAP_UNANSWERED', ...row }): Refusal[] => [
    { ...row, name: `${name}, UDP`, code: silence, status: 69, ...UNANSWERED },
    {
      ...row,
      name: `${name}, TCP`,
      kind: { ...row.kind, proto: 'tcp' },
      code: 'OVPN_LINK_CLOSED',
      says: /closed/,
      status: 69,
      ...ANSWERED,
    },
  ]),
  {
    // The server opens what the client sends, and answers.
    name: 'a key-direction of the server alone, TCP',
    kind: { wrap: 'tls-auth', direction: 1, proto: 'tcp' },
    clientKind: { direction: undefined },
    code: 'OVPN_PROTOCOL',
    status: 76,
    says: /key-direction or auth differ/,
    ...ANSWERED,
  },
];

describeInLab('a connection that must fail', (lab) => {
  afterEach(() => lab.quiet());

  test.each([...CERTIFICATES, ...OTHERS, ...WRAPS])(
    '$name: $code, status $status',
    async (refusal) => {
      const server = await startServer(lab, refusal);

      const finished = await connect(lab, refusal);

      expect(errorOf(finished)).toMatchObject({
        code: refusal.code,
        message: expect.stringMatching(refusal.says),
      });
      expect(finished.status).toBe(refusal.status);
      expect(finished.elapsedMs).toBeLessThan(refusal.withinMs);
      if (refusal.code === 'OVPN_AUTH_FAILED') {
        // What the tests below look for in vain.
        await server?.stop();
        expect(server?.count('peer info: IV_VER')).toBeGreaterThan(0);
        expect(server?.count('password asked for')).toBeGreaterThan(0);
      }
    },
  );

  test('a profile that is not there: OVPN_FILE_UNREADABLE, status 66', async () => {
    const finished = await lab.tundial(['fetch', '--json', '/nowhere.ovpn', 'http://10.99.0.1/']);

    expect(errorOf(finished)).toMatchObject({ code: 'OVPN_FILE_UNREADABLE' });
    expect(finished.status).toBe(66);
  });

  test('each cause has a code of its own', () => {
    const codes = [...CERTIFICATES, ...OTHERS].map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });

  describe('before the certificate of the server is accepted no credential leaves', () => {
    test.each(CERTIFICATES)('$name, TLS 1.3: the server got no key exchange', async (refusal) => {
      const server = await startServer(lab, refusal);

      await connect(lab, refusal);
      await server?.stop();

      expect(server?.count('multi_create_instance called')).toBeGreaterThan(0);
      expect(server?.count('peer info: IV_VER')).toBe(0);
      expect(server?.count('password asked for')).toBe(0);
    });

    test.each(CERTIFICATES)('$name, TLS 1.2: no record with data', async (refusal) => {
      const records = await clientRecords(lab, refusal);
      expect(records).toContain(HANDSHAKE);
      expect(records).not.toContain(APPLICATION_DATA);
    });

    test('an accepted one, TLS 1.2: there they are', async () => {
      expect(await clientRecords(lab, {})).toContain(APPLICATION_DATA);
    });
  });
});

/** Starts what is to be found at the server's address. */
async function startServer(lab: Lab, { kind, server }: Case): Promise<Background | undefined> {
  if (server === 'none') return undefined;
  if (server === 'silent') {
    const silent = lab.script('server', 'test/lab/silent-server.js', [
      LAB.server,
      String(LAB.port),
    ]);
    await silent.until('listening');
    return silent;
  }
  return lab.startServer({ ...KIND, ...kind }, await server?.(lab));
}

/** Runs `tundial fetch`, which has a user name and a password to give. */
async function connect(lab: Lab, refusal: Case): Promise<Finished> {
  const { kind, clientKind, client, password = 'lab', withinMs } = refusal;
  const profile = lab.profile({ ...KIND, ...kind, ...clientKind }, await client?.(lab));
  const login = lab.loginFile(password);
  const timeout = withinMs === UNANSWERED_MS ? ['--timeout', '2'] : [];
  const url = `http://${LAB.tunnelServer}/`;
  return lab.tundial(['fetch', '--json', ...timeout, '--auth-user-pass', login, profile, url]);
}

/** The types of the TLS records that the client sent, in a session of TLS 1.2. */
async function clientRecords(lab: Lab, refusal: Case): Promise<string[]> {
  const { server } = refusal;
  const changes = typeof server === 'function' ? await server(lab) : {};
  await lab.startServer(KIND, { ...changes, lines: ['tls-version-max 1.2'] });
  const capture = await lab.capture('records.pcapng');
  await connect(lab, refusal);
  await capture.stop();
  const filter = `ip.src == ${LAB.client} && tls.record`;
  const packets = dissect(capture.file, ['tls.record.content_type'], { filter });
  return packets.flatMap((packet) => packet['tls.record.content_type']);
}

/** The record of the error on standard output. */
function errorOf({ stdout }: Finished): unknown {
  return (JSON.parse(stdout) as { error?: unknown }).error;
}

async function issued(lab: Lab, changes: Partial<IssueOptions>): Promise<ConfigChanges> {
  return lab.authority.issue({ commonName: 'lab-server', purpose: 'server', ...changes });
}

async function otherAuthority(): Promise<ConfigChanges> {
  return { caPem: (await createAuthority('lab-ca')).certPem };
}

function otherStaticKey(): ConfigChanges {
  return { staticKey: createStaticKeyText() };
}

function otherV2Key(): ConfigChanges {
  return { v2Key: createV2Keys().client };
}

type Case = Partial<Refusal>;

const KIND: TunnelKind = { wrap: 'none', login: 'user' };

/** TLS record types (RFC 8446 §5.1). */
const HANDSHAKE = '22';
const APPLICATION_DATA = '23';
