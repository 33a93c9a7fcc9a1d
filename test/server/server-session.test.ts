import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { TlsCryptV2ServerKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import { resolveServerOptions, type VpnServerOptions } from '../../src/server/server-options.ts';
import { pushesOf, SERVER_MSSFIX, serverSessionOptions } from '../../src/server/server-session.ts';
import { SimLink } from '../sim/sim-link.ts';
import { createAuthority, serverOptions } from '../tlsstate/certificates.ts';

const authority = createAuthority();
const own = authority.issue(serverOptions());
const key = new Secret(Buffer.alloc(256, 1));
const serverKey = new Secret(Buffer.alloc(128, 2));
const wrappedKey = new TlsCryptV2ServerKey(serverKey.reveal()).wrap(key.reveal(), Buffer.alloc(9));

function options(changes: Partial<VpnServerOptions> = {}) {
  return resolveServerOptions({
    ca: authority.certPem,
    cert: own.certPem,
    key: own.keyPem,
    ...changes,
  });
}

describe('pushesOf', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'the defaults',            changes: {},                                             pushes: ['ping 10', 'ping-restart 60'] },
    { name: 'parts of a second, up',   changes: { keepalive: { pingMs: 100, pingRestartMs: 1500 } }, pushes: ['ping 1', 'ping-restart 2'] },
    { name: 'keepalive off',           changes: { keepalive: { pingMs: 0, pingRestartMs: 0 } }, pushes: [] },
    { name: 'comp-lzo no, first',      changes: { compression: 'comp-lzo-no' },                 pushes: ['comp-lzo no', 'ping 10', 'ping-restart 60'] },
    { name: 'compress stub',           changes: { compression: 'stub' },                        pushes: ['compress stub', 'ping 10', 'ping-restart 60'] },
    { name: 'compress stub-v2',        changes: { compression: 'stub-v2' },                     pushes: ['compress stub-v2', 'ping 10', 'ping-restart 60'] },
    { name: 'another mtu, own pushes', changes: { tunMtu: 1400, pushes: ['route 10.1.0.0 255.255.0.0'] }, pushes: ['tun-mtu 1400', 'ping 10', 'ping-restart 60', 'route 10.1.0.0 255.255.0.0'] },
  ] as const)('$name', ({ changes, pushes }) => {
    expect(pushesOf(options(changes))).toEqual(pushes);
  });
});

