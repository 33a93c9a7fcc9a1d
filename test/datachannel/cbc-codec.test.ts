import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { CBC_MAX_OVERHEAD_BYTES } from '../../src/datachannel/cbc-codec.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { codecFor, codecPair, key2, sealedBy } from './codecs.ts';

const CBC = { cipherName: 'AES-256-CBC', auth: 'SHA256' };
const MAC_BYTES = 32;
const HEADER = Buffer.of(0x48, 0, 0, 0);

describe('CbcCodec.open', () => {
  test.each([
    { name: 'bytes of 0                  ', padding: (text: Buffer) => filled(text, 4, 0) },
    { name: '17 bytes                    ', padding: (text: Buffer) => filled(text, 20, 17) },
    { name: 'a length beyond the text    ', padding: (text: Buffer) => filled(text, 4, 255) },
    { name: 'bytes that are not the same ', padding: (text: Buffer) => ragged(text, 4) },
    { name: 'a first byte that is wrong  ', padding: (text: Buffer) => ragged(text, 16) },
    { name: 'no room for the packet id   ', padding: () => Buffer.alloc(16, 16) },
    { name: '3 bytes of packet id        ', padding: () => filled(Buffer.alloc(3), 13, 13) },
  ])('padding that is $name is refused as a bad HMAC is', ({ padding }) => {
    const { client, server } = codecPair(CBC);
    const text = Buffer.concat([Buffer.of(0, 0, 0, 1), Buffer.alloc(8, 0x61)]);
    const badPadding = sealedText(padding(text));
    const badMac = Buffer.from(badPadding);
    badMac.writeUInt8(badMac.readUInt8(4) ^ 1, 4);

    expect(server.open(badMac, 0)).toBe(Drop.BAD_AUTH);
    const afterMac = { ...server.usage };
    expect(server.open(badPadding, 0)).toBe(Drop.BAD_AUTH);
    expect({ ...server.usage }).toEqual({ ...afterMac, failedOpens: afterMac.failedOpens + 1 });
    expect(server.open(sealedBy(client, 'still works'), 0)).toEqual(Buffer.from('still works'));
  });

  test.each([1, 2, 15, 16])('takes %i bytes of padding', (padding) => {
    const text = Buffer.concat([Buffer.of(0, 0, 0, 9), Buffer.alloc(28 - padding, 0x62)]);
    const server = codecFor('server', CBC);
    expect(server.open(sealedText(filled(text, padding, padding)), 0)).toEqual(text.subarray(4));
  });

  test('refuses packet id 0, however authentic', () => {
    const server = codecFor('server', CBC);
    expect(server.open(sealedText(filled(Buffer.alloc(4), 12, 12)), 0)).toBe(Drop.REPLAY);
    expect(server.usage.openedPackets).toBe(0);
  });

  test.each([
    { name: 'nothing                 ', bytes: 0, drop: Drop.MALFORMED },
    { name: 'an HMAC and an IV only  ', bytes: 4 + MAC_BYTES + 16, drop: Drop.MALFORMED },
    { name: 'a block but one byte    ', bytes: 4 + MAC_BYTES + 16 + 15, drop: Drop.MALFORMED },
    { name: 'one block               ', bytes: 4 + MAC_BYTES + 16 + 16, drop: Drop.BAD_AUTH },
    { name: 'a block and a byte      ', bytes: 4 + MAC_BYTES + 16 + 17, drop: Drop.MALFORMED },
    { name: 'two blocks              ', bytes: 4 + MAC_BYTES + 16 + 32, drop: Drop.BAD_AUTH },
    { name: 'the longest datagram    ', bytes: 65_507, drop: Drop.MALFORMED },
    { name: 'the longest whole blocks', bytes: 4 + MAC_BYTES + 16 + 65_440, drop: Drop.BAD_AUTH },
  ])('looks at the size first: $name', ({ bytes, drop }) => {
    const server = codecFor('server', CBC);
    expect(server.open(Buffer.alloc(bytes, 0x48), 0)).toBe(drop);
    expect(server.usage.failedOpens).toBe(drop === Drop.BAD_AUTH ? 1 : 0);
  });

  test('does not care for the peer id, which nothing covers', () => {
    const { client, server } = codecPair({ ...CBC, peerId: 7 });
    const packet = sealedBy(client, 'roamed');
    packet.writeUIntBE(0x12_3456, 1, 3);
    expect(server.open(packet, 0)).toEqual(Buffer.from('roamed'));
  });

  test('accepts V1 from a peer to whom it sends V2', () => {
    const client = codecFor('client', { ...CBC, peerId: 3 });
    const server = codecFor('server', { ...CBC, peerId: undefined });
    expect(client.open(sealedBy(server, 'old server'), 0)).toEqual(Buffer.from('old server'));
    expect(server.open(sealedBy(client, 'new client'), 0)).toEqual(Buffer.from('new client'));
  });
});

