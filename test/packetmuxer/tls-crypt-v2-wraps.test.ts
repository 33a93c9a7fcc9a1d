import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { TlsCryptKey } from '../../src/packetmuxer/tls-crypt-key.ts';
import { splitWrappedKey } from '../../src/packetmuxer/tls-crypt-v2.ts';
import {
  bringsWrappedKey,
  EARLY_NEGOTIATION_PACKET_ID,
  TlsCryptV2ClientWrap,
  TlsCryptV2ServerWrap,
} from '../../src/packetmuxer/tls-crypt-v2-wraps.ts';
import { sealedWrapContract, withBitFlipped } from '../contract/control-wrap.ts';
import { tlsCryptV2Key, tlsCryptV2Vectors } from './wrap-vectors.ts';

const T = 1_800_000_000;
const { key, wrappedKey } = tlsCryptV2Key();
const unixSeconds = () => T;
const SHORTEST_WRAPPED = 49;

/** The first byte, with key id 0, of the packets that bring the wrapped key. */
const CARRIERS = [
  { name: 'HARD_RESET_CLIENT_V3', byte0: 0x50 },
  { name: 'CONTROL_WKC_V1', byte0: 0x58 },
];

const clientWrap = () => new TlsCryptV2ClientWrap({ key, wrappedKey, unixSeconds });
const serverWrap = () => new TlsCryptV2ServerWrap({ key, unixSeconds });

function plainPacket(byte0: number): Buffer {
  return Buffer.concat([Buffer.from([byte0]), Buffer.from('01020304050607080000000000', 'hex')]);
}

sealedWrapContract('tls-crypt-v2', 40, () => ({ client: clientWrap(), server: serverWrap() }));

describe('TlsCryptV2ClientWrap', () => {
  test('writes recorded packets to the same bytes, wrapped key and all', () => {
    const recorded = tlsCryptV2Vectors().filter(({ dir }) => dir === 'C');
    expect(recorded.some(({ wkc }) => wkc !== null)).toBe(true);
    for (const { packet, plaintext, replay_id, net_time } of recorded) {
      const client = new TlsCryptV2ClientWrap({
        key,
        wrappedKey,
        unixSeconds: () => net_time,
        firstPacketId: replay_id,
      });
      const header = Buffer.from(packet, 'hex').subarray(0, 9);
      const wrapped = client.wrap(Buffer.concat([header, Buffer.from(plaintext, 'hex')]));
      expect(wrapped.toString('hex')).toBe(packet);
    }
  });

  test('takes recorded packets of the server', () => {
    const client = clientWrap();
    for (const { dir, packet, plaintext } of tlsCryptV2Vectors()) {
      if (dir === 'C') continue;
      const bytes = Buffer.from(packet, 'hex');
      const plain = Buffer.concat([bytes.subarray(0, 9), Buffer.from(plaintext, 'hex')]);
      expect(client.unwrap(bytes)).toEqual(plain);
    }
  });

  test('counts from 0x0f000001, whatever it sends', () => {
    const client = clientWrap();
    const ids = [0x50, 0x50, 0x58, 0x28].map((byte0) =>
      client.wrap(plainPacket(byte0)).readUInt32BE(9),
    );
    expect(ids).toEqual([0x0f00_0001, 0x0f00_0002, 0x0f00_0003, 0x0f00_0004]);
    expect(EARLY_NEGOTIATION_PACKET_ID).toBe(0x0f00_0001);
  });

  test('shows its wrapped key behind opcodes 10 and 11 of any key id, and nowhere else', () => {
    const client = clientWrap();
    for (let byte0 = 0; byte0 <= 0xff; byte0 += 1) {
      const opcode = byte0 >> 3;
      const wrapped = client.wrap(plainPacket(byte0));
      const added = opcode === 10 || opcode === 11 ? 40 + wrappedKey.length : 40;
      expect(wrapped).toHaveLength(14 + added);
    }
    expect(client.overheadBytes).toBe(40 + wrappedKey.length);
  });

  test.each([
    { name: 'no bytes', bytes: Buffer.alloc(0) },
    { name: 'no key', bytes: Buffer.alloc(299) },
    { name: 'one byte less', bytes: wrappedKey.subarray(1) },
    { name: 'one byte more', bytes: Buffer.concat([Buffer.alloc(1), wrappedKey]) },
  ])('wants a wrapped key that tells its length: $name', ({ bytes }) => {
    const made = () => new TlsCryptV2ClientWrap({ key, wrappedKey: bytes, unixSeconds });
    expect(made).toThrow('wrapped key');
  });

  test('shows no key', () => {
    const shown = inspect(clientWrap(), { depth: 9, showHidden: true });
    expect(shown).not.toContain(key.toString('hex', 128, 132));
  });
});

