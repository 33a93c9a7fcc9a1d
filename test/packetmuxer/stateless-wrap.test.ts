import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { StatelessWrap } from '../../src/packetmuxer/stateless-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { controlWrapContract } from '../contract/control-wrap.ts';
import { tlsAuthKeyBytes, tlsCryptKeyBytes } from './wrap-vectors.ts';

const T = 1_800_000_000;
const plain = Buffer.from('3801020304050607080000000000', 'hex');
const unixSeconds = () => T;

const tlsCrypt = {
  kind: 'tls-crypt',
  addedBytes: 40,
  client: new TlsCryptKey(tlsCryptKeyBytes(), 'client'),
  server: new TlsCryptKey(tlsCryptKeyBytes(), 'server'),
};
const tlsAuth = {
  kind: 'tls-auth',
  addedBytes: 40,
  client: new TlsAuthKey({ key: tlsAuthKeyBytes(), direction: 1, digest: 'SHA256' }),
  server: new TlsAuthKey({ key: tlsAuthKeyBytes(), direction: 0, digest: 'SHA256' }),
};

for (const { kind, addedBytes, client, server } of [tlsCrypt, tlsAuth]) {
  controlWrapContract(`stateless ${kind}`, addedBytes, () => ({
    client: new StatelessWrap({ key: client, unixSeconds }),
    server: new StatelessWrap({ key: server, unixSeconds }),
  }));
}

describe.each([tlsCrypt, tlsAuth])('StatelessWrap: $kind', ({ kind, client, server }) => {
  const stateless = new StatelessWrap({ key: server, unixSeconds });

  test('is named as its key', () => {
    expect(stateless.name).toBe(kind);
  });

  test('sends replay id 1 every time', () => {
    const expected = server.seal(plain, 1, T);
    expect(stateless.wrap(plain)).toEqual(expected);
    expect(stateless.wrap(plain)).toEqual(expected);
  });

  test('takes the same packet again, and no forged one', () => {
    const packet = client.seal(plain, 7, T);
    expect(stateless.unwrap(packet)).toEqual(plain);
    expect(stateless.unwrap(packet)).toEqual(plain);
    packet[20] = (packet[20] ?? 0) ^ 1;
    expect(stateless.unwrap(packet)).toBe(Drop.BAD_AUTH);
  });

  test('its session goes on with id 2', () => {
    const session = new SessionWrap({ key: server, unixSeconds, firstPacketId: 2 });
    const receiver = new SessionWrap({ key: client, unixSeconds });
    expect(receiver.unwrap(stateless.wrap(plain))).toEqual(plain);
    expect(receiver.unwrap(session.wrap(plain))).toEqual(plain);
    expect(receiver.unwrap(stateless.wrap(plain))).toBe(Drop.REPLAY);
  });
});