describe('CbcCodec.seal', () => {
  test('lays a packet out as OpenVPN does', () => {
    const random = new SeededRandom(4);
    const codec = codecFor('client', { ...CBC, keyId: 5, peerId: 0xfe_dcba, random });
    const iv = Buffer.alloc(16);
    const same = new SeededRandom(4);
    for (let at = 0; at < 16; at += 4) iv.writeUInt32BE(same.uint32(), at);
    const text = Buffer.concat([Buffer.of(0, 0, 0, 1), Buffer.from('payload')]);
    const cipher = createCipheriv('aes-256-cbc', key2().subarray(0, 32), iv);
    const sealed = Buffer.concat([iv, cipher.update(text), cipher.final()]);
    const packet = Buffer.concat([Buffer.from('4dfedcba', 'hex'), macOf(sealed), sealed]);
    expect(codec.seal(Buffer.from('payload'))).toEqual(packet);
  });

  test('every packet has an IV of its own', () => {
    const codec = codecFor('client', CBC);
    const ivs = Array.from({ length: 1000 }, () =>
      sealedBy(codec, 'x').subarray(36, 52).toString('hex'),
    );
    expect(new Set(ivs).size).toBe(1000);
    const again = sealedBy(codecFor('client', CBC), 'x').subarray(36, 52).toString('hex');
    expect(ivs).not.toContain(again);
  });

  test('pads to whole blocks, and by a whole one where none is missing', () => {
    const codec = codecFor('client', CBC);
    const textBytes = [0, 11, 12, 27, 28].map((length) => {
      return sealedBy(codec, Buffer.alloc(length, 1)).length - 4 - MAC_BYTES - 16;
    });
    expect(textBytes).toEqual([16, 16, 32, 32, 48]);
    const longest = sealedBy(codec, Buffer.alloc(12, 1)).length - 12;
    expect(longest).toBe(4 + MAC_BYTES + CBC_MAX_OVERHEAD_BYTES);
  });

  test('carries an empty payload', () => {
    const { client, server } = codecPair(CBC);
    expect(server.open(sealedBy(client, ''), 0)).toEqual(Buffer.alloc(0));
  });

  test('stops after the last packet id and never wraps', () => {
    const codec = codecFor('client', { ...CBC, limits: { lastPacketId: 2 } });
    sealedBy(codec, '1');
    expect(codec.exhausted).toBe(false);
    sealedBy(codec, '2');
    expect(codec).toMatchObject({ exhausted: true, lastPacketId: 2, epoch: 0 });
    expect(codec.seal(Buffer.from('3'))).toBeUndefined();
    expect(codec.usage.sealedPackets).toBe(2);
  });

  test.each(
    [...new Set(DIGESTS.values())].flatMap(({ name, bytes }) =>
      [0, undefined].map((peerId) => ({ auth: name, bytes, peerId })),
    ),
  )('works with $auth, peer id $peerId', ({ auth, bytes, peerId }) => {
    const { client, server } = codecPair({ cipherName: 'AES-128-CBC', auth, peerId });
    const packet = sealedBy(client, 'any digest');
    expect(packet.length).toBe((peerId === undefined ? 1 : 4) + bytes + 16 + 16);
    expect(server.open(packet, 0)).toEqual(Buffer.from('any digest'));
  });
});

/** `text`, one block or more, enciphered and authenticated as a client's. */
function sealedText(text: Buffer): Buffer {
  const iv = Buffer.alloc(16, 0x77);
  const cipher = createCipheriv('aes-256-cbc', key2().subarray(0, 32), iv);
  cipher.setAutoPadding(false);
  const sealed = Buffer.concat([iv, cipher.update(text), cipher.final()]);
  return Buffer.concat([HEADER, macOf(sealed), sealed]);
}

function macOf(sealed: Buffer): Buffer {
  return createHmac('sha256', key2().subarray(64, 64 + MAC_BYTES))
    .update(sealed)
    .digest();
}

function filled(text: Buffer, count: number, byte: number): Buffer {
  return Buffer.concat([text, Buffer.alloc(count, byte)]);
}

/** Padding of the right length whose first byte is another. */
function ragged(text: Buffer, count: number): Buffer {
  const padded = filled(text, count, count);
  padded.writeUInt8(count + 1, text.length);
  return count === 16
    ? Buffer.concat([text, Buffer.alloc(4, 1), padded.subarray(text.length)])
    : padded;
}
