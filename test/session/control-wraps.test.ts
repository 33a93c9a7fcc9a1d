import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { Secret } from '../../src/core/secret.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import type { Role } from '../../src/model/ids.ts';
import { type ControlWrap, plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { ControlWraps, statelessWrap } from '../../src/session/control-wraps.ts';
import { controlWrapContract, sealedWrapContract } from '../contract/control-wrap.ts';
import { tlsCryptV2Key } from '../packetmuxer/wrap-vectors.ts';

const T = 1_800_000_000;
const now = () => T;
const plain = Buffer.from('3801020304050607080000000000', 'hex');
const renegotiation = Buffer.from('1901020304050607080000000000', 'hex');
const key = new Secret(Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
const v2 = tlsCryptV2Key();

const NONE: ControlWrapOptions = { kind: 'none' };
const TLS_CRYPT: ControlWrapOptions = { kind: 'tls-crypt', key };
const TLS_CRYPT_V2: ControlWrapOptions = {
  kind: 'tls-crypt-v2',
  key: new Secret(v2.key),
  wrappedKey: v2.wrappedKey,
};

function tlsAuth(role: Role): ControlWrapOptions {
  const secret = new Secret(Buffer.alloc(256, 0xa1));
  return { kind: 'tls-auth', key: secret, direction: role === 'client' ? 1 : 0, digest: 'SHA512' };
}

const BASES = [
  { kind: 'none', optionsOf: () => NONE, addedBytes: 0 },
  { kind: 'tls-auth', optionsOf: tlsAuth, addedBytes: 72 },
  { kind: 'tls-crypt', optionsOf: () => TLS_CRYPT, addedBytes: 40 },
  { kind: 'tls-crypt-v2', optionsOf: () => TLS_CRYPT_V2, addedBytes: 40 },
] as const;

const exported = () => Buffer.alloc(256, 0xe7);

function ends(optionsOf: (role: Role) => ControlWrapOptions) {
  const [client, server] = (['client', 'server'] as const).map(
    (role) => new ControlWraps({ wrap: optionsOf(role), role, unixSeconds: now }),
  );
  if (client === undefined || server === undefined) throw new Error('no ends');
  return { client, server };
}

function forKey(wraps: ControlWraps, keyId: number): ControlWrap {
  const wrap = wraps.forKey(keyId);
  if (wrap === undefined) throw new Error(`no wrap for key id ${keyId}`);
  return wrap;
}

for (const { kind, optionsOf, addedBytes } of BASES) {
  const contract = kind === 'none' ? controlWrapContract : sealedWrapContract;
  contract(`session, ${kind}`, addedBytes, () => {
    const { client, server } = ends(optionsOf);
    return { client: forKey(client, 0), server: forKey(server, 0) };
  });
  sealedWrapContract(`session, dynamic tls-crypt over ${kind}`, 40, () => {
    const { client, server } = ends(optionsOf);
    client.settle(exported());
    server.settle(exported());
    return { client: forKey(client, 1), server: forKey(server, 1) };
  });
}

describe('ControlWraps', () => {
  test('is plain without a wrap', () => {
    expect(ends(() => NONE).client.forKey(0)).toBe(plainWrap);
  });

  test.each(BASES)('is named as its directive: $kind', ({ kind, optionsOf }) => {
    expect(forKey(ends(optionsOf).client, 0).name).toBe(kind);
    expect(forKey(ends(optionsOf).server, 0).name).toBe(kind);
  });

  test.each([
    { kind: 'tls-auth', optionsOf: tlsAuth, at: 73, client: 1 },
    { kind: 'tls-crypt', optionsOf: () => TLS_CRYPT, at: 9, client: 1 },
    { kind: 'tls-crypt-v2', optionsOf: () => TLS_CRYPT_V2, at: 9, client: 0x0f00_0001 },
  ])('$kind: counts a client’s packets from its first, a server’s on from its reset', (row) => {
    const { client, server } = ends(row.optionsOf);
    expect(forKey(client, 0).wrap(plain).readUInt32BE(row.at)).toBe(row.client);
    expect(forKey(server, 0).wrap(plain).readUInt32BE(row.at)).toBe(2);
  });

  test.each(BASES)('$kind: later keys have no wrap until key id 0 has settled', ({ optionsOf }) => {
    const { client } = ends(optionsOf);
    for (let keyId = 1; keyId <= 7; keyId += 1) expect(client.forKey(keyId)).toBeUndefined();
  });

  test.each(BASES)('$kind: without dynamic tls-crypt they share that of key id 0', (row) => {
    const { client } = ends(row.optionsOf);
    client.settle(undefined);
    for (let keyId = 1; keyId <= 7; keyId += 1) expect(client.forKey(keyId)).toBe(client.forKey(0));
  });

  test.each(BASES)('$kind: with it they share one that counts from 1', ({ optionsOf }) => {
    const { client, server } = ends(optionsOf);
    for (const end of [client, server]) {
      const opening = end.forKey(0);
      end.settle(exported());
      const wrap = forKey(end, 1);
      expect(end.forKey(0)).toBe(opening);
      expect(wrap).not.toBe(opening);
      expect(wrap.wrap(renegotiation).readUInt32BE(9)).toBe(1);
      for (let keyId = 2; keyId <= 7; keyId += 1) expect(end.forKey(keyId)).toBe(wrap);
      expect(forKey(end, 7).wrap(renegotiation).readUInt32BE(9)).toBe(2);
    }
  });

  test('dynamic keys of different bases open nothing of each other', () => {
    const packets = BASES.map(({ optionsOf }) => {
      const { client } = ends(optionsOf);
      client.settle(exported());
      return forKey(client, 1).wrap(renegotiation);
    });
    BASES.forEach(({ optionsOf }, own) => {
      const { server } = ends(optionsOf);
      server.settle(exported());
      packets.forEach((packet, index) => {
        const expected = own === index ? renegotiation : Drop.BAD_AUTH;
        expect(forKey(server, 1).unwrap(packet)).toEqual(expected);
      });
    });
  });

  test('the opening’s wrap takes no packet of dynamic tls-crypt, nor the other way round', () => {
    const { client, server } = ends(() => TLS_CRYPT);
    client.settle(exported());
    server.settle(exported());
    expect(forKey(server, 0).unwrap(forKey(client, 1).wrap(plain))).toBe(Drop.BAD_AUTH);
    expect(forKey(server, 1).unwrap(forKey(client, 0).wrap(plain))).toBe(Drop.BAD_AUTH);
  });

  test('overwrites what was exported', () => {
    const bytes = exported();
    ends(() => TLS_CRYPT).client.settle(bytes);
    expect(bytes).toEqual(Buffer.alloc(256));
  });

  test('settles once', () => {
    const { client } = ends(() => TLS_CRYPT);
    client.settle(undefined);
    expect(() => client.settle(undefined)).toThrow('twice');
    expect(() => client.settle(exported())).toThrow('twice');
  });

  test.each(BASES)('$kind: hands the replay window on, to key id 0 and to the rest', (row) => {
    const replayLimits = { packets: 0, ms: 15_000 };
    const wrap = row.optionsOf('server');
    const server = new ControlWraps({ wrap, role: 'server', unixSeconds: now, replayLimits });
    const { client } = ends(row.optionsOf);
    client.settle(exported());
    server.settle(exported());
    for (const keyId of row.kind === 'none' ? [1] : [0, 1]) {
      const late = forKey(client, keyId).wrap(plain);
      expect(forKey(server, keyId).unwrap(forKey(client, keyId).wrap(plain))).toEqual(plain);
      expect(forKey(server, keyId).unwrap(late)).toBe(Drop.REPLAY);
    }
  });

  test('shows no key', () => {
    const { client } = ends(() => TLS_CRYPT_V2);
    client.settle(exported());
    const shown = inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client);
    expect(shown).not.toContain(v2.key.toString('hex', 128, 132));
  });
});

describe('statelessWrap', () => {
  test('is plain without a wrap', () => {
    expect(statelessWrap({ kind: 'none' }, now)).toBe(plainWrap);
  });

  test.each([
    { kind: 'tls-auth', optionsOf: tlsAuth, at: 73 },
    { kind: 'tls-crypt', optionsOf: () => TLS_CRYPT, at: 9 },
  ])('$kind: takes the same packet again, and answers with the same number', (row) => {
    const options = row.optionsOf('server');
    if (options.kind === 'tls-crypt-v2') throw new Error('not without a client’s key');
    const stateless = statelessWrap(options, now);
    const wrapped = forKey(ends(row.optionsOf).client, 0).wrap(plain);
    expect(stateless.name).toBe(row.kind);
    expect(stateless.unwrap(wrapped)).toEqual(plain);
    expect(stateless.unwrap(wrapped)).toEqual(plain);
    const ids = [stateless.wrap(plain), stateless.wrap(plain)].map((packet) =>
      packet.readUInt32BE(row.at),
    );
    expect(ids).toEqual([1, 1]);
  });
});
