import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeInLab } from '../lab/describe-in-lab.ts';
import type { TunnelKind } from '../lab/openvpn-config.ts';
import type { PageServer } from '../lab/page-server.ts';
import type { TunnelRow } from '../lab/tunnel-client.ts';

const PAGE = '/bytes/1000000';
const REKEY = { startAtByte: 300_000, waitAtByte: 700_000 };

/** Bits of IV_PROTO (ssl.h `IV_PROTO_*`). */
const DATA_V2 = 1 << 1;
const REQUEST_PUSH = 1 << 2;
const TLS_KEY_EXPORT = 1 << 3;
const CC_EXIT = 1 << 7;
const DYN_TLS_CRYPT = 1 << 9;

/** What a client of that IV_PROTO gets of the server. */
interface Announcement {
  readonly name: string;
  readonly ivProto: number;
  readonly kind: TunnelKind;
  /** What the server pushes about it; undefined: nothing. */
  readonly pushed: string | undefined;
  readonly peerId: boolean;
}

// biome-ignore format: a table, one row a line
const ANNOUNCEMENTS: readonly Announcement[] = [
  { name: 'nothing: PRF, DATA_V1',                 ivProto: 0,                                       kind: { wrap: 'none',         cipher: 'AES-256-GCM' },                   pushed: undefined,                                   peerId: false },
  { name: 'nothing: PRF, DATA_V1, CBC',            ivProto: 0,                                       kind: { wrap: 'tls-auth',     cipher: 'AES-256-CBC', auth: 'SHA256' },   pushed: undefined,                                   peerId: false },
  { name: 'nothing: PRF, DATA_V1, over TCP',       ivProto: 0,                                       kind: { wrap: 'tls-crypt-v2', cipher: 'CHACHA20-POLY1305', proto: 'tcp' }, pushed: undefined,                                 peerId: false },
  { name: 'DATA_V2: PRF',                          ivProto: DATA_V2,                                 kind: { wrap: 'tls-crypt',    cipher: 'AES-128-GCM' },                   pushed: undefined,                                   peerId: true },
  { name: 'the exporter alone',                    ivProto: DATA_V2 | REQUEST_PUSH | TLS_KEY_EXPORT, kind: { wrap: 'tls-auth',     cipher: 'AES-128-GCM' },                   pushed: 'key-derivation tls-ekm',                    peerId: true },
  { name: 'the exporter and flags',                ivProto: DATA_V2 | TLS_KEY_EXPORT | CC_EXIT,      kind: { wrap: 'tls-crypt-v2', cipher: 'AES-128-CBC' },                   pushed: 'protocol-flags cc-exit tls-ekm',            peerId: true },
  { name: 'dynamic tls-crypt without the exporter', ivProto: DATA_V2 | CC_EXIT | DYN_TLS_CRYPT,      kind: { wrap: 'none',         cipher: 'AES-192-GCM' },                   pushed: 'protocol-flags cc-exit dyn-tls-crypt',      peerId: true },
  { name: 'dynamic tls-crypt',                     ivProto: DATA_V2 | TLS_KEY_EXPORT | CC_EXIT | DYN_TLS_CRYPT, kind: { wrap: 'tls-auth', cipher: 'AES-256-GCM', auth: 'SHA512' }, pushed: 'protocol-flags cc-exit tls-ekm dyn-tls-crypt', peerId: true },
];

/** Which of both ends' ciphers is taken; undefined: none. */
interface Choice {
  readonly name: string;
  readonly server: readonly string[];
  readonly client: readonly string[];
  readonly cipher: string | undefined;
}

const ciphers = (names: string) => `data-ciphers ${names}`;

