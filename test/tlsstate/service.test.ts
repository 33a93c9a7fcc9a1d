import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { deriveKey2 } from '../../src/datachannel/key-derivation.ts';
import { IvProto } from '../../src/tlsstate/peer-info.ts';
import {
  type ClientChanges,
  createClient,
  createServer,
  identityOf,
  NO_CHECKS,
  PASSWORD,
  Pair,
  pki,
  type ServerChanges,
} from './pair.ts';

let pair: ReturnType<typeof join>;
afterEach(() => pair.stop());

function join(client: ClientChanges = {}, server: ServerChanges = {}) {
  const served = createServer(server);
  return Object.assign(new Pair(createClient(client), served), { asked: served.asked });
}

function keyBytes(end: Pair['client'], index = 0): string {
  const material = end.keys[index]?.material;
  return material === undefined ? '' : deriveKey2(material).toString('hex');
}

describe('TlsStateService', () => {
  test.each([
    { name: 'TLS 1.3, exporter', version: '1.3', ivProto: 414, ekm: true },
    { name: 'TLS 1.2, exporter', version: '1.2', ivProto: 414, ekm: true },
    { name: 'TLS 1.3, PRF', version: '1.3', ivProto: 2 + 4, ekm: false },
    { name: 'TLS 1.2, PRF', version: '1.2', ivProto: 2, ekm: false },
  ] as const)('both roles get equal keys: $name', async ({ version, ivProto, ekm }) => {
    const versions = { tlsVersionMin: version, tlsVersionMax: version };
    pair = join(
      { ivProto, identity: identityOf(pki.client, versions) },
      { identity: identityOf(pki.server, versions) },
    );
    pair.begin();
    await pair.settle();

    expect(pair.client.error).toBeUndefined();
    expect(pair.client.keysEstablished).toMatchObject([
      {
        keyId: 0,
        facts: { cipher: { name: 'AES-256-GCM' }, peerId: 7, tlsVersion: `TLSv${version}` },
      },
    ]);
    expect(pair.server.keysEstablished).toMatchObject([{ keyId: 0, facts: { peerId: 7 } }]);
    expect(Buffer.isBuffer(pair.client.keys[0]?.material)).toBe(ekm);
    expect(keyBytes(pair.client)).toHaveLength(512);
    expect(keyBytes(pair.client)).toBe(keyBytes(pair.server));
    expect(pair.client.keyIds).toEqual([0]);
    expect(pair.asked).toMatchObject([{ keyId: 0, username: 'alice' }]);
    expect(pair.asked[0]?.password?.reveal()).toBe(PASSWORD);
    expect(pair.asked[0]?.certificate?.subject).toBe('CN=client');
  });

  test('goes through the states in order', async () => {
    pair = join();
    pair.begin();
    await pair.settle();
    expect(pair.client.states).toEqual(
      ['S_START', 'S_SENT_KEY', 'S_GOT_KEY', 'S_ACTIVE', 'S_GENERATED_KEYS'].map((s) => `0:${s}`),
    );
    expect(pair.server.states).toEqual(
      ['S_START', 'S_GOT_KEY', 'S_SENT_KEY', 'S_ACTIVE', 'S_GENERATED_KEYS'].map((s) => `0:${s}`),
    );
  });

  test('works with chunks of a few bytes', async () => {
    pair = join({ maxChunkBytes: 7 });
    pair.begin();
    await pair.settle();
    expect(pair.client.keyIds).toEqual([0]);
  });

  test.each([
    { name: 'exporter', ivProto: 414 },
    { name: 'PRF', ivProto: 2 },
  ])('renegotiates without a push, key ids 1 to 7 and 1 again: $name', async ({ ivProto }) => {
    pair = join({ ivProto });
    pair.begin();
    await pair.settle();
    for (const keyId of [1, 2, 3, 4, 5, 6, 7, 1]) {
      pair.renegotiate(keyId);
      await pair.settle();
    }

    expect(pair.client.keyIds).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 1]);
    expect(pair.server.keyIds).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 1]);
    expect(pair.client.pushes).toHaveLength(1);
    const keys = pair.client.keys.map((_, index) => keyBytes(pair.client, index));
    expect(keys).toEqual(pair.server.keys.map((_, index) => keyBytes(pair.server, index)));
    expect(new Set(keys).size).toBe(9);
    expect(pair.client.keys.map(({ peerId }) => peerId)).toEqual(new Array(9).fill(7));
  });

  test('the newest key carries control messages', async () => {
    pair = join();
    expect(pair.client.service.send({ kind: 'exit' })).toBe(false);
    pair.begin();
    await pair.settle();
    pair.renegotiate(1);
    await pair.settle();
    expect(pair.server.service.send({ kind: 'info', text: 'hello' })).toBe(true);
    expect(pair.server.service.idle).toBe(false);
    await pair.settle();
    expect(pair.server.service.idle).toBe(true);
    expect(pair.client.messages.at(-1)).toEqual({ kind: 'info', text: 'hello' });

    pair.client.service.send({ kind: 'exit' });
    await pair.settle();
    expect(pair.server.code).toBe('OVPN_PEER_EXIT');
    expect(pair.client.error).toBeUndefined();
  });

  test.each([
    { sent: { kind: 'restart', flags: 'N', text: '' }, code: 'OVPN_PEER_RESTART' },
    { sent: { kind: 'halt', flags: '', text: 'bye' }, code: 'OVPN_PEER_HALT' },
    { sent: { kind: 'exit' }, code: 'OVPN_PEER_EXIT' },
  ] as const)('$sent.kind from the server ends the session once', async ({ sent, code }) => {
    pair = join();
    pair.begin();
    await pair.settle();
    pair.server.service.send(sent);
    pair.server.service.send(sent);
    await pair.settle();
    expect(pair.client.errors).toHaveLength(1);
    expect(pair.client.code).toBe(code);
  });

  test('a refused client hears why, and the server ends after a grace', async () => {
    pair = join({}, { authenticate: async () => ({ ok: false, reason: 'no such user' }) });
    pair.begin();
    await pair.settle();
    expect(pair.client.error).toMatchObject({
      code: 'OVPN_AUTH_FAILED',
      reason: 'no such user',
      retryable: false,
    });
    expect(pair.client.error?.message).not.toContain(PASSWORD);
    expect(pair.server.error).toBeUndefined();
    await pair.advance(5_000);
    expect(pair.server.code).toBe('OVPN_AUTH_FAILED');
    expect(pair.client.keys).toEqual([]);
    expect(pair.server.keys).toEqual([]);
  });

  test.each(['al\nice', 'al\x1b[2Jice', 'al\u009bice'])(
    'a user name that would move a cursor is refused, and nobody is asked: %j',
    async (username) => {
      pair = join({ credentials: async () => ({ username, password: new Secret(PASSWORD) }) });
      pair.begin();
      await pair.settle();
      expect(pair.server.code).toBe('OVPN_PROTOCOL');
      expect(pair.server.error?.message).not.toContain('ice');
      expect(pair.asked).toEqual([]);
    },
  );

  test('an authenticate that rejects is a temporary refusal', async () => {
    pair = join({}, { authenticate: () => Promise.reject(new Error('database is down')) });
    pair.begin();
    await pair.settle();
    expect(pair.client.error).toMatchObject({ code: 'OVPN_AUTH_TEMPORARY', retryable: true });
  });

  test('credentials that cannot be had end the session', async () => {
    pair = join({ credentials: () => Promise.reject(new Error('dialogue closed')) });
    pair.begin();
    await pair.settle();
    expect(pair.client.error?.message).toBe('dialogue closed');
    expect(pair.client.states.at(-1)).toBe('0:S_ERROR');
  });

  test('credentials that come late are waited for, until the hand-window ends', async () => {
    pair = join({ credentials: () => new Promise(() => {}) });
    pair.begin();
    await pair.advance(59_999);
    expect(pair.client.error).toBeUndefined();
    await pair.advance(1);
    expect(pair.client.error).toMatchObject({
      code: 'OVPN_HANDSHAKE_TIMEOUT',
      phase: 'credentials',
      timeoutMs: 60_000,
    });
    expect(pair.asked).toEqual([]);
  });

  test('no shared cipher', async () => {
    pair = join({ dataCiphers: ['AES-128-GCM'] }, { dataCiphers: ['CHACHA20-POLY1305'] });
    pair.begin();
    await pair.settle();
    expect(pair.client.code).toBe('OVPN_NO_SHARED_CIPHER');
    await pair.advance(5_000);
    expect(pair.server.code).toBe('OVPN_NO_SHARED_CIPHER');
  });

  test('a silent server: hand-window, with its phase', async () => {
    pair = join();
    pair.connected = false;
    pair.begin();
    await pair.advance(60_000);
    expect(pair.client.error).toMatchObject({ code: 'OVPN_HANDSHAKE_TIMEOUT', phase: 'tls' });
    expect(pair.server.error).toMatchObject({ code: 'OVPN_HANDSHAKE_TIMEOUT', phase: 'tls' });
  });

  test('a renegotiation that does not end fails the session', async () => {
    pair = join();
    pair.begin();
    await pair.settle();
    pair.connected = false;
    pair.renegotiate(1);
    await pair.advance(60_000);
    expect(pair.client.error).toMatchObject({ code: 'OVPN_HANDSHAKE_TIMEOUT', phase: 'tls' });
  });

  test('an auth-token replaces the password in renegotiations, and a new one replaces it', async () => {
    let asked = 0;
    pair = join(
      {
        credentials: async () => {
          asked += 1;
          return { username: 'alice', password: new Secret(PASSWORD) };
        },
      },
      {
        handshake: {
          buildPush: ({ cipher }) => [
            `PUSH_REPLY,peer-id 7,cipher ${cipher.name},auth-token SESS_ID_AT_one,protocol-flags tls-ekm`,
          ],
        },
      },
    );
    pair.begin();
    await pair.settle();
    pair.renegotiate(1);
    await pair.settle();
    pair.server.service.send({ kind: 'push-reply', options: ['auth-token SESS_ID_AT_two'] });
    await pair.settle();
    pair.renegotiate(2);
    await pair.settle();

    expect(pair.client.keyIds).toEqual([0, 1, 2]);
    expect(pair.asked.map(({ password }) => password?.reveal())).toEqual([
      PASSWORD,
      'SESS_ID_AT_one',
      'SESS_ID_AT_two',
    ]);
    expect(pair.asked.map(({ username }) => username)).toEqual(['alice', 'alice', 'alice']);
    expect(asked).toBe(1);
    expect(pair.client.pushes).toHaveLength(1);
  });

  test('a client without IV_PROTO bit 2 asks for its push', async () => {
    pair = join({ ivProto: IvProto.DATA_V2 });
    pair.begin();
    await pair.settle();
    expect(pair.server.messages).toEqual([{ kind: 'push-request' }]);
    expect(pair.client.keyIds).toEqual([0]);
  });

  test('a client without DATA_V2 gets no peer id', async () => {
    pair = join({ ivProto: IvProto.REQUEST_PUSH });
    pair.begin();
    await pair.settle();
    expect(pair.client.keys[0]?.peerId).toBeUndefined();
    expect(pair.server.keys[0]?.peerId).toBeUndefined();
  });

  test('a server that asks for no certificates takes a client without one', async () => {
    pair = join(
      {
        identity: { ...identityOf(pki.client), cert: undefined, key: undefined },
      },
      { identity: identityOf(pki.server, { clientCertificate: 'none', ca: undefined }) },
    );
    pair.begin();
    await pair.settle();
    expect(pair.client.keyIds).toEqual([0]);
    expect(pair.asked[0]?.certificate).toBeUndefined();
  });

  test('cert and key that do not belong together are told at once', async () => {
    pair = join({ identity: { ...identityOf(pki.client), cert: pki.server.certPem } });
    pair.begin();
    await pair.settle();
    expect(pair.client.error).toMatchObject({ code: 'OVPN_TLS_FAILED', initiator: 'user' });
  });

  test('garbage in place of TLS is a failure, not an exception', async () => {
    pair = join();
    pair.begin();
    pair.client.run(0);
    pair.client.ports.controlToTls.push({ keyId: 0, bytes: Buffer.alloc(400, 0x55) });
    await pair.settle();
    expect(pair.client.code).toBe('OVPN_TLS_FAILED');
    expect(pair.client.states.at(-1)).toBe('0:S_ERROR');
  });

  test('chunks of a key id that nobody negotiates are dropped and counted', () => {
    pair = join();
    pair.client.ports.controlToTls.push({ keyId: 5, bytes: Buffer.alloc(10) });
    pair.client.run(0);
    expect(pair.client.service.drops.snapshot()).toEqual({ 'unknown-key': 1 });
  });

  test.each([0, 1, 2, 3, 5, 8, 13])('after stop in turn %i nothing is called', async (turns) => {
    pair = join({ identity: identityOf(pki.client, { checks: NO_CHECKS }) });
    pair.begin();
    for (let turn = 0; turn < turns; turn += 1) {
      pair.client.run(0);
      pair.server.run(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    pair.stop();
    const before = [...pair.client.states, ...pair.server.states];
    await pair.settle();
    pair.client.service.stop();
    expect([...pair.client.states, ...pair.server.states]).toEqual(before);
    expect(pair.client.errors).toEqual([]);
    expect(pair.server.errors).toEqual([]);
    expect(pair.client.service.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });
});
