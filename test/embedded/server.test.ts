import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { OvpnUsageError } from '../../src/core/errors.ts';
import { TunDialer } from '../../src/dialer/tun-dialer.ts';
import type { PeerInfo } from '../../src/server/peer-table.ts';
import { createThrowAwayServer } from '../../src/server/throw-away-server.ts';
import { VpnServer } from '../../src/server/vpn-server.ts';
import { VpnClient } from '../../src/vpnclient/vpn-client.ts';
import { clientOptions, commonName } from '../tlsstate/certificates.ts';
import { echoRequest, icmpOf } from './icmp-echo.ts';
import { resourcesSince } from './resources.ts';
import { authority, clientIdentity, pingOnce, Site, serverIdentity, startError } from './site.ts';

const TRANSPORTS = ['udp', 'tcp'] as const;

describe.each(TRANSPORTS)('several clients over %s', (protocol) => {
  test('have an address each, all reach the server, and none another', async () => {
    await using site = await Site.open({ protocol, server: { subnet6: 'fd00:9::/112' } });
    const joined: PeerInfo[] = [];
    site.server.on('connect', (peer) => joined.push(peer));
    const serverDialer = site.serverDialer();
    const dialers = await Promise.all([site.dialer(), site.dialer(), site.dialer()]);

    const addresses = dialers.map(({ info }) => info.ipv4?.address ?? '');
    expect(addresses.toSorted()).toEqual(['10.8.0.2', '10.8.0.3', '10.8.0.4']);
    expect(dialers.map(({ info }) => info.ipv6?.address).toSorted()).toEqual([
      'fd00:9::2',
      'fd00:9::3',
      'fd00:9::4',
    ]);
    expect(joined.map(({ ipv4 }) => ipv4).toSorted()).toEqual(addresses.toSorted());
    expect(site.server.peers).toEqual(joined);
    expect(joined[0]).toMatchObject({
      remoteAddress: '127.0.0.1',
      cipher: 'AES-256-GCM',
      username: undefined,
      subject: 'CN=client',
    });
    expect(new Set(joined.map(({ peerId }) => peerId)).size).toBe(3);

    for (const [index, dialer] of dialers.entries()) {
      expect(await pingOnce(dialer, '10.8.0.1')).toBeGreaterThan(0);
      expect(await pingOnce(dialer, 'fd00:9::1')).toBeGreaterThan(0);
      expect(await pingOnce(serverDialer, addresses[index] ?? '')).toBeGreaterThan(0);
    }
    const [first] = dialers;
    if (first === undefined) throw new Error('no dialer');
    await expect(pingOnce(first, addresses[1] ?? '', 300)).rejects.toThrow('no reply');
  });

  test('one that leaves frees its address and its place, the others stay', async () => {
    await using site = await Site.open({
      protocol,
      server: { subnet: '10.9.0.0/29', maxPeers: 5 },
    });
    site.serverDialer();
    const clients = [];
    for (let count = 0; count < 5; count += 1) clients.push(await site.dialer());
    const left = once(site.server, 'disconnect');
    await clients[2]?.close();
    const [{ peer, error }] = (await left) as [{ peer: PeerInfo; error: unknown }];
    expect(error).toBeUndefined();
    expect(peer.ipv4).toBe('10.9.0.4');
    expect(site.server.peers).toHaveLength(4);

    const next = await site.dialer();
    expect(next.info.ipv4?.address).toBe('10.9.0.4');
    for (const dialer of [clients[0], clients[4], next]) {
      if (dialer !== undefined) expect(await pingOnce(dialer, '10.9.0.1')).toBeGreaterThan(0);
    }
  });

  test('one more than there are addresses is refused, for now, and hears why', async () => {
    await using site = await Site.open({ protocol, server: { subnet: '10.9.0.0/30' } });
    await site.connected();
    const refused = once(site.server, 'refused');
    expect(await startError(site.client())).toMatchObject({
      code: 'OVPN_AUTH_TEMPORARY',
      reason: 'no address is left',
      retryable: true,
    });
    const [{ remote, error }] = await refused;
    expect(remote).toMatch(/^127\.0\.0\.1 \d+$/);
    expect(error).toMatchObject({
      code: 'OVPN_AUTH_TEMPORARY',
      message: 'the client was put off: no address is left',
    });
    expect(site.server.peers).toHaveLength(1);
  });

  test('are told to connect anew when the server closes', async () => {
    const before = process.getActiveResourcesInfo();
    {
      await using site = await Site.open({ protocol });
      const once = { reconnect: false };
      const clients = await Promise.all([site.connected({}, once), site.connected({}, once)]);
      const startedAt = performance.now();
      await site.server.close();
      await site.server.close();
      expect(performance.now() - startedAt).toBeLessThan(900);
      expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual([
        expect.objectContaining({ code: 'OVPN_PEER_RESTART', retryable: true }),
        expect.objectContaining({ code: 'OVPN_PEER_RESTART', retryable: true }),
      ]);
      expect(await site.server.ended).toBeUndefined();
    }
    expect(await resourcesSince(before)).toEqual([]);
  });
});

