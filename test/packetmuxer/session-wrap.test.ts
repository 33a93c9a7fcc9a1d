import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { SessionWrap, type SessionWrapOptions } from '../../src/packetmuxer/session-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import {
  tlsAuthKeyBytes,
  tlsAuthVectors,
  tlsCryptKeyBytes,
  tlsCryptVectors,
} from './wrap-vectors.ts';

const T = 1_800_000_000;
const plain = Buffer.from('3801020304050607080000000000', 'hex');
const now = () => T;

const tlsCrypt = {
  kind: 'tls-crypt',
  client: new TlsCryptKey(tlsCryptKeyBytes(), 'client'),
  server: new TlsCryptKey(tlsCryptKeyBytes(), 'server'),
  vectors: tlsCryptVectors(),
};
const tlsAuth = {
  kind: 'tls-auth',
  client: new TlsAuthKey({ key: tlsAuthKeyBytes(), direction: undefined, digest: 'SHA1' }),
  server: new TlsAuthKey({ key: tlsAuthKeyBytes(), direction: undefined, digest: 'SHA1' }),
  vectors: tlsAuthVectors().find(({ digest }) => digest === 'sha1')?.packets ?? [],
};

describe.each([tlsCrypt, tlsAuth])('SessionWrap: $kind', (keys) => {
  const clientWrap = (options: Partial<SessionWrapOptions> = {}) =>
    new SessionWrap({ key: keys.client, unixSeconds: now, ...options });
  const serverWrap = (options: Partial<SessionWrapOptions> = {}) =>
    new SessionWrap({ key: keys.server, unixSeconds: now, ...options });
  const sealed = (packetId: number, netTime: number) => keys.client.seal(plain, packetId, netTime);

  function replayIdOf(packet: Buffer) {
    const at = keys.client.replayIdAt;
    return { packetId: packet.readUInt32BE(at), netTime: packet.readUInt32BE(at + 4) };
  }

  test('is named as its key', () => {
    expect(clientWrap().name).toBe(keys.kind);
    expect(clientWrap().overheadBytes).toBe(keys.client.overheadBytes);
  });

  test('reads one recorded session in its order, and no packet of it twice', () => {
    const [client, server] = [clientWrap(), serverWrap()];
    expect(keys.vectors.length).toBeGreaterThanOrEqual(6);
    for (const { dir, packet } of keys.vectors) {
      const receiver = dir === 'C' ? server : client;
      expect(receiver.unwrap(Buffer.from(packet, 'hex'))).toBeInstanceOf(Buffer);
      expect(receiver.unwrap(Buffer.from(packet, 'hex'))).toBe(Drop.REPLAY);
    }
  });

  test('writes the recorded bytes for the recorded replay id', () => {
    for (const { dir, packet, replay_id, net_time } of keys.vectors) {
      const recorded = { unixSeconds: () => net_time, firstPacketId: replay_id };
      const opened = (dir === 'C' ? keys.server : keys.client).open(Buffer.from(packet, 'hex'));
      if (typeof opened === 'number') throw new Error(`refused: ${opened}`);
      const sender = dir === 'C' ? clientWrap(recorded) : serverWrap(recorded);
      expect(sender.wrap(opened).toString('hex')).toBe(packet);
    }
  });

  test('counts up from 1 under the time of the first packet', () => {
    let seconds = T;
    const wrap = clientWrap({ unixSeconds: () => seconds });
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 1, netTime: T });
    seconds += 60;
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 2, netTime: T });
  });

  test.each([
    { name: 'the clock has moved on', later: T + 9, netTime: T + 9 },
    { name: 'the clock stands still', later: T, netTime: T + 1 },
    { name: 'the clock went back', later: T - 9, netTime: T + 1 },
  ])('begins anew at 1 after the last id: $name', ({ later, netTime }) => {
    let seconds = T;
    const wrap = clientWrap({ unixSeconds: () => seconds, firstPacketId: 0xffff_ffff });
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 0xffff_ffff, netTime: T });
    seconds = later;
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 1, netTime });
  });

  test('a forged packet does not touch the replay window', () => {
    const [client, server] = [clientWrap(), serverWrap()];
    const first = client.wrap(plain);
    const forged = Buffer.from(first);
    forged.writeUInt32BE(0xffff_0000, keys.client.replayIdAt);
    expect(server.unwrap(forged)).toBe(Drop.BAD_AUTH);
    expect(server.unwrap(first)).toEqual(plain);
  });

  test.each([
    { name: 'id 0', next: [0, T] },
    { name: 'id 0 under a newer time', next: [0, T + 1] },
    { name: 'an older time', next: [9, T - 1] },
    { name: 'the same packet', next: [5, T] },
    { name: 'one seen before the newest', next: [4, T] },
    { name: '70 back', next: [1, T], seen: 71 },
  ] as const)('refuses $name', ({ next: [packetId, netTime], ...row }) => {
    const server = serverWrap();
    const newest = 'seen' in row ? row.seen : 5;
    expect(server.unwrap(sealed(4, T))).toEqual(plain);
    expect(server.unwrap(sealed(newest, T))).toEqual(plain);
    expect(server.unwrap(sealed(packetId, netTime))).toBe(Drop.REPLAY);
    expect(server.unwrap(sealed(newest + 1, T))).toEqual(plain);
  });

  test('forgets no time rule: a late packet after 15 seconds is a replay', () => {
    let seconds = T;
    const client = clientWrap();
    const server = serverWrap({ unixSeconds: () => seconds });
    const late = client.wrap(plain);
    expect(server.unwrap(client.wrap(plain))).toEqual(plain);
    seconds += 16;
    expect(server.unwrap(late)).toBe(Drop.REPLAY);
  });

  test('keeps the replay window that it is given', () => {
    const [client, server] = [clientWrap(), serverWrap({ replayLimits: { packets: 0, ms: 1000 } })];
    const late = client.wrap(plain);
    expect(server.unwrap(client.wrap(plain))).toEqual(plain);
    expect(server.unwrap(late)).toBe(Drop.REPLAY);
  });
});
