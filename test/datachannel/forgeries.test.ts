import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { KeyUsage } from '../../src/datachannel/data-codec.ts';
import { cipherNamed } from './captures.ts';
import { codecFor, codecPair, FORMATS, type Format, sealedBy } from './codecs.ts';
import { connectedPair, eventsOf, sealed } from './ends.ts';
import { ipv4Packet } from './fixtures.ts';

const MASKS = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff];

/** Bytes of a packet that no tag covers and that select nothing: the peer id beside an HMAC. */
function uncoveredBytes({ cipherName, peerId }: Format): number[] {
  return cipherName.endsWith('-CBC') && peerId !== undefined ? [1, 2, 3] : [];
}

describe('a forged packet is refused and changes nothing', () => {
  test.each(FORMATS)('every truncation: $name', (format) => {
    const { client, server } = codecPair(format);
    const packet = sealedBy(client, 'the one that was really sent');
    for (let length = 0; length < packet.length; length += 1) {
      const opened = server.open(packet.subarray(0, length), 0);
      expect([Drop.MALFORMED, Drop.BAD_AUTH]).toContain(opened);
    }
    expectUnused(server.usage);
    expect(server.open(packet, 0)).toEqual(Buffer.from('the one that was really sent'));
  });

  test.each(FORMATS)('every byte with every bit: $name', (format) => {
    const cipher = cipherNamed(format.cipherName);
    const { client, server } = connectedPair({ auth: format.auth }, {}, { ...format, cipher });
    const packet = sealed(server, ipv4Packet(40));
    const uncovered = uncoveredBytes(format);
    for (let at = 0; at < packet.length; at += 1) {
      if (uncovered.includes(at)) continue;
      for (const mask of MASKS) {
        const opened = client.channel.open(changed(packet, at, mask), 9);
        expect(opened, `byte ${at} xor ${mask}`).toBeTypeOf('number');
        expect(opened).not.toBe(Drop.NONE);
      }
    }
    expect(client.activity.receivedAt).toBe(0);
    expect(eventsOf(client.channel)).toEqual([]);
    expect(client.channel.open(packet, 10)).toEqual(ipv4Packet(40));
  });

  test.each(FORMATS)('behind the header it always fails to authenticate: $name', (format) => {
    const { client, server } = codecPair(format);
    const packet = sealedBy(client, 'covered');
    const headerBytes = format.peerId === undefined ? 1 : 4;
    let forgeries = 0;
    for (let at = headerBytes; at < packet.length; at += 1) {
      // What names an unknown epoch is not even tried.
      if (format.epoch && at < 6) continue;
      for (const mask of MASKS) {
        expect(server.open(changed(packet, at, mask), 0)).toBe(Drop.BAD_AUTH);
        forgeries += 1;
      }
    }
    expect(server.usage.failedOpens).toBe(forgeries);
    expectUnused(server.usage);
    expect(server.open(packet, 0)).toEqual(Buffer.from('covered'));
  });

  test.each(
    FORMATS.filter(({ cipherName }) => !cipherName.endsWith('-CBC')).flatMap((format) =>
      [4, 8, 12].map((tagBytes) => ({ ...format, tagBytes })),
    ),
  )('a tag of $tagBytes bytes: $name', ({ tagBytes, ...format }) => {
    const { client, server } = codecPair(format);
    const packet = sealedBy(client, 'a payload of some length, more than a tag');
    const headerBytes = (format.peerId === undefined ? 1 : 4) + 4;
    const tagAt = format.epoch ? packet.length - 16 : headerBytes;
    const [before, after] = [packet.subarray(0, tagAt), packet.subarray(tagAt + 16)];
    const tag = packet.subarray(tagAt, tagAt + tagBytes);
    const cut = Buffer.concat([before, tag, after]);
    const filled = Buffer.concat([before, tag, Buffer.alloc(16 - tagBytes), after]);
    expect(server.open(cut, 0)).toBe(Drop.BAD_AUTH);
    expect(server.open(filled, 0)).toBe(Drop.BAD_AUTH);
    expectUnused(server.usage);
  });

  test.each(FORMATS)('an HMAC or tag of zeros, and one of another packet: $name', (format) => {
    const { client, server } = codecPair(format);
    const [first, second] = [sealedBy(client, 'first'), sealedBy(client, 'other')];
    const tail = first.length - 16;
    const headerBytes = format.peerId === undefined ? 1 : 4;
    const tagAt = format.epoch ? tail : headerBytes + (format.auth === 'NONE' ? 4 : 0);
    for (const tag of [Buffer.alloc(16), second.subarray(tagAt, tagAt + 16)]) {
      const forged = Buffer.from(first);
      forged.set(tag, tagAt);
      expect(server.open(forged, 0)).toBe(Drop.BAD_AUTH);
    }
    expectUnused(server.usage);
  });

  test.each(FORMATS)('what our own end sealed: $name', (format) => {
    const { client } = codecPair(format);
    expect(client.open(sealedBy(client, 'reflected'), 0)).toBe(Drop.BAD_AUTH);
  });

  test.each(FORMATS)('random bytes never throw: $name', (format) => {
    const server = codecFor('server', format);
    const header = format.peerId === undefined ? Buffer.of(0x30) : Buffer.of(0x48, 0, 0, 7);
    const rest = fc.uint8Array({ maxLength: 160 });
    const epoch = fc.constantFrom(0, 1, 2, 5, 6, 0xffff);
    fc.assert(
      fc.property(rest, epoch, fc.boolean(), (bytes, number, hasHeader) => {
        const packet = hasHeader ? Buffer.concat([header, bytes]) : Buffer.from(bytes);
        if (hasHeader && format.epoch && bytes.length > 1) packet.writeUInt16BE(number, 4);
        const drops: unknown[] = [Drop.MALFORMED, Drop.BAD_AUTH, Drop.UNKNOWN_KEY];
        expect(drops).toContain(server.open(packet, 0));
      }),
    );
    expectUnused(server.usage);
  });
});