describe('TlsCryptV2ServerWrap', () => {
  test('reads recorded packets in their order, each once, and writes its own', () => {
    const server = serverWrap();
    for (const { dir, packet, plaintext, replay_id, net_time } of tlsCryptV2Vectors()) {
      const bytes = Buffer.from(packet, 'hex');
      const plain = Buffer.concat([bytes.subarray(0, 9), Buffer.from(plaintext, 'hex')]);
      if (dir === 'C') {
        expect(server.unwrap(bytes)).toEqual(plain);
        expect(server.unwrap(bytes)).toBe(Drop.REPLAY);
      } else {
        const recorded = { key, unixSeconds: () => net_time, firstPacketId: replay_id };
        expect(new TlsCryptV2ServerWrap(recorded).wrap(plain)).toEqual(bytes);
      }
    }
  });

  test.each(CARRIERS)('takes off the wrapped key of $name', ({ byte0 }) => {
    const plain = plainPacket(byte0);
    expect(serverWrap().unwrap(clientWrap().wrap(plain))).toEqual(plain);
  });

  test.each(CARRIERS)('has room for the longest wrapped key: $name', ({ byte0 }) => {
    const longest = Buffer.alloc(1_024, 7);
    longest.writeUInt16BE(1_024, 1_022);
    const client = new TlsCryptV2ClientWrap({ key, wrappedKey: longest, unixSeconds });
    const server = serverWrap();
    const packet = client.wrap(plainPacket(byte0));
    expect(packet.length - 14).toBe(server.overheadBytes);
    expect(server.unwrap(packet)).toEqual(plainPacket(byte0));
  });

  test.each(CARRIERS)('refuses $name without its wrapped key', ({ byte0 }) => {
    const bare = new TlsCryptKey(key, 'client').seal(plainPacket(byte0), 1, T);
    expect(serverWrap().unwrap(bare)).toBe(Drop.MALFORMED);
  });

  test('takes a wrapped key behind no other packet', () => {
    const packet = clientWrap().wrap(plainPacket(0x20));
    expect(serverWrap().unwrap(Buffer.concat([packet, wrappedKey]))).toBe(Drop.BAD_AUTH);
  });

  test.each(CARRIERS)('refuses $name with a bit of its packet changed', ({ byte0 }) => {
    const [client, server] = [clientWrap(), serverWrap()];
    const packet = client.wrap(plainPacket(byte0));
    const covered = packet.length - wrappedKey.length;
    for (let bit = 0; bit < covered * 8; bit += 1) {
      const drop = server.unwrap(withBitFlipped(packet, bit));
      expect(drop).toBe(Drop.BAD_AUTH);
    }
    expect(server.unwrap(packet)).toEqual(plainPacket(byte0));
  });

  test.each(CARRIERS)('refuses every truncation of $name', ({ byte0 }) => {
    const [client, server] = [clientWrap(), serverWrap()];
    const packet = client.wrap(plainPacket(byte0));
    for (let length = 0; length < packet.length; length += 1) {
      expect(server.unwrap(packet.subarray(0, length))).toBeTypeOf('number');
    }
  });

  test.each([0, 1, 2, 289, 400, 1_025, 0xffff])('refuses a wrapped key of length %i', (told) => {
    const packet = clientWrap().wrap(plainPacket(0x50));
    packet.writeUInt16BE(told, packet.length - 2);
    expect(serverWrap().unwrap(packet)).toBe(Drop.MALFORMED);
  });

  test('refuses a packet that is nothing but wrapped key', () => {
    const bytes = Buffer.from(wrappedKey);
    bytes[0] = 0x50;
    expect(splitWrappedKey(bytes)).toMatchObject({ packet: Buffer.alloc(0) });
    expect(serverWrap().unwrap(bytes)).toBe(Drop.MALFORMED);
    const front = Buffer.alloc(SHORTEST_WRAPPED - 1, 0x50);
    expect(serverWrap().unwrap(Buffer.concat([front, wrappedKey]))).toBe(Drop.MALFORMED);
  });

  test('no bytes behind opcodes 10 and 11 make it throw', () => {
    const server = serverWrap();
    const byte0 = fc.constantFrom(0x50, 0x58, 0x57, 0x5f);
    fc.assert(
      fc.property(byte0, fc.uint8Array({ maxLength: 1_400 }), (first, bytes) => {
        const packet = Buffer.concat([Buffer.from([first]), Buffer.from(bytes)]);
        expect(server.unwrap(packet)).toBeTypeOf('number');
      }),
    );
  });
});

describe('bringsWrappedKey', () => {
  test('opcodes 10 and 11 of any key id, and nothing else', () => {
    for (let byte0 = 0; byte0 <= 0xff; byte0 += 1) {
      const opcode = byte0 >> 3;
      expect(bringsWrappedKey(Buffer.from([byte0]))).toBe(opcode === 10 || opcode === 11);
    }
  });
});
