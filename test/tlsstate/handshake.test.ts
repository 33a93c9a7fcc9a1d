import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnError, OvpnProtocolError } from '../../src/core/errors.ts';
import { DropCounter } from '../../src/core/machine.ts';
import { Secret } from '../../src/core/secret.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { NO_PUSH_OPTIONS } from '../../src/model/push-options.ts';
import { SessionMemory } from '../../src/tlsstate/agreement.ts';
import { ClientHandshake, type ClientHandshakeOptions } from '../../src/tlsstate/handshake.ts';
import type { HandshakeStep } from '../../src/tlsstate/handshake-step.ts';
import { decodeKeyMethod2, encodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import { makeKeySource } from '../../src/tlsstate/key-source2.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import { MAX_PUSH_MS, MAX_PUSH_PARTS } from '../../src/tlsstate/push-assembly.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { capturedPlaintexts, isKeyMethod2, senderOf } from './captures.ts';
import { readPush } from './pair.ts';

const PUSH = 'PUSH_REPLY,cipher AES-256-GCM,peer-id 3,protocol-flags tls-ekm\0';

function neverRead(): never {
  throw new Error('an update that is to be ignored was read');
}

interface Setting {
  readonly keyId?: number;
  readonly memory?: SessionMemory;
  readonly options?: Partial<ClientHandshakeOptions>;
}

function client({ keyId = 0, memory = new SessionMemory(), options = {} }: Setting = {}) {
  const drops = new DropCounter();
  const handshake = new ClientHandshake(
    {
      optionsString: 'V4,dev-type tun,key-method 2,tls-client',
      peerInfo: `IV_PROTO=${CLIENT_IV_PROTO}\n`,
      ivProto: CLIENT_IV_PROTO,
      dataCiphers: ['AES-256-GCM', 'AES-128-GCM'],
      dataCiphersFallback: undefined,
      handWindowMs: 60_000,
      renegSecMs: 3_600_000,
      readPush,
      ...options,
    },
    {
      keyId,
      ids: { local: Buffer.alloc(8, 1), remote: Buffer.alloc(8, 2) },
      startedAt: 0,
      random: new SeededRandom(1),
      memory,
      drops,
      exportKey: (label) => Buffer.alloc(256, label),
    },
  );
  return { handshake, memory, drops };
}

function serverKeyMethod2(options: string | undefined = 'V4,tls-server'): Buffer {
  return encodeKeyMethod2({
    source: makeKeySource('server', new SeededRandom(2)),
    options,
    username: undefined,
    password: undefined,
    peerInfo: undefined,
  });
}

function steps(handshake: ClientHandshake): HandshakeStep[] {
  const taken: HandshakeStep[] = [];
  for (let step = handshake.takeStep(); step !== undefined; step = handshake.takeStep()) {
    taken.push(step);
  }
  return taken;
}

function errorOf(handshake: ClientHandshake): Error | undefined {
  for (const step of steps(handshake)) if (step.kind === 'failed') return step.error;
  return undefined;
}

/** As far as the server's key method 2, at `now`. */
function exchanged(setting: Setting = {}, now = 0, options?: string | undefined) {
  const parts = client(setting);
  parts.handshake.credentialsReady({ username: 'alice', password: new Secret('pw') });
  parts.handshake.secured();
  parts.handshake.received(serverKeyMethod2(options), now);
  return parts;
}

describe('ClientHandshake', () => {
  test.each([
    { name: 'TLS first', order: ['secured', 'credentials'] },
    { name: 'credentials first', order: ['credentials', 'secured'] },
  ])('key method 2 waits for both: $name', ({ order }) => {
    const { handshake } = client();
    for (const [index, what] of order.entries()) {
      expect(steps(handshake).some(({ kind }) => kind === 'record')).toBe(false);
      if (what === 'secured') handshake.secured();
      else handshake.credentialsReady({ username: 'alice', password: new Secret('pw') });
      if (index === 0) continue;
      const record = steps(handshake).find((step) => step.kind === 'record');
      const message = decodeKeyMethod2(record?.plaintext ?? Buffer.alloc(0), 'client');
      if (message instanceof OvpnProtocolError) throw message;
      expect([message.username, message.password?.reveal()]).toEqual(['alice', 'pw']);
    }
  });

  test('PUSH_REQUEST goes out at once, then after 1, 2, 3, 3, … seconds', () => {
    const { handshake } = exchanged({}, 1000);
    const requests: number[] = [];
    let now = 1000;
    for (;;) {
      const sent = steps(handshake).filter((step) => step.kind === 'record');
      if (sent.some(({ plaintext }) => plaintext.toString() === 'PUSH_REQUEST\0')) {
        requests.push(now);
      }
      if (requests.length === 6) break;
      now = handshake.nextTimeout();
      handshake.onTimeout(now - 1);
      handshake.onTimeout(now);
    }
    expect(requests).toEqual([1000, 2000, 4000, 7000, 10_000, 13_000]);
  });

  test.each([
    { name: 'no PUSH_REPLY: the hand-window after the key exchange', said: '', at: 61_000 },
    { name: 'AUTH_PENDING names a time', said: 'AUTH_PENDING,timeout 90\0', at: 91_000 },
    { name: 'AUTH_PENDING, a short time', said: 'AUTH_PENDING,timeout 30\0', at: 31_000 },
    { name: 'AUTH_PENDING, too long a time', said: 'AUTH_PENDING,timeout 9999\0', at: 1_801_000 },
    { name: 'AUTH_PENDING without a time', said: 'AUTH_PENDING\0', at: 1_801_000 },
    { name: 'half a push', said: 'PUSH_REPLY,a,push-continuation 2\0', at: 31_000 },
  ])('gives up in time: $name', ({ said, at }) => {
    const { handshake } = exchanged({}, 1000);
    if (said !== '') handshake.received(Buffer.from(said), 1000);
    while (handshake.nextTimeout() < at) handshake.onTimeout(handshake.nextTimeout());
    expect(errorOf(handshake)).toBeUndefined();
    handshake.onTimeout(at);
    expect(errorOf(handshake)).toMatchObject({
      code: 'OVPN_PUSH_TIMEOUT',
      phase: 'push',
      timeoutMs: at - 1000,
    });
    expect(handshake.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test('no key method 2 of the server', () => {
    const { handshake } = client();
    handshake.credentialsReady(undefined);
    handshake.secured();
    handshake.onTimeout(60_000);
    const error = errorOf(handshake);
    expect(error).toMatchObject({ code: 'OVPN_HANDSHAKE_TIMEOUT', phase: 'key-exchange' });
    expect(error?.message).toMatch(/client certificate/);
  });

  test('the recorded server of every capture is understood up to its push', () => {
    const all = capturedPlaintexts();
    let pushed = 0;
    for (const capture of new Set(all.map((one) => one.capture))) {
      const messages = all.filter((one) => one.capture === capture);
      const dataCiphers = [...DATA_CIPHERS.keys()];
      const { handshake } = client({ options: { dataCiphers } });
      handshake.credentialsReady(undefined);
      handshake.secured();
      const ofServer = messages.filter((one) => one.end === 'client' && senderOf(one) === 'server');
      const second = ofServer.findIndex((one, index) => index > 0 && isKeyMethod2(one));
      for (const { bytes } of ofServer.slice(0, second === -1 ? undefined : second)) {
        handshake.received(Buffer.from(bytes), 0);
      }
      const kinds = steps(handshake).map(({ kind }) => kind);
      if (kinds.includes('pushed')) pushed += 1;
      else expect(capture).toMatch(/cbc|userpass-bad|rejected-cert|cipher-mismatch/);
    }
    expect(pushed).toBeGreaterThanOrEqual(30);
  });

  test('a push settles the session once; a later one only brings a token', () => {
    const { handshake, memory } = exchanged();
    handshake.received(Buffer.from(PUSH), 0);
    expect(handshake.established).toBe(true);
    const kinds = steps(handshake).map(({ kind }) => kind);
    const results = new Set(['pushed', 'control-key', 'key']);
    expect(kinds.filter((kind) => results.has(kind))).toEqual(['pushed', 'control-key', 'key']);

    handshake.received(Buffer.from('PUSH_REPLY,cipher AES-128-GCM,auth-token T\0'), 5);
    expect(steps(handshake).map(({ kind }) => kind)).toEqual(['message']);
    expect(memory.authToken?.reveal()).toBe('T');
    expect(memory.agreement?.cipher.name).toBe('AES-256-GCM');
    expect(handshake.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    {
      name: "the server's options string",
      push: 'PUSH_REPLY\0',
      occ: 'V4,cipher AES-128-GCM',
      chosen: 'AES-128-GCM',
    },
    {
      name: 'the push before it',
      push: 'PUSH_REPLY,cipher AES-256-GCM\0',
      occ: 'V4,cipher AES-128-GCM',
      chosen: 'AES-256-GCM',
    },
    {
      name: 'one that we did not offer',
      push: 'PUSH_REPLY,cipher CHACHA20-POLY1305\0',
      occ: 'V4',
      chosen: undefined,
    },
    { name: 'none', push: 'PUSH_REPLY\0', occ: 'V4', chosen: undefined },
  ])('the cipher: $name', ({ push, occ, chosen }) => {
    const { handshake, memory } = exchanged({}, 0, occ);
    handshake.received(Buffer.from(push), 0);
    expect(memory.agreement?.cipher.name).toBe(chosen);
    if (chosen === undefined) {
      expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_NO_SHARED_CIPHER' });
    }
  });

  test.each([
    { said: 'AUTH_FAILED\0', code: 'OVPN_AUTH_FAILED', retryable: false },
    { said: 'AUTH_FAILED,SESSION:expired\0', code: 'OVPN_AUTH_FAILED', retryable: false },
    { said: 'AUTH_FAILED,CRV1:R:id:YQ==:code?\0', code: 'OVPN_AUTH_CHALLENGE', retryable: true },
    { said: 'AUTH_FAILED,TEMP[backoff 7]:busy\0', code: 'OVPN_AUTH_TEMPORARY', retryable: true },
    {
      said: 'AUTH_FAILED,Data channel cipher negotiation failed (no shared cipher)\0',
      code: 'OVPN_NO_SHARED_CIPHER',
      retryable: false,
    },
    { said: 'RESTART,[P]x\0', code: 'OVPN_PEER_RESTART', retryable: true },
    { said: 'HALT\0', code: 'OVPN_PEER_HALT', retryable: false },
    { said: 'EXIT\0', code: 'OVPN_PEER_EXIT', retryable: true },
  ])('$said ends it, once', ({ said, code, retryable }) => {
    const { handshake } = exchanged();
    handshake.received(Buffer.from(said + said), 0);
    const failures = steps(handshake).filter(({ kind }) => kind === 'failed');
    expect(failures).toMatchObject([{ error: { code, retryable } }]);
    handshake.received(Buffer.from(PUSH), 0);
    expect(steps(handshake)).toEqual([]);
  });

  test.each(['AUTH_FAILED,', 'AUTH_FAILED,SESSION:', 'AUTH_FAILED,TEMP:', 'RESTART,', 'HALT,[C]'])(
    'what the server says after %s is shown as printable ASCII, cut short',
    (head) => {
      const { handshake } = exchanged();
      handshake.received(Buffer.from(`${head}\u009b2J\u202eüber ${'x'.repeat(5000)}\0`), 0);
      const error = errorOf(handshake);
      expect(error?.message).toMatch(/^[\x20-\x7e]{1,400}$/);
      expect(error).toMatchObject({ reason: expect.stringMatching(/^[\x20-\x7e]{1,1000}$/) });
    },
  );

  test.each(['AUTH_FAILED,\x1b[2J', 'PUSH_REPLY,cipher \x1b[2J', 'RESTART,a\nb', 'EXIT\x07'])(
    '%j has a control character: dropped whole, counted, without effect',
    (text) => {
      const { handshake, drops } = exchanged();
      steps(handshake);
      handshake.received(Buffer.from(`${text}\0`), 0);
      expect(steps(handshake)).toEqual([]);
      expect(drops.snapshot()).toEqual({ malformed: 1 });
    },
  );

  test('PUSH_UPDATE, which was not offered, changes nothing', () => {
    const ivProto = CLIENT_IV_PROTO & ~IvProto.PUSH_UPDATE;
    const { handshake, memory } = exchanged({ options: { ivProto, readUpdate: neverRead } });
    handshake.received(Buffer.from(PUSH), 0);
    const { agreement } = memory;
    steps(handshake);
    handshake.received(Buffer.from('PUSH_UPDATE,cipher AES-128-GCM,auth-token x,peer-id 9\0'), 0);
    expect(steps(handshake).map(({ kind }) => kind)).toEqual(['message']);
    expect(memory).toMatchObject({ agreement, authToken: undefined });
  });

  test('PUSH_UPDATE before there is anything to change is ignored', () => {
    const { handshake } = exchanged({ options: { readUpdate: neverRead } });
    steps(handshake);
    handshake.received(Buffer.from('PUSH_UPDATE,tun-mtu 1400\0'), 0);
    expect(steps(handshake).map(({ kind }) => kind)).toEqual(['message']);
  });

  test('PUSH_UPDATE in several parts is read when all are there, and on a later key id too', () => {
    const read: (readonly string[])[] = [];
    const readUpdate = (options: readonly string[]) => {
      read.push(options);
      return NO_PUSH_OPTIONS;
    };
    const { handshake, memory } = exchanged({ options: { readUpdate } });
    handshake.received(Buffer.from(PUSH), 0);
    const later = exchanged({ keyId: 1, memory, options: { readUpdate } }).handshake;
    for (const one of [handshake, later]) {
      steps(one);
      one.received(Buffer.from('PUSH_UPDATE,-dns,push-continuation 2\0'), 7);
      expect(one.nextTimeout()).toBe(7 + MAX_PUSH_MS);
      one.received(Buffer.from('PUSH_UPDATE,tun-mtu 1400,push-continuation 1\0'), 9);
      expect(steps(one)).toContainEqual({ kind: 'updated', push: NO_PUSH_OPTIONS });
      expect(one.nextTimeout()).toBe(Number.POSITIVE_INFINITY);
    }
    expect(read).toEqual([
      ['-dns', 'tun-mtu 1400'],
      ['-dns', 'tun-mtu 1400'],
    ]);
  });

  test('a PUSH_UPDATE without its end, or that goes on for ever, ends the session', () => {
    const options = { readUpdate: () => NO_PUSH_OPTIONS };
    const part = Buffer.from('PUSH_UPDATE,push-continuation 2\0');
    const silent = exchanged({ options }).handshake;
    silent.received(Buffer.from(PUSH), 0);
    silent.received(Buffer.from(part), 5);
    silent.onTimeout(5 + MAX_PUSH_MS - 1);
    expect(errorOf(silent)).toBeUndefined();
    silent.onTimeout(5 + MAX_PUSH_MS);
    expect(errorOf(silent)).toMatchObject({ code: 'OVPN_PUSH_TIMEOUT' });
    const endless = exchanged({ options }).handshake;
    endless.received(Buffer.from(PUSH), 0);
    for (let count = 0; count <= MAX_PUSH_PARTS; count += 1) {
      endless.received(Buffer.from(part), 5);
    }
    expect(errorOf(endless)).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
  });

  test('a PUSH_UPDATE that cannot be applied ends the session with its reason', () => {
    const readUpdate = () => {
      throw new OvpnProtocolError('no', { layer: 'config', retryable: true });
    };
    const { handshake } = exchanged({ options: { readUpdate } });
    handshake.received(Buffer.from(PUSH), 0);
    handshake.received(Buffer.from('PUSH_UPDATE,future\0'), 0);
    expect(errorOf(handshake)).toMatchObject({ retryable: true });
  });

  test('a temporary refusal says how long to wait', () => {
    const { handshake } = exchanged();
    handshake.received(Buffer.from('AUTH_FAILED,TEMP[backoff 7]:busy\0'), 0);
    expect(errorOf(handshake)).toMatchObject({ backoffMs: 7000, reason: 'busy' });
  });

  test('a refused token is forgotten, and real credentials may help', () => {
    const memory = new SessionMemory();
    memory.username = 'alice';
    memory.authToken = new Secret('T');
    const { handshake } = client({ memory });
    expect(handshake.wantsCredentials).toBe(false);
    handshake.secured();
    handshake.received(serverKeyMethod2(), 0);
    handshake.received(Buffer.from('AUTH_FAILED\0'), 0);
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_AUTH_FAILED', retryable: true });
    expect(memory.authToken).toBeUndefined();
  });

  test.each(['AUTH_FAILED,TEMP:busy\0', 'RESTART\0', 'EXIT\0'])(
    'a token outlives %j: it was not refused',
    (said) => {
      const memory = new SessionMemory();
      memory.username = 'alice';
      memory.authToken = new Secret('T');
      const { handshake } = client({ memory });
      handshake.secured();
      handshake.received(serverKeyMethod2(), 0);
      handshake.received(Buffer.from(said), 0);
      expect(errorOf(handshake)).toBeDefined();
      expect(memory.authToken?.reveal()).toBe('T');
    },
  );

  test('a token that came after the password is refused with the session', () => {
    const { handshake, memory } = exchanged();
    handshake.received(Buffer.from('PUSH_REPLY,cipher AES-256-GCM,auth-token T\0'), 0);
    handshake.received(Buffer.from('AUTH_FAILED,SESSION\0'), 0);
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_AUTH_FAILED', retryable: true });
    expect(memory.authToken).toBeUndefined();
  });

  test.each([
    { bytes: 127, hint: /client certificate/ },
    { bytes: 128, hint: /a password of more than 127 bytes.* this one has 128$/ },
  ])('silence after a password of $bytes bytes has its likely cause', ({ bytes, hint }) => {
    const { handshake } = client();
    const password = new Secret('x'.repeat(bytes));
    handshake.credentialsReady({ username: 'alice', password });
    handshake.secured();
    handshake.onTimeout(60_000);
    const error = errorOf(handshake);
    expect(error).toMatchObject({ code: 'OVPN_HANDSHAKE_TIMEOUT', phase: 'key-exchange' });
    expect(error?.message).toMatch(hint);
  });

  test('a server that speaks before our key method 2 is refused', () => {
    const { handshake } = client();
    handshake.secured();
    handshake.received(serverKeyMethod2(), 0);
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_PROTOCOL' });
  });

  test('a push without an end is cut off', () => {
    const { handshake } = exchanged();
    for (let part = 0; part < 70; part += 1) {
      handshake.received(Buffer.from('PUSH_REPLY,route 1.2.3.4,push-continuation 2\0'), 0);
    }
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
  });

  test('a push that cannot be applied ends it', () => {
    const readNone = () => {
      throw new OvpnProtocolError('no address', { code: 'OVPN_PUSH_INVALID', layer: 'config' });
    };
    const { handshake } = exchanged({ options: { readPush: readNone } });
    handshake.received(Buffer.from(PUSH), 0);
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
  });

  test('credentials too long for the wire are told as such', () => {
    const { handshake } = client();
    handshake.secured();
    handshake.credentialsReady({ username: 'alice', password: new Secret('x'.repeat(65_535)) });
    expect(errorOf(handshake)).toMatchObject({ code: 'OVPN_USAGE' });
  });

  test('any records after the key exchange give only typed results', () => {
    const word = fc.constantFrom(
      'PUSH_REPLY',
      ',cipher AES-256-GCM',
      ',peer-id 1',
      ',push-continuation 2',
      'AUTH_FAILED',
      ',TEMP',
      'AUTH_PENDING',
      ',timeout 5',
      'RESTART',
      'INFO,x',
      '\0',
      '\x1b',
      'é',
      '"',
      '\\',
    );
    const record = fc.oneof(
      fc.array(word, { maxLength: 8 }).map((words) => Buffer.from(words.join(''))),
      fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), (records) => {
        const { handshake } = exchanged();
        for (const bytes of records) handshake.received(bytes, 0);
        const failures = steps(handshake).filter((step) => step.kind === 'failed');
        expect(failures.length).toBeLessThanOrEqual(1);
        for (const { error } of failures) expect(error).toBeInstanceOf(OvpnError);
      }),
      { numRuns: 2000 },
    );
  });

  test('wiping leaves no key material behind', () => {
    const { handshake } = exchanged();
    handshake.wipe();
    handshake.wipe();
    expect(() => handshake.received(Buffer.from(PUSH), 0)).not.toThrow();
    expect(errorOf(handshake)?.message).toMatch(/key exchange/);
  });
});