describe('sealing and opening', () => {
  test.each(FORMATS)('give any payload back, both ways: $name', (format) => {
    const { client, server } = codecPair(format);
    const minLength = format.cipherName.endsWith('-CBC') ? 0 : 1;
    fc.assert(
      fc.property(fc.uint8Array({ minLength, maxLength: 1700 }), (bytes) => {
        const payload = Buffer.from(bytes);
        expect(server.open(sealedBy(client, payload), 0)).toEqual(payload);
        expect(client.open(sealedBy(server, payload), 0)).toEqual(payload);
      }),
      { numRuns: 30 },
    );
  });

  test.each(FORMATS)('take a packet once, in any order: $name', (format) => {
    const { client, server } = codecPair(format);
    const packets = ['1', '2', '3', '4'].map((text) => sealedBy(client, text));
    for (const at of [2, 0, 3, 1]) {
      const packet = packets[at] ?? expect.fail();
      expect(server.open(packet, 0)).toEqual(Buffer.from(`${at + 1}`));
      expect(server.open(packet, 0)).toBe(Drop.REPLAY);
    }
    expect(server.usage).toMatchObject({ openedPackets: 4, failedOpens: 0 });
  });

  test.each(FORMATS)('count the same at both ends: $name', (format) => {
    const { client, server } = codecPair(format);
    for (const length of [1, 12, 13, 16, 17, 1400]) {
      server.open(sealedBy(client, Buffer.alloc(length, 1)), 0);
    }
    const { sealedPackets, sealedBytes, sealedBlocks } = client.usage;
    expect(server.usage).toMatchObject({
      openedPackets: sealedPackets,
      openedBytes: sealedBytes,
      openedBlocks: sealedBlocks,
    });
    expect(sealedPackets).toBe(6);
  });
});

function changed(packet: Buffer, at: number, mask: number): Buffer {
  const forged = Buffer.from(packet);
  forged.writeUInt8(forged.readUInt8(at) ^ mask, at);
  return forged;
}

function expectUnused(usage: KeyUsage): void {
  expect({ ...usage, failedOpens: 0 }).toEqual({ ...new KeyUsage() });
}