describe('a client that lies about its address', () => {
  test('is not heard: packets from another source are dropped and counted', async () => {
    await using site = await Site.open();
    const heard: string[] = [];
    const service = {
      name: 'listener',
      moveUpWorker: () => {
        const packet = site.server.tun.read();
        if (packet !== undefined) heard.push(icmpOf(packet).from);
        return packet !== undefined;
      },
    };
    site.server.attach(service);
    const [liar, other] = [await site.connected(), await site.connected()];
    for (const source of [other.info.ipv4?.address ?? '', '8.8.8.8', '10.8.0.1', '10.8.0.77']) {
      liar.write(echoRequest(source, '10.8.0.1', 1));
    }
    liar.write(echoRequest(liar.info.ipv4?.address ?? '', '10.8.0.1', 2));
    await expect.poll(() => heard).toEqual([liar.info.ipv4?.address]);
  });
});

describe('maxPeers', () => {
  test('over TCP: one more is turned away at once', async () => {
    await using site = await Site.open({ protocol: 'tcp', server: { maxPeers: 1 } });
    await site.connected();
    expect(await startError(site.client())).toMatchObject({ code: 'OVPN_LINK_CLOSED' });
  });

  test('over UDP: one more is not answered', async () => {
    await using site = await Site.open({ server: { maxPeers: 1 } });
    await site.connected();
    const client = site.client({ lines: ['hand-window 1'] });
    expect(await startError(client)).toMatchObject({
      code: 'OVPN_HANDSHAKE_TIMEOUT',
      retryable: true,
    });
    expect(site.server.peers).toHaveLength(1);
  });
});

