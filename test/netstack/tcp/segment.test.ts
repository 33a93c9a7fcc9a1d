import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderOptions } from '../../../src/netstack/tcp/header-options.ts';
import {
  Flag,
  Segment,
  sealSegment,
  segmentIsIntact,
  sequenceOf,
} from '../../../src/netstack/tcp/segment.ts';

/** Laid out by hand after RFC 9293 §3.1 and RFC 7323: ports, numbers, flags, MSS, SACK, timestamps, scale. */
const SYN = Buffer.from(
  '9c400050a1b2c3d400000000a002faf0000000000204058c0402080a0102030400000000010303 07'.replaceAll(
    ' ',
    '',
  ),
  'hex',
);

describe('Segment', () => {
  test('reads a SYN with its options', () => {
    const segment = new Segment();
    expect(segment.read(SYN, 0, SYN.length)).toBe(true);
    expect(segment).toMatchObject({
      sourcePort: 40_000,
      destinationPort: 80,
      sequence: 0xa1b2_c3d4,
      acknowledgment: 0,
      flags: Flag.SYN,
      window: 64_240,
      payloadLength: 0,
      span: 1,
      options: { mss: 1420, windowScale: 7, hasTimestamps: true, timestamp: 0x0102_0304, echo: 0 },
    });
    expect(sequenceOf(SYN, 0)).toBe(0xa1b2_c3d4);
  });

  test('reads what it writes', () => {
    const uint32 = fc.nat(0xffff_ffff);
    const optional = (max: number) => fc.oneof(fc.constant(-1), fc.nat(max));
    fc.assert(
      fc.property(
        uint32,
        uint32,
        fc.nat(0x3f),
        fc.nat(0xffff),
        optional(0xffff),
        optional(14),
        fc.boolean(),
        (sequence, acknowledgment, flags, window, mss, windowScale, hasTimestamps) => {
          const written = new Segment();
          const timestamp = hasTimestamps ? sequence : 0;
          const echo = hasTimestamps ? acknowledgment : 0;
          Object.assign(written, { sourcePort: 1, destinationPort: 65_535 });
          Object.assign(written, { sequence, acknowledgment, flags, window });
          Object.assign(written.options, { mss, windowScale, hasTimestamps, timestamp, echo });
          const packet = Buffer.alloc(written.headerBytes + 9);
          written.write(packet, 0);
          const segment = new Segment();
          expect(segment.read(packet, 0, packet.length)).toBe(true);
          expect(segment.payloadLength).toBe(9);
          expect({ ...segment, payloadAt: 0, payloadLength: 0 }).toEqual({ ...written });
        },
      ),
    );
  });

  test('never throws and never points outside, whatever it reads', () => {
    const segment = new Segment();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(90), fc.nat(90), (bytes, at, length) => {
        if (!segment.read(bytes, at, length)) return;
        expect(segment.payloadAt + segment.payloadLength).toBe(at + length);
        expect(segment.payloadLength).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 2000 },
    );
  });

  test('counts SYN and FIN', () => {
    const segment = new Segment();
    segment.payloadLength = 5;
    expect(segment.span).toBe(5);
    segment.flags = Flag.SYN | Flag.FIN | Flag.RST;
    expect(segment.span).toBe(7);
  });
});

describe('HeaderOptions', () => {
  test.each([
    { name: 'an unknown kind', bytes: 'fe0401020204 05b4', found: { mss: 1460 } },
    { name: 'no-operations', bytes: '0101010102 0405b4', found: { mss: 1460 } },
    { name: 'the end of the list', bytes: '00020405b4000000', found: { mss: -1 } },
    { name: 'length 0', bytes: '0200020405b40000', found: { mss: -1 } },
    { name: 'length 1', bytes: '0201020405b40000', found: { mss: -1 } },
    { name: 'a length behind the end', bytes: '080a000102030405', found: { hasTimestamps: false } },
    { name: 'a kind without length', bytes: '0101010101010102', found: { mss: -1 } },
    { name: 'an MSS of wrong length', bytes: '0203050102040111', found: { mss: 0x111 } },
    { name: 'a shift above 14', bytes: '030320000000 0000', found: { windowScale: 14 } },
    {
      name: 'timestamps not aligned',
      bytes: '080a000000070000000901',
      found: { timestamp: 7, echo: 9 },
    },
  ])('$name', ({ bytes, found }) => {
    const options = new HeaderOptions();
    const packet = Buffer.from(bytes.replaceAll(' ', ''), 'hex');
    options.read(packet, 0, packet.length);
    expect(options).toMatchObject(found);
  });

  test('forgets those of the segment before', () => {
    const options = new HeaderOptions();
    options.read(Buffer.from('020405b4', 'hex'), 0, 4);
    options.read(Buffer.alloc(0), 0, 0);
    expect(options).toEqual(new HeaderOptions());
  });
});

test('sealSegment makes it intact, and any flipped bit is told', () => {
  const packet = Buffer.concat([Buffer.alloc(20), SYN, Buffer.from('odd')]);
  sealSegment(packet, 20, 0x1_2345);
  const intact = () => segmentIsIntact(packet, 20, packet.length - 20, 0x1_2345);
  expect(intact()).toBe(true);
  for (let bit = 20 * 8; bit < packet.length * 8; bit += 1) {
    packet.writeUInt8(packet.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
    expect(intact()).toBe(false);
    packet.writeUInt8(packet.readUInt8(bit >>> 3) ^ (1 << (bit & 7)), bit >>> 3);
  }
  expect(segmentIsIntact(packet, 20, packet.length - 20, 0x1_2346)).toBe(false);
});
