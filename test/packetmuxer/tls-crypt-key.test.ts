import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { replayIdOf, TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { plainOf, readCaptures, tlsCryptKeyBytes, tlsCryptVectors } from './captures.ts';

const client = new TlsCryptKey(tlsCryptKeyBytes(), 'client');
const server = new TlsCryptKey(tlsCryptKeyBytes(), 'server');

describe('TlsCryptKey', () => {
  test.each(
    tlsCryptVectors().map((vector, index) => ({ name: `${index} from ${vector.dir}`, vector })),
  )('opens and seals vector $name to the same bytes', ({ vector }) => {
    const packet = Buffer.from(vector.packet, 'hex');
    const plain = Buffer.concat([packet.subarray(0, 9), Buffer.from(vector.plaintext, 'hex')]);
    const [sender, receiver] = vector.dir === 'C' ? [client, server] : [server, client];
    expect(receiver.open(packet)).toEqual(plain);
    expect(replayIdOf(packet)).toEqual({ packetId: vector.replay_id, netTime: vector.net_time });
    expect(sender.seal(plain, vector.replay_id, vector.net_time)).toEqual(packet);
    expect(sender.open(packet)).toBe(Drop.BAD_AUTH);
  });

  test.each(readCaptures().filter(({ wrap }) => wrap === 'tls-crypt'))(
    'opens every control packet of $name, renegotiations too',
    ({ control }) => {
      expect(control.length).toBeGreaterThanOrEqual(14);
      for (const recorded of control) {
        const packet = Buffer.from(recorded.hex, 'hex');
        const [sender, receiver] = recorded.dir === 'C' ? [client, server] : [server, client];
        expect(receiver.open(packet)).toEqual(plainOf(recorded));
        const { packetId, netTime } = replayIdOf(packet);
        expect(sender.seal(plainOf(recorded), packetId, netTime)).toEqual(packet);
      }
    },
  );

  test('refuses every packet with one byte changed', () => {
    for (const vector of tlsCryptVectors().slice(0, 3)) {
      const receiver = vector.dir === 'C' ? server : client;
      const packet = Buffer.from(vector.packet, 'hex');
      for (let at = 0; at < packet.length; at += 1) {
        const changed = Buffer.from(packet);
        changed[at] = (changed[at] ?? 0) ^ 0x01;
        expect(receiver.open(changed)).toBe(Drop.BAD_AUTH);
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

  test.each([0, 255, 257])('wants a key of 256 bytes, not %i', (length) => {
    expect(() => new TlsCryptKey(Buffer.alloc(length), 'client')).toThrow('256 bytes');
  });
});