describe('authenticate', () => {
  const credentials = { username: 'ada', password: 'correct horse' };

  test('sees user, password, certificate and peer info, and lets in', async () => {
    const seen: unknown[] = [];
    await using site = await Site.open({
      server: {
        authenticate: async ({ keyId, username, password, certificate, peerInfo }) => {
          seen.push([keyId, username, password?.reveal(), certificate?.subject]);
          expect(peerInfo.get('IV_PLAT')).toBeDefined();
          return { ok: true };
        },
      },
    });
    const client = await site.connected({ authUserPass: true }, { credentials });
    expect(site.server.peers[0]).toMatchObject({ username: 'ada', subject: 'CN=client' });
    const rekeyed = once(client, 'rekey');
    client.renegotiate();
    await rekeyed;
    expect(seen).toEqual([
      [0, 'ada', 'correct horse', 'CN=client'],
      [1, 'ada', 'correct horse', 'CN=client'],
    ]);
  });

  test('may answer at once; the password of the profile and a callback are as good', async () => {
    const users: unknown[] = [];
    await using site = await Site.open({
      server: {
        authenticate: ({ username, password }) => {
          users.push(`${username}:${password?.reveal()}`);
          return { ok: true };
        },
      },
    });
    await site.connected({ lines: ['<auth-user-pass>', 'bob', 'secret', '</auth-user-pass>'] });
    await site.connected(
      { authUserPass: true },
      {
        credentials: async (request) => {
          expect(request).toMatchObject({ kind: 'user-password', prompt: undefined, needed: true });
          return { username: 'eve', password: 'late' };
        },
      },
    );
    expect(users).toEqual(['bob:secret', 'eve:late']);
  });

  test('is enough where clients need no certificate', async () => {
    await using site = await Site.open({
      server: {
        clientCertificate: 'none',
        authenticate: async ({ certificate }) => ({ ok: certificate === undefined }),
      },
    });
    await site.connected({ identity: undefined, authUserPass: true }, { credentials });
    expect(site.server.peers[0]).toMatchObject({ username: 'ada', subject: undefined });
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'refuses',               verdict: { ok: false },                                     code: 'OVPN_AUTH_FAILED',    reason: undefined },
    { name: 'refuses with a reason', verdict: { ok: false, reason: 'account closed' },           code: 'OVPN_AUTH_FAILED',    reason: 'account closed' },
    { name: 'puts off',              verdict: { ok: false, temporary: true, reason: 'db down' }, code: 'OVPN_AUTH_TEMPORARY', reason: 'db down' },
    { name: 'has control bytes',     verdict: { ok: false, reason: 'a\nb\0c' },                  code: 'OVPN_AUTH_FAILED',    reason: 'a\\x0ab\\x00c' },
  ] as const)('that $name: $code', async ({ verdict, code, reason }) => {
    await using site = await Site.open({ server: { authenticate: async () => verdict } });
    const client = site.client({ authUserPass: true }, { credentials });
    expect(await startError(client)).toMatchObject({ code, reason });
    expect(site.server.peers).toEqual([]);
  });

  test.each([
    { name: 'throws', authenticate: () => Promise.reject(new TypeError('password was x')) },
    {
      name: 'throws at once',
      authenticate: () => {
        throw new TypeError('password was x');
      },
    },
  ])(
    'that $name: the client may try later, and the log keeps no secrets',
    async ({ authenticate }) => {
      const log: string[] = [];
      const logger = (_level: string, _layer: string, text: string) => void log.push(text);
      await using site = await Site.open({ server: { authenticate, logger } });
      const client = site.client({ authUserPass: true }, { credentials });
      expect(await startError(client)).toMatchObject({ code: 'OVPN_AUTH_TEMPORARY' });
      expect(log).toEqual(['authenticate threw: TypeError']);
    },
  );

  test('that forgets to answer lets nobody in', async () => {
    const authenticate = (async () => undefined) as unknown as () => Promise<{ ok: true }>;
    await using site = await Site.open({ server: { authenticate } });
    expect(await startError(site.client())).toMatchObject({ code: 'OVPN_AUTH_FAILED' });
  });

  test('may refuse a renegotiation: the tunnel ends on both sides', async () => {
    let exchanges = 0;
    await using site = await Site.open({
      server: {
        authenticate: async () => {
          exchanges += 1;
          return exchanges === 1 ? { ok: true } : { ok: false, reason: 'no longer' };
        },
      },
    });
    const client = await site.connected();
    client.renegotiate();
    const gone = once(site.server, 'disconnect');
    expect(await client.ended).toMatchObject({ code: 'OVPN_AUTH_FAILED', reason: 'no longer' });
    await site.server.close();
    expect(await gone).toMatchObject([{ error: { reason: 'no longer' } }]);
  });
});