describe('serverSessionOptions', () => {
  const pool = new AddressPool({ subnet6: 'fd00::/64' });
  const made = (address = pool.allocate(), changes: Partial<VpnServerOptions> = {}) =>
    serverSessionOptions(
      {
        link: new SimLink(
          { localAddress: '', localPort: 0, remoteAddress: '192.0.2.9', remotePort: 7 },
          () => {},
        ),
        ids: { local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) },
        peerId: 5,
        gateway: pool.server,
        address: () => address,
        authenticate: async () => ({ ok: true }),
        wrappedKey,
      },
      options({ pushes: ['dhcp-option DNS 10.8.0.1'], ...changes }),
    );
  const tls = (session: ReturnType<typeof made>) => {
    const server = session.stack.tls(() => {});
    if (server.role !== 'server') throw new Error('expected a server');
    return server;
  };
  const cipher = DATA_CIPHERS.get('AES-128-GCM');
  if (cipher === undefined) throw new Error('no such cipher');
  const facts = {
    cipher,
    negotiatesCipher: true,
    peerId: 5,
    tlsEkm: true,
    ccExit: true,
    dynTlsCrypt: true,
    aeadEpoch: false,
    ivProto: 0xfff,
    tokenOptions: [],
  };

  test('pushes the client’s own address, its id and what was agreed on', () => {
    const [push] = tls(made()).handshake.buildPush(facts);
    expect(push?.split(',')).toEqual([
      'PUSH_REPLY',
      'topology subnet',
      'route-gateway 10.8.0.1',
      'ifconfig 10.8.0.2 255.255.255.0',
      'ifconfig-ipv6 fd00::2/64 fd00::1',
      'peer-id 5',
      'cipher AES-128-GCM',
      'protocol-flags cc-exit tls-ekm dyn-tls-crypt',
      'ping 10',
      'ping-restart 60',
      'dhcp-option DNS 10.8.0.1',
    ]);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'by default all', changes: {},                     grants: { dynTlsCrypt: true, aeadEpoch: true } },
    { name: 'no wrap',        changes: { dynTlsCrypt: false }, grants: { dynTlsCrypt: false, aeadEpoch: true } },
    { name: 'no epochs',      changes: { aeadEpoch: false },   grants: { dynTlsCrypt: true, aeadEpoch: false } },
  ])('grants clients what the options say: $name', ({ changes, grants }) => {
    expect(tls(made(undefined, changes)).handshake.grants).toEqual(grants);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'no wrap',      wrap: { kind: 'none' },                                       of0: 'none' },
    { name: 'tls-auth',     wrap: { kind: 'tls-auth', key, direction: 0, digest: 'SHA1' }, of0: 'tls-auth' },
    { name: 'tls-crypt',    wrap: { kind: 'tls-crypt', key },                             of0: 'tls-crypt' },
    { name: 'tls-crypt-v2', wrap: { kind: 'tls-crypt-v2', serverKey },                    of0: 'tls-crypt-v2' },
  ] as const)('$name: protects key id 0, and later ones once it has settled', ({ wrap, of0 }) => {
    const { stack, wraps } = made(undefined, { wrap });
    expect(stack.muxer.wrapFor(0)?.name).toBe(of0);
    expect(stack.muxer.wrapFor(1)).toBeUndefined();
    wraps.settle(undefined);
    expect(stack.muxer.wrapFor(1)?.name).toBe(of0);
  });

  test('says its digest, framing and key direction in the options string', () => {
    const wrap = { kind: 'tls-auth', key, direction: 0, digest: 'SHA256' } as const;
    const changes = { wrap, auth: 'SHA256', compression: 'stub' } as const;
    const session = made(undefined, changes);
    expect(tls(session).handshake.optionsString).toMatch(
      /,comp-lzo,keydir 0,auth SHA256,keysize 128,tls-auth,key-method 2,tls-server$/,
    );
    expect(session.settings).toMatchObject({ auth: 'SHA256', compression: 'stub' });
    expect(session.stack.data.auth).toBe('SHA256');
  });

  test('cannot push before there is an address', () => {
    const session = serverSessionOptions(
      {
        link: made().stack.link,
        ids: { local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) },
        peerId: 5,
        gateway: pool.server,
        address: () => undefined,
        authenticate: async () => ({ ok: true }),
      },
      options(),
    );
    expect(() => tls(session).handshake.buildPush(facts)).toThrow('without an address');
  });

  test('pushes no cipher to a client that does not negotiate it', () => {
    const [push] = tls(made()).handshake.buildPush({ ...facts, negotiatesCipher: false });
    expect(push).not.toContain('cipher');
  });

  test('asks clients for a certificate made for clients, unless none is wanted', () => {
    expect(tls(made()).identity.checks.remoteCertTls).toBe('client');
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'epochs',                changes: {},                                                    maxMss: 1396 },
    { name: 'AEAD without epochs',   changes: { aeadEpoch: false },                                  maxMss: 1400 },
    { name: 'AEAD with a framing',   changes: { aeadEpoch: false, compression: 'stub' },             maxMss: 1399 },
    { name: 'CBC and SHA1',          changes: { dataCiphers: ['AES-256-CBC'] },                      maxMss: 1364 },
    { name: 'CBC and SHA512',        changes: { dataCiphers: ['AES-256-CBC'], auth: 'SHA512' },      maxMss: 1320 },
    { name: 'the widest of several', changes: { dataCiphers: ['AES-256-GCM', 'AES-256-CBC'] },       maxMss: 1364 },
  ] as const)('keeps inner segments below the outer mtu: $name', ({ changes, maxMss }) => {
    expect(SERVER_MSSFIX).toBeLessThanOrEqual(1500);
    expect(made(undefined, changes).stack.tun).toEqual({ mtu: 1500, maxMss });
  });
});
