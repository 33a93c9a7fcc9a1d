import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { SessionWrap } from '../../src/packetmuxer/session-wrap.ts';
import { TlsAuthKey } from '../../src/packetmuxer/tls-auth-key.ts';
import { sealedWrapContract, withBitFlipped } from '../contract/control-wrap.ts';
import { tlsAuthKeyBytes, tlsAuthVectors } from './wrap-vectors.ts';

type Direction = 0 | 1 | undefined;

const T = 1_800_000_000;
const key = tlsAuthKeyBytes();
const plain = Buffer.from('3801020304050607080000000000', 'hex');

function end(digest: string, direction: Direction): TlsAuthKey {
  return new TlsAuthKey({ key, direction, digest });
}

function wrap(digest: string, direction: Direction): SessionWrap {
  return new SessionWrap({ key: end(digest, direction), unixSeconds: () => T });
}

for (const digest of new Set(DIGESTS.values())) {
  sealedWrapContract(`tls-auth ${digest.name}`, digest.bytes + 8, () => ({
    client: wrap(digest.name, 1),
    server: wrap(digest.name, 0),
  }));
}

sealedWrapContract('tls-auth SHA1, client direction 0', 28, () => ({
  client: wrap('SHA1', 0),
  server: wrap('SHA1', 1),
}));

sealedWrapContract('tls-auth SHA1 without direction', 28, () => ({
  client: wrap('SHA1', undefined),
  server: wrap('SHA1', undefined),
}));

describe('TlsAuthKey', () => {
  const vectors = tlsAuthVectors().flatMap(({ digest, client_key_direction, packets }) =>
    packets.map((vector, index) => ({
      name: `${digest} ${index} from ${vector.dir}`,
      digest: digest.toUpperCase(),
      client: client_key_direction ?? undefined,
      vector,
    })),
  );

  test.each(vectors)('opens and signs vector $name to the same bytes', (row) => {
    const { digest, vector } = row;
    const ends = [end(digest, row.client), end(digest, opposite(row.client))] as const;
    const [sender, receiver] = vector.dir === 'C' ? ends : [ends[1], ends[0]];
    const packet = Buffer.from(vector.packet, 'hex');
    const opened = receiver.open(packet);
    if (typeof opened === 'number') throw new Error(`refused: ${opened}`);
    expect(packet.readUInt32BE(receiver.replayIdAt)).toBe(vector.replay_id);
    expect(packet.readUInt32BE(receiver.replayIdAt + 4)).toBe(vector.net_time);
    expect(packet.subarray(9, receiver.replayIdAt).toString('hex')).toBe(vector.hmac);
    expect(sender.seal(opened, vector.replay_id, vector.net_time)).toEqual(packet);
  });

  test.each(vectors)('refuses vector $name with one bit changed', ({ digest, client, vector }) => {
    const receiver = end(digest, vector.dir === 'C' ? opposite(client) : client);
    const packet = Buffer.from(vector.packet, 'hex').subarray(0, 120);
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      expect(receiver.open(withBitFlipped(packet, bit))).toBe(Drop.BAD_AUTH);
    }
  });

  test.each([
    { send: undefined, half: 64 },
    { send: 0, half: 64 },
    { send: 1, half: 192 },
  ] as const)('signs with the key at $half under direction $send', ({ send, half }) => {
    const packet = end('SHA512', send).seal(plain, 5, T);
    const replayId = packet.subarray(73, 81);
    expect(replayId.toString('hex')).toBe('000000056b49d200');
    const expected = createHmac('sha512', key.subarray(half, half + 64))
      .update(Buffer.concat([replayId, plain]))
      .digest();
    expect(packet.subarray(9, 73)).toEqual(expected);
  });

  test.each([
    { sent: 0, read: 0, opens: false },
    { sent: 0, read: 1, opens: true },
    { sent: 0, read: undefined, opens: true },
    { sent: 1, read: 0, opens: true },
    { sent: 1, read: 1, opens: false },
    { sent: 1, read: undefined, opens: false },
    { sent: undefined, read: 0, opens: false },
    { sent: undefined, read: 1, opens: true },
    { sent: undefined, read: undefined, opens: true },
  ] as const)('sent under direction $sent, read under $read: $opens', ({ sent, read, opens }) => {
    const packet = end('SHA256', sent).seal(plain, 1, T);
    expect(end('SHA256', read).open(packet)).toEqual(opens ? plain : Drop.BAD_AUTH);
  });

  test('refuses the packets of every other digest', () => {
    const digests = [...new Set(DIGESTS.values())];
    for (const sender of digests) {
      const packet = end(sender.name, 1).seal(Buffer.concat([plain, Buffer.alloc(64)]), 1, T);
      for (const receiver of digests) {
        if (receiver === sender) continue;
        expect(end(receiver.name, 0).open(packet)).toBe(Drop.BAD_AUTH);
      }
    }
  });

  test('refuses the packets of another key', () => {
    const other = new TlsAuthKey({ key: Buffer.alloc(256, 7), direction: 0, digest: 'SHA1' });
    expect(other.open(end('SHA1', 1).seal(plain, 1, T))).toBe(Drop.BAD_AUTH);
  });

  test('keeps no reference to the key', () => {
    const bytes = Buffer.from(key);
    const kept = new TlsAuthKey({ key: bytes, direction: 1, digest: 'SHA1' });
    bytes.fill(0);
    expect(end('SHA1', 0).open(kept.seal(plain, 1, T))).toEqual(plain);
  });

  test('knows aliases of digests', () => {
    expect(end('RSA-SHA256', 0).open(end('SHA256', 1).seal(plain, 1, T))).toEqual(plain);
  });

  test.each([0, 255, 257])('wants a key of 256 bytes, not %i', (length) => {
    const made = () => new TlsAuthKey({ key: Buffer.alloc(length), direction: 0, digest: 'SHA1' });
    expect(made).toThrow('256 bytes');
  });

  test('wants a digest that exists', () => {
    expect(() => end('SHA0', 0)).toThrow('SHA0');
  });

  test('shows no key', () => {
    const shown = inspect(end('SHA1', 1), { depth: 9, showHidden: true });
    expect(shown).not.toContain(key.toString('hex', 64, 68));
    expect(shown).not.toContain(key.toString('hex', 192, 196));
  });
});

function opposite(direction: Direction): Direction {
  if (direction === undefined) return undefined;
  return direction === 0 ? 1 : 0;
}