describe('a server', () => {
  const identity = {
    ca: authority.certPem,
    cert: serverIdentity.certPem,
    key: serverIdentity.keyPem,
  };

  test('knows where it listens only while it does', async () => {
    const server = new VpnServer(identity);
    expect(() => server.address()).toThrow(OvpnUsageError);
    expect(() => server.info).toThrow(OvpnUsageError);
    await server.listen();
    expect(server.address()).toMatchObject({ address: '127.0.0.1' });
    expect(server.info).toMatchObject({ ipv4: { address: '10.8.0.1', prefixLength: 24 } });
    await expect(server.listen()).rejects.toThrow(OvpnUsageError);
    await server.close();
    expect(() => server.address()).toThrow(OvpnUsageError);
    await expect(server.listen()).rejects.toThrow(OvpnUsageError);
  });

  test.each(TRANSPORTS)('on a %s port that is taken: which, and why', async (protocol) => {
    await using site = await Site.open({ protocol });
    const { port } = site.server.address();
    const second = new VpnServer({ ...identity, protocol, port });
    const message = `cannot listen on ${protocol} 127.0.0.1 port ${port} (EADDRINUSE)`;
    await expect(second.listen()).rejects.toMatchObject({ code: 'OVPN_LINK_FAILED', message });
    expect(await second.ended).toMatchObject({ code: 'OVPN_LINK_FAILED' });
    await second.close();
  });

  test.each(TRANSPORTS)('closed while it begins to listen over %s', async (protocol) => {
    const before = process.getActiveResourcesInfo();
    const server = new VpnServer({ ...identity, protocol });
    const listening = server.listen();
    const closed = server.close();
    await expect(listening).rejects.toThrow(OvpnUsageError);
    await closed;
    expect(await resourcesSince(before)).toEqual([]);
  });

  test('gives its packets to one dialer only', async () => {
    await using site = await Site.open();
    site.serverDialer();
    expect(() => TunDialer.over(site.server)).toThrow(OvpnUsageError);
    await site.server.close();
    const closed = site.server;
    expect(() => closed.attach({ name: 'late' })).toThrow(OvpnUsageError);
  });

  test('refuses pushes that nobody could read, before the first client', () => {
    expect(() => new VpnServer({ ...identity, pushes: ['a,b'] })).toThrow(OvpnUsageError);
  });

  test('answers no stranger: packets of no session leave no peer', async () => {
    await using site = await Site.open({ wrap: 'none' });
    const stranger = createSocket('udp4');
    const { address, port } = site.server.address();
    for (let size = 0; size < 60; size += 1) {
      stranger.send(Buffer.alloc(size, 0x38), port, address);
    }
    const client = await site.connected();
    expect(site.server.peers).toHaveLength(1);
    stranger.close();
    expect(client.state).toBe('up');
  });

  test('takes a client that begins anew from the same port', async () => {
    await using site = await Site.open();
    const first = await site.connected();
    const port = first.localPort ?? 0;
    const gone = once(site.server, 'disconnect');
    await first.close();
    await gone;
    const again = await site.connected({ lines: [`lport ${port}`] });
    expect(again.info.ipv4?.address).toBe('10.8.0.3');
  });

  test('tells clients its mtu where it is not the usual one', async () => {
    await using site = await Site.open({ server: { tunMtu: 1400 } });
    site.serverDialer();
    const dialer = await site.dialer();
    expect(dialer.info.mtu).toBe(1400);
    expect(await pingOnce(dialer, '10.8.0.1')).toBeGreaterThan(0);
  });

  test('agrees on the first of its ciphers that the client has', async () => {
    await using site = await Site.open({
      server: { dataCiphers: ['CHACHA20-POLY1305', 'AES-128-GCM'] },
    });
    expect((await site.connected()).info.cipher).toBe('CHACHA20-POLY1305');
    const small = await site.connected({ lines: ['data-ciphers AES-128-GCM'] });
    expect(small.info.cipher).toBe('AES-128-GCM');
    expect(site.server.peers.map(({ cipher }) => cipher)).toEqual([
      'CHACHA20-POLY1305',
      'AES-128-GCM',
    ]);
  });

  test('refuses certificates of other authorities, and those not made for clients', async () => {
    await using site = await Site.open();
    const refusals: string[] = [];
    site.server.on('refused', ({ error }) =>
      refusals.push((error as { code?: string }).code ?? ''),
    );
    const strangers = [
      authority.issue({ ...clientOptions(), extendedKeyUsage: ['1.3.6.1.5.5.7.3.1'] }),
      authority.issue(clientOptions({ subject: commonName('late'), notAfter: new Date(0) })),
    ];
    for (const identity of strangers) {
      const client = site.client({ identity, lines: ['hand-window 1'] });
      const error = await startError(client);
      expect(['OVPN_TLS_REJECTED', 'OVPN_HANDSHAKE_TIMEOUT']).toContain(
        (error as { code?: string }).code,
      );
    }
    expect(refusals).toEqual(['OVPN_CERT_PURPOSE', 'OVPN_CERT_EXPIRED']);
    expect(clientIdentity.certPem).toContain('BEGIN CERTIFICATE');
  });
});

describe('createThrowAwayServer', () => {
  test.each([
    { wrap: 'tls-crypt', protocol: 'udp' },
    { wrap: 'none', protocol: 'tcp' },
  ] as const)(
    'makes a server and the profile of its clients: $wrap, $protocol',
    async (options) => {
      const { server, profile } = await createThrowAwayServer(options);
      await server.listen();
      await using _server = server;
      const client = new VpnClient({ profile: profile(server.address()) });
      expect(await client.start()).toMatchObject({ ipv6: { prefixLength: 64 } });
      expect(client.profile.wrap.kind).toBe(options.wrap);
      expect(client.profile.verifyX509Name).toEqual({ type: 'name', value: 'tundial-server' });
      await client.close();
    },
  );

  test('asks for a password where one is judged, and for no certificate where none is wanted', async () => {
    const { server, profile } = await createThrowAwayServer({
      clientCertificate: 'none',
      authenticate: ({ password }) => ({ ok: password?.reveal() === 'sesame' }),
      dataCiphers: ['AES-128-GCM'],
    });
    await server.listen();
    await using _server = server;
    const text = profile(server.address());
    expect(text).not.toContain('<cert>');
    const client = new VpnClient({
      profile: text,
      credentials: { username: 'ali', password: 'sesame' },
    });
    expect(await client.start()).toMatchObject({ cipher: 'AES-128-GCM' });
    await client.close();
  });
});
