import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TlsEngine } from '../../src/tlsstate/tls-engine.ts';
import {
  clientOptions,
  createAuthority,
  type Issued,
  selfSigned,
  serverOptions,
} from './certificates.ts';
import { NO_CHECKS, pki } from './pair.ts';

const SCRIPT = fileURLToPath(new URL('judging-process.js', import.meta.url));
const run = promisify(execFile);

const { authority } = pki;
const stranger = createAuthority();
const ofStranger = stranger.issue(serverOptions());
let directory: string;
let strangersCa: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tundial-environment-'));
  strangersCa = join(directory, 'ca.pem');
  writeFileSync(strangersCa, stranger.certPem);
});

afterAll(() => rmSync(directory, { recursive: true }));

interface Outcome {
  readonly kind: string;
  readonly code?: string;
  readonly receivedBytes: number;
  readonly naive: string;
}

/** What the client of the built package says of `shown`, in a process of its own. */
async function judged(
  shown: Issued,
  env: Record<string, string>,
  flags: readonly string[],
): Promise<Outcome> {
  const client = {
    ca: authority.certPem,
    cert: pki.client.certPem,
    tlsVersionMin: '1.2',
    tlsVersionMax: '1.3',
    checks: { ...NO_CHECKS, remoteCertTls: 'server' },
    clientCertificate: 'required',
  };
  const server = { cert: shown.certPem, key: shown.keyPem };
  const facts = JSON.stringify({ server, client, clientKey: pki.client.keyPem });
  const { stdout } = await run(process.execPath, [...flags, SCRIPT, facts], {
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
  });
  return JSON.parse(stdout);
}

const ENVIRONMENTS = [
  {
    name: 'NODE_TLS_REJECT_UNAUTHORIZED=0',
    env: () => ({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }),
    flags: [],
  },
  {
    name: 'NODE_EXTRA_CA_CERTS',
    env: () => ({ NODE_EXTRA_CA_CERTS: strangersCa }),
    flags: [],
  },
  {
    name: 'SSL_CERT_FILE and --use-openssl-ca',
    env: () => ({ SSL_CERT_FILE: strangersCa }),
    flags: ['--use-openssl-ca'],
  },
  {
    name: 'all of them',
    env: () => ({
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
      NODE_EXTRA_CA_CERTS: strangersCa,
      SSL_CERT_FILE: strangersCa,
    }),
    flags: ['--use-openssl-ca', '--tls-min-v1.0'],
  },
];

describe.each(ENVIRONMENTS)(`${TlsEngine.name} with $name`, ({ env, flags }) => {
  test.each([
    {
      name: "a stranger's authority, which the environment trusts",
      shown: ofStranger,
      code: 'OVPN_CERT_UNTRUSTED',
    },
    {
      name: 'a self-signed certificate',
      shown: selfSigned(serverOptions()),
      code: 'OVPN_CERT_UNTRUSTED',
    },
    {
      name: "a client's certificate of the right authority",
      shown: authority.issue(clientOptions()),
      code: 'OVPN_CERT_PURPOSE',
    },
  ])('refuses $name, and tells it nothing', async ({ shown, code }) => {
    const { naive, ...ours } = await judged(shown, env(), flags);
    expect(ours).toEqual({ kind: 'failed', code, receivedBytes: 0 });
    // The environment does what it says, to those who let it.
    if (shown === ofStranger) expect(naive).toBe('connected');
  });

  test('still accepts a good one', async () => {
    expect(await judged(pki.server, env(), flags)).toMatchObject({ kind: 'secure' });
  });
});