// biome-ignore format: a table, one row a line
const CHOICES: readonly Choice[] = [
  { name: 'the order is the server\'s',      server: [ciphers('AES-128-GCM:AES-256-GCM')], client: [ciphers('AES-256-GCM:AES-128-GCM')],   cipher: 'AES-128-GCM' },
  { name: 'names in small letters',          server: [ciphers('aes-192-gcm')],             client: [ciphers('chacha20-poly1305:aes-192-gcm')], cipher: 'AES-192-GCM' },
  { name: 'a fallback of the server is not for who has a list', server: [ciphers('AES-128-GCM'), 'data-ciphers-fallback AES-256-CBC'], client: [ciphers('AES-256-CBC')], cipher: undefined },
  { name: 'a fallback of the client is not offered',            server: [ciphers('AES-256-CBC')],             client: [ciphers('AES-256-GCM'), 'data-ciphers-fallback AES-256-CBC'], cipher: undefined },
  { name: 'nothing in common',               server: [ciphers('AES-256-GCM')],             client: [ciphers('CHACHA20-POLY1305')],         cipher: undefined },
];

describeInLab('what is negotiated with the server', (lab) => {
  let web: PageServer;
  beforeEach(async () => {
    web = await lab.startWeb();
  });
  afterEach(() => lab.quiet());

  describe('IV_PROTO announces', () => {
    test.each(ANNOUNCEMENTS)('$name', async ({ ivProto, kind, pushed, peerId }) => {
      const server = await lab.startServer(kind);

      const outcome = await tunnel({
        profile: lab.profile(kind),
        options: { ivProto },
        url: web.url(PAGE),
        rekey: REKEY,
      });

      expect(outcome.error).toBeUndefined();
      expect(outcome).toMatchObject({
        info: { cipher: kind.cipher },
        sha256: await web.sha256(PAGE),
        rekeys: [{ keyId: 1 }],
      });
      expect(outcome.info?.peerId !== undefined).toBe(peerId);
      const [reply = ''] = /PUSH_REPLY,[^']*/.exec(server.stdout) ?? [];
      const flags = reply.split(',').filter((text) => /^(protocol-flags|key-deriv)/.test(text));
      expect(flags).toEqual(pushed === undefined ? [] : [pushed]);
      expect(reply.includes(',peer-id ')).toBe(peerId);
    });
  });

  describe('the cipher', () => {
    test.each(CHOICES)('$name: $cipher', async ({ server, client, cipher }) => {
      await lab.startServer({}, { lines: server });
      const profile = lab.profile({}, { lines: client });

      const outcome = await tunnel({ profile, url: web.url(PAGE) });

      if (cipher === undefined) {
        expect(outcome.error).toMatchObject({ code: 'OVPN_NO_SHARED_CIPHER' });
      } else {
        expect(outcome.error).toBeUndefined();
        expect(outcome).toMatchObject({ info: { cipher }, sha256: await web.sha256(PAGE) });
      }
    });
  });

  test('a password in place of a certificate', async () => {
    const kind: TunnelKind = { login: 'user' };
    await lab.startServer(kind, { lines: ['verify-client-cert none'] });
    const profile = lab.profile(kind, { certPem: '', keyPem: '' });
    const options = { credentials: { username: 'lab', password: 'lab' } };

    const outcome = await tunnel({ profile, options, url: web.url(PAGE), rekey: REKEY });

    expect(outcome.error).toBeUndefined();
    expect(outcome).toMatchObject({ sha256: await web.sha256(PAGE), rekeys: [{ keyId: 1 }] });
  });

  test('tls-crypt-v2 with a server that answers no reset without a cookie', async () => {
    const key = lab.write('v2.key', lab.server.v2Key);
    await lab.startServer({ wrap: 'none' }, { lines: [`tls-crypt-v2 ${key} force-cookie`] });
    const profile = lab.profile({ wrap: 'tls-crypt-v2' });

    const outcome = await tunnel({ profile, url: web.url(PAGE), rekey: REKEY });

    expect(outcome.error).toBeUndefined();
    expect(outcome).toMatchObject({ sha256: await web.sha256(PAGE), rekeys: [{ keyId: 1 }] });
  });

  function tunnel(row: Omit<TunnelRow, 'name'>) {
    return lab.openTunnels([{ name: 'tunnel', ...row }]).outcome('tunnel');
  }
});
