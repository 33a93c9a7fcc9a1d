import { afterEach, describe, expect, test } from 'vitest';
import { createClient, createServer, identityOf, Pair, pki } from './pair.ts';
import { RawServer } from './raw-server.ts';

type Version = '1.2' | '1.3';
interface Range {
  readonly tlsVersionMin: Version;
  readonly tlsVersionMax: Version;
}

const ONLY_12: Range = { tlsVersionMin: '1.2', tlsVersionMax: '1.2' };
const ONLY_13: Range = { tlsVersionMin: '1.3', tlsVersionMax: '1.3' };
const BOTH: Range = { tlsVersionMin: '1.2', tlsVersionMax: '1.3' };

let stop = () => {};
afterEach(() => stop());

describe('tls-version-min and tls-version-max', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'both ends have both',               client: BOTH,    server: BOTH,    version: 'TLSv1.3' },
    { name: "the client's ceiling",              client: ONLY_12, server: BOTH,    version: 'TLSv1.2' },
    { name: "the server's ceiling",              client: BOTH,    server: ONLY_12, version: 'TLSv1.2' },
    { name: "the client's floor",                client: ONLY_13, server: BOTH,    version: 'TLSv1.3' },
    { name: "the server's floor",                client: BOTH,    server: ONLY_13, version: 'TLSv1.3' },
    { name: 'a floor above the other ceiling',   client: ONLY_13, server: ONLY_12, version: undefined },
    { name: 'a ceiling below the other floor',   client: ONLY_12, server: ONLY_13, version: undefined },
  ])('$name: $version', async ({ client, server, version }) => {
    const pair = new Pair(
      createClient({ identity: identityOf(pki.client, client) }),
      createServer({ identity: identityOf(pki.server, server) }),
    );
    stop = () => pair.stop();
    pair.begin();
    await pair.settle();
    for (const end of [pair.client, pair.server]) {
      expect(end.keysEstablished.map(({ facts }) => facts.tlsVersion)).toEqual(
        version === undefined ? [] : [version],
      );
      if (version !== undefined) continue;
      expect(end.code).toMatch(/^OVPN_TLS_(FAILED|REJECTED)$/);
      expect(end.error?.message).toMatch(/version/);
    }
  });

  test.each([
    { name: 'TLS 1.0', minVersion: 'TLSv1', maxVersion: 'TLSv1' },
    { name: 'TLS 1.1', minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' },
    { name: 'TLS 1.0 or 1.1', minVersion: 'TLSv1', maxVersion: 'TLSv1.1' },
  ] as const)('a server that has only $name is refused', async ({ minVersion, maxVersion }) => {
    const raw = new RawServer(pki.server, {
      minVersion,
      maxVersion,
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const client = createClient();
    stop = () => {
      client.service.stop();
      raw.stop();
    };
    await raw.serve(client);
    expect(client.code).toMatch(/^OVPN_TLS_(FAILED|REJECTED)$/);
    expect(client.error?.message).toMatch(/tls-version-min|TLS versions/);
    expect(raw.receivedBytes).toBe(0);
    expect(client.keys).toEqual([]);
  });
});
