import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { sealedWrapContract, withBitFlipped } from '../contract/control-wrap.ts';
import { tlsCryptKeyBytes, tlsCryptVectors } from './wrap-vectors.ts';

const key = tlsCryptKeyBytes();
const client = new TlsCryptKey(key, 'client');
const server = new TlsCryptKey(key, 'server');
const unixSeconds = () => 1_800_000_000;

sealedWrapContract('tls-crypt', 40, () => ({
  client: new SessionWrap({ key: client, unixSeconds }),
  server: new SessionWrap({ key: server, unixSeconds }),
}));

describe('TlsCryptKey', () => {
  test.each(
    tlsCryptVectors().map((vector, index) => ({ name: `${index} from ${vector.dir}`, vector })),
  )('opens and seals vector $name to the same bytes', ({ vector }) => {
    const packet = Buffer.from(vector.packet, 'hex');
    const plain = Buffer.concat([packet.subarray(0, 9), Buffer.from(vector.plaintext, 'hex')]);
    const [sender, receiver] = vector.dir === 'C' ? [client, server] : [server, client];
    expect(receiver.open(packet)).toEqual(plain);
    expect(packet.readUInt32BE(receiver.replayIdAt)).toBe(vector.replay_id);
    expect(packet.readUInt32BE(receiver.replayIdAt + 4)).toBe(vector.net_time);
    expect(sender.seal(plain, vector.replay_id, vector.net_time)).toEqual(packet);
    expect(sender.open(packet)).toBe(Drop.BAD_AUTH);
  });

  test('refuses every packet with one bit changed', () => {
    for (const vector of tlsCryptVectors().slice(0, 3)) {
      const receiver = vector.dir === 'C' ? server : client;
      const packet = Buffer.from(vector.packet, 'hex');
      for (let bit = 0; bit < packet.length * 8; bit += 1) {
        expect(receiver.open(withBitFlipped(packet, bit))).toBe(Drop.BAD_AUTH);
      }
    }
  });

  test('refuses every truncation and a longer packet', () => {
    const packet = Buffer.from(tlsCryptVectors()[0]?.packet ?? '', 'hex');
    for (let length = 0; length < packet.length; length += 1) {
      const drop = length < 49 ? Drop.MALFORMED : Drop.BAD_AUTH;
      expect(server.open(packet.subarray(0, length))).toBe(drop);
    }
    expect(server.open(Buffer.concat([packet, Buffer.alloc(1)]))).toBe(Drop.BAD_AUTH);
  });

  test('refuses the packets of another key', () => {
    const other = new TlsCryptKey(Buffer.alloc(256, 7), 'server');
    expect(other.open(Buffer.from(tlsCryptVectors()[0]?.packet ?? '', 'hex'))).toBe(Drop.BAD_AUTH);
  });

  test('keeps no reference to the key', () => {
    const bytes = Buffer.from(key);
    const kept = new TlsCryptKey(bytes, 'server');
    bytes.fill(0);
    const packet = Buffer.from(tlsCryptVectors()[0]?.packet ?? '', 'hex');
    expect(kept.open(packet)).toBeInstanceOf(Buffer);
  });

  test.each([0, 255, 257])('wants a key of 256 bytes, not %i', (length) => {
    expect(() => new TlsCryptKey(Buffer.alloc(length), 'client')).toThrow('256 bytes');
  });

  test('shows no key', () => {
    const shown = inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client);
    expect(shown).not.toContain(key.toString('hex', 128, 132));
    expect(shown).not.toContain(key.toString('latin1', 128, 132));
  });
});
