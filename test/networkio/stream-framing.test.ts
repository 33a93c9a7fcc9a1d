import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import {
  MAX_FRAME_BYTES,
  StreamDeframer,
  StreamFramer,
} from '../../src/networkio/stream-framing.ts';

function framed(...packets: Buffer[]): Buffer {
  const framer = new StreamFramer();
  for (const packet of packets) framer.add(packet);
  return framer.flush();
}

function taken(deframer: StreamDeframer): Buffer[] {
  const packets: Buffer[] = [];
  for (let packet = deframer.take(); packet !== undefined; packet = deframer.take()) {
    packets.push(packet);
  }
  return packets;
}

describe('StreamFramer', () => {
  test('puts the length before each packet', () => {
    const bytes = framed(Buffer.from('aa', 'hex'), Buffer.alloc(0x0102, 0xbb));
    expect(bytes.toString('hex')).toBe(`0001aa0102${'bb'.repeat(0x0102)}`);
  });

  test('says how much waits, and starts anew after each flush', () => {
    const framer = new StreamFramer();
    framer.add(Buffer.alloc(10));
    framer.add(Buffer.alloc(20));
    expect(framer.bytes).toBe(34);
    expect(framer.flush()).toHaveLength(34);
    expect(framer.bytes).toBe(0);
    expect(framer.flush()).toHaveLength(0);
  });
});

describe('StreamDeframer', () => {
  test('gives nothing until a packet is whole', () => {
    const deframer = new StreamDeframer();
    for (const byte of [0x00, 0x03, 0x0a, 0x0b]) {
      deframer.push(Buffer.from([byte]));
      expect(deframer.take()).toBeUndefined();
    }
    deframer.push(Buffer.from([0x0c]));
    expect(deframer.take()?.toString('hex')).toBe('0a0b0c');
    expect(deframer.take()).toBeUndefined();
  });

  test('packets inside a chunk are views of it', () => {
    const chunk = framed(Buffer.alloc(100, 1), Buffer.alloc(200, 2));
    const deframer = new StreamDeframer();
    deframer.push(chunk);
    for (const packet of taken(deframer)) expect(packet.buffer).toBe(chunk.buffer);
  });

  test('any chunking gives the same packets', () => {
    const packets = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 12 });
    const cuts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(packets, cuts, fc.boolean(), (content, sizes, takeOften) => {
        const sent = content.map((bytes) => Buffer.from(bytes));
        const stream = framed(...sent);
        const deframer = new StreamDeframer();
        const received: Buffer[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          deframer.push(Buffer.from(stream.subarray(at, at + size)));
          at += size;
          if (takeOften) received.push(...taken(deframer));
        }
        received.push(...taken(deframer));
        expect(received).toEqual(sent);
        expect(deframer.failure).toBeUndefined();
      }),
    );
  });

  test.each([
    { name: 'length 1', length: 1 },
    { name: 'the longest packet', length: MAX_FRAME_BYTES },
  ])('takes $name', ({ length }) => {
    const deframer = new StreamDeframer();
    deframer.push(framed(Buffer.alloc(length, 7)));
    expect(deframer.take()).toEqual(Buffer.alloc(length, 7));
  });

  test.each([
    { name: 'length 0', length: 0 },
    { name: 'one byte too long', length: MAX_FRAME_BYTES + 1 },
    { name: 'length 65535', length: 0xffff },
  ])('fails at $name, and reads no further', ({ length }) => {
    const deframer = new StreamDeframer();
    const bad = Buffer.alloc(2);
    bad.writeUInt16BE(length);
    deframer.push(Buffer.concat([framed(Buffer.from('aa', 'hex')), bad]));
    expect(deframer.take()?.toString('hex')).toBe('aa');
    expect(deframer.failure).toBeUndefined();
    expect(deframer.take()).toBeUndefined();
    expect(deframer.failure).toBeInstanceOf(OvpnProtocolError);
    expect(deframer.failure?.message).toContain(`got ${length}`);
    deframer.push(framed(Buffer.from('bb', 'hex')));
    expect(deframer.take()).toBeUndefined();
  });

  test('no input makes it throw', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const deframer = new StreamDeframer();
        for (const chunk of chunks) {
          deframer.push(Buffer.from(chunk));
          taken(deframer);
        }
      }),
    );
  });
});
