import { afterEach, describe, expect, test } from 'vitest';
import type { OvpnErrorCode } from '../../src/core/errors.ts';
import { createAuthority, SERIAL, serverOptions } from './certificates.ts';
import { createClient, createServer, identityOf, Pair, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

const DAY_MS = 86_400_000;
const { authority } = pki;
const stranger = createAuthority('another authority');
const sameName = createAuthority();
const past = {
  notBefore: new Date(Date.now() - 3 * DAY_MS),
  notAfter: new Date(Date.now() - DAY_MS),
};
const future = {
  notBefore: new Date(Date.now() + DAY_MS),
  notAfter: new Date(Date.now() + 3 * DAY_MS),
};
const server = authority.issue(serverOptions());

let stop = () => {};
afterEach(() => stop());

async function meet(crl: string, tlsVersion: '1.2' | '1.3') {
  const versions = { tlsVersionMin: tlsVersion, tlsVersionMax: tlsVersion };
  const raw = new RawServer(server);
  const client = createClient({ identity: identityOf(pki.client, { ...versions, crl }) });
  stop = () => {
    client.service.stop();
    raw.stop();
  };
  await raw.serve(client);
  return { raw, client };
}

interface Row {
  readonly name: string;
  readonly crl: string;
  readonly code: OvpnErrorCode;
}

const NOT_A_LIST = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';

describe.each(['1.2', '1.3'] as const)('with crl-verify, over TLS %s, a client', (version) => {
  // biome-ignore format: a table, one row a line
  test.each<Row>([
    { name: 'that names the certificate',    crl: authority.revoke([7, SERIAL]),       code: 'OVPN_CERT_REVOKED' },
    { name: 'that has expired',              crl: authority.revoke([], past),          code: 'OVPN_CRL_UNUSABLE' },
    { name: 'that is not valid yet',         crl: authority.revoke([], future),        code: 'OVPN_CRL_UNUSABLE' },
    { name: 'of another issuer',             crl: stranger.revoke([]),                 code: 'OVPN_CRL_UNUSABLE' },
    { name: 'of an issuer of the same name', crl: sameName.revoke([]),                 code: 'OVPN_CRL_UNUSABLE' },
    { name: 'that cannot be read',           crl: NOT_A_LIST,                          code: 'OVPN_TLS_FAILED' },
  ])('refuses the server by a list $name', async ({ crl, code }) => {
    const { raw, client } = await meet(crl, version);
    expect(client.code).toBe(code);
    expect(raw.receivedBytes).toBe(0);
  });

  test.each([
    { name: 'an empty list', crl: authority.revoke([]) },
    { name: 'a list of others', crl: authority.revoke([7]) },
    { name: 'a further list of another issuer', crl: authority.revoke([]) + stranger.revoke([7]) },
  ])('accepts the server by $name', async ({ crl }) => {
    const { client } = await meet(crl, version);
    expect(client.error).toBeUndefined();
    expect(client.states).toEqual(['0:S_START', '0:S_SENT_KEY']);
  });
});

describe('a server with a list of revoked clients', () => {
  test.each([
    { name: 'refuses who is on it', crl: authority.revoke([SERIAL]), code: 'OVPN_CERT_REVOKED' },
    {
      name: 'refuses all once it has expired',
      crl: authority.revoke([], past),
      code: 'OVPN_CRL_UNUSABLE',
    },
    { name: 'accepts the others', crl: authority.revoke([7]), code: undefined },
  ])('$name', async ({ crl, code }) => {
    const served = createServer({ identity: identityOf(pki.server, { crl }) });
    const pair = new Pair(createClient({ identity: identityOf(pki.client) }), served);
    pair.begin();
    await pair.settle();
    pair.stop();
    expect(served.code).toBe(code);
  });
});
