import { describe, expect, test } from 'vitest';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { AddressPool } from '../../src/server/address-pool.ts';
import { resolveServerOptions, type VpnServerOptions } from '../../src/server/server-options.ts';
import { pushesOf, SERVER_MSSFIX, serverSessionOptions } from '../../src/server/server-session.ts';
import { SimLink } from '../sim/sim-link.ts';
import { createAuthority, serverOptions } from '../tlsstate/certificates.ts';

const authority = createAuthority();
const own = authority.issue(serverOptions());

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
    { name: 'another mtu, own pushes', changes: { tunMtu: 1400, pushes: ['route 10.1.0.0 255.255.0.0'] }, pushes: ['tun-mtu 1400', 'ping 10', 'ping-restart 60', 'route 10.1.0.0 255.255.0.0'] },
  ])('$name', ({ changes, pushes }) => {
    expect(pushesOf(options(changes))).toEqual(pushes);
  });
});

describe('serverSessionOptions', () => {
  const pool = new AddressPool({ subnet6: 'fd00::/64' });
  const made = (address = pool.allocate()) =>
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
      },
      options({ pushes: ['dhcp-option DNS 10.8.0.1'] }),
    );
  const tls = (session: ReturnType<typeof made>) => {
    const server = session.stack.tls(() => {});
    if (server.role !== 'server') throw new Error('expected a server');
    return server;
  };
  const cipher = DATA_CIPHERS.get('AES-128-GCM');
  if (cipher === undefined) throw new Error('no such cipher');
  const facts = { cipher, peerId: 5, tlsEkm: true, ccExit: true, ivProto: 0xfff };

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
      'protocol-flags cc-exit tls-ekm',
      'ping 10',
      'ping-restart 60',
      'dhcp-option DNS 10.8.0.1',
    ]);
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

  test('asks clients for a certificate made for clients, unless none is wanted', () => {
    expect(tls(made()).identity.checks.remoteCertTls).toBe('client');
  });

  test('keeps inner segments below the outer mtu', () => {
    expect(SERVER_MSSFIX).toBeLessThanOrEqual(1500);
    expect(made().stack.tun).toEqual({ mtu: 1500, maxMss: 1400 });
  });
});
