import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { StatelessTlsCryptWrap, TlsCryptWrap } from '../../src/packetmuxer/tls-crypt.ts';
import { replayIdOf } from '../../src/packetmuxer/tls-crypt-key.ts';
import { controlWrapContract } from '../contract/control-wrap.ts';
import { tlsCryptKeyBytes, tlsCryptVectors } from './captures.ts';

const T = 1_800_000_000;
const key = tlsCryptKeyBytes();
const plain = Buffer.from('3801020304050607080000000000', 'hex');
const now = () => T;

controlWrapContract('tls-crypt', () => ({
  client: new TlsCryptWrap({ key, role: 'client', unixSeconds: now }),
  server: new TlsCryptWrap({ key, role: 'server', unixSeconds: now }),
}));

describe('TlsCryptWrap', () => {
  test('reads one recorded session in its order, and no packet of it twice', () => {
    const client = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    const server = new TlsCryptWrap({ key, role: 'server', unixSeconds: now });
    for (const { dir, packet } of tlsCryptVectors()) {
      const receiver = dir === 'C' ? server : client;
      expect(receiver.unwrap(Buffer.from(packet, 'hex'))).toBeInstanceOf(Buffer);
      expect(receiver.unwrap(Buffer.from(packet, 'hex'))).toBe(Drop.REPLAY);
    }
  });

  test('writes the recorded bytes for the recorded replay id', () => {
    for (const { dir, packet, plaintext, replay_id, net_time } of tlsCryptVectors()) {
      const wrap = new TlsCryptWrap({
        key,
        role: dir === 'C' ? 'client' : 'server',
        unixSeconds: () => net_time,
        firstPacketId: replay_id,
      });
      const header = Buffer.from(packet, 'hex').subarray(0, 9);
      const wrapped = wrap.wrap(Buffer.concat([header, Buffer.from(plaintext, 'hex')]));
      expect(wrapped.toString('hex')).toBe(packet);
    }
  });

  test('counts up from 1 under the time of the first packet', () => {
    let seconds = T;
    const wrap = new TlsCryptWrap({ key, role: 'client', unixSeconds: () => seconds });
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
    const wrap = new TlsCryptWrap({
      key,
      role: 'client',
      unixSeconds: () => seconds,
      firstPacketId: 0xffff_ffff,
    });
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 0xffff_ffff, netTime: T });
    seconds = later;
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 1, netTime });
  });

  test('a forged packet does not touch the replay window', () => {
    const client = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    const server = new TlsCryptWrap({ key, role: 'server', unixSeconds: now });
    const first = client.wrap(plain);
    const forged = Buffer.from(first);
    forged.writeUInt32BE(0xffff_0000, 9);
    expect(server.unwrap(forged)).toBe(Drop.BAD_AUTH);
    expect(server.unwrap(first)).toEqual(plain);
  });

  test('forgets no time rule: a late packet after 15 seconds is a replay', () => {
    let seconds = T;
    const client = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    const server = new TlsCryptWrap({ key, role: 'server', unixSeconds: () => seconds });
    const late = client.wrap(plain);
    expect(server.unwrap(client.wrap(plain))).toEqual(plain);
    seconds += 16;
    expect(server.unwrap(late)).toBe(Drop.REPLAY);
  });

  test('shows no key', () => {
    const wrap = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    const shown = inspect(wrap, { depth: 9, showHidden: true }) + JSON.stringify(wrap);
    expect(shown).not.toContain(key.toString('hex').slice(0, 8));
    expect(shown).not.toContain(key.toString('latin1').slice(0, 8));
  });
});

describe('StatelessTlsCryptWrap', () => {
  test('sends replay id 1 every time, and takes the same packet again', () => {
    const wrap = new StatelessTlsCryptWrap({ key, unixSeconds: now });
    const client = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 1, netTime: T });
    expect(replayIdOf(wrap.wrap(plain))).toEqual({ packetId: 1, netTime: T });
    const packet = client.wrap(plain);
    expect(wrap.unwrap(packet)).toEqual(plain);
    expect(wrap.unwrap(packet)).toEqual(plain);
    packet[20] = (packet[20] ?? 0) ^ 1;
    expect(wrap.unwrap(packet)).toBe(Drop.BAD_AUTH);
  });

  test('its session goes on with id 2', () => {
    const stateless = new StatelessTlsCryptWrap({ key, unixSeconds: now });
    const session = new TlsCryptWrap({ key, role: 'server', unixSeconds: now, firstPacketId: 2 });
    const client = new TlsCryptWrap({ key, role: 'client', unixSeconds: now });
    expect(client.unwrap(stateless.wrap(plain))).toEqual(plain);
    expect(client.unwrap(session.wrap(plain))).toEqual(plain);
    expect(client.unwrap(stateless.wrap(plain))).toBe(Drop.REPLAY);
  });
});
