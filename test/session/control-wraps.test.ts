import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import type { ControlWrapOptions } from '../../src/model/profile.ts';
import { plainWrap } from '../../src/packetmuxer/control-wrap.ts';
import { replayIdOf } from '../../src/packetmuxer/tls-crypt-key.ts';
import { sessionWrap, statelessWrap } from '../../src/session/control-wraps.ts';

const TLS_CRYPT: ControlWrapOptions = {
  kind: 'tls-crypt',
  key: new Secret(Buffer.from(Array.from({ length: 256 }, (_, index) => index))),
};
const now = () => 1_800_000_000;
const plain = Buffer.from('3801020304050607080000000000', 'hex');

describe('sessionWrap', () => {
  test('is plain without a wrap', () => {
    expect(sessionWrap({ kind: 'none' }, 'client', now)).toBe(plainWrap);
  });

  test('opens at the other end what this one closed', () => {
    const client = sessionWrap(TLS_CRYPT, 'client', now);
    const server = sessionWrap(TLS_CRYPT, 'server', now);
    expect(server.unwrap(client.wrap(plain))).toEqual(plain);
    expect(client.unwrap(server.wrap(plain))).toEqual(plain);
  });

  test('counts a client’s packets from 1, a server’s on from its reset', () => {
    expect(replayIdOf(sessionWrap(TLS_CRYPT, 'client', now).wrap(plain)).packetId).toBe(1);
    expect(replayIdOf(sessionWrap(TLS_CRYPT, 'server', now).wrap(plain)).packetId).toBe(2);
  });
});

describe('statelessWrap', () => {
  test('is plain without a wrap', () => {
    expect(statelessWrap({ kind: 'none' }, now)).toBe(plainWrap);
  });

  test('takes the same packet again, and answers with the same number', () => {
    const stateless = statelessWrap(TLS_CRYPT, now);
    const wrapped = sessionWrap(TLS_CRYPT, 'client', now).wrap(plain);
    expect(stateless.unwrap(wrapped)).toEqual(plain);
    expect(stateless.unwrap(wrapped)).toEqual(plain);
    const ids = [stateless.wrap(plain), stateless.wrap(plain)].map(replayIdOf);
    expect(ids.map(({ packetId }) => packetId)).toEqual([1, 1]);
  });
});
