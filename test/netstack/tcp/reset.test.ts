import { describe, expect, test } from 'vitest';
import { resetFor } from '../../../src/netstack/tcp/reset.ts';
import { Segment, segmentIsIntact } from '../../../src/netstack/tcp/segment.ts';
import { buildSegment, type Extras } from './scripted-peer.ts';
import { IP_HEADER_BYTES, PSEUDO_HEADER_SUM, testPath } from './tcp-pair.ts';

function answerTo(packet: Buffer): Segment | undefined {
  const answer = resetFor(packet, IP_HEADER_BYTES, packet.length - IP_HEADER_BYTES, testPath());
  if (answer === undefined) return undefined;
  const segment = new Segment();
  const length = answer.length - IP_HEADER_BYTES;
  expect(segment.read(answer, IP_HEADER_BYTES, length)).toBe(true);
  expect(segmentIsIntact(answer, IP_HEADER_BYTES, length, PSEUDO_HEADER_SUM)).toBe(true);
  return segment;
}

const NO_EXTRAS: Extras = {};

describe('resetFor', () => {
  test.each([
    { name: 'a SYN', flags: 'S', extras: NO_EXTRAS, sequence: 0, acknowledgment: 1, sent: 0x14 },
    { name: 'data', flags: '', extras: { data: 9 }, sequence: 0, acknowledgment: 9, sent: 0x14 },
    {
      name: 'a FIN with data',
      flags: 'F',
      extras: { data: 9 },
      sequence: 0,
      acknowledgment: 10,
      sent: 0x14,
    },
    { name: 'an ACK', flags: 'A', extras: NO_EXTRAS, sequence: 77, acknowledgment: 0, sent: 0x04 },
    {
      name: 'a SYN-ACK',
      flags: 'SA',
      extras: NO_EXTRAS,
      sequence: 77,
      acknowledgment: 0,
      sent: 0x04,
    },
  ])('answers $name (RFC 9293 §3.10.7.1)', ({ flags, extras, sequence, acknowledgment, sent }) => {
    const first = 0xffff_fff8;
    const expected = acknowledgment === 0 ? 0 : (first + acknowledgment) >>> 0;
    expect(answerTo(buildSegment(flags, first, 77, extras))).toMatchObject({
      flags: sent,
      sequence,
      acknowledgment: expected,
      window: 0,
    });
  });

  test('swaps the ports', () => {
    const packet = buildSegment('A', 1, 2);
    packet.writeUInt16BE(1234, IP_HEADER_BYTES);
    packet.writeUInt16BE(766, IP_HEADER_BYTES + 2);
    expect(answerTo(packet)).toMatchObject({ sourcePort: 766, destinationPort: 1234 });
  });

  test.each(['R', 'RA', 'SR'])('never answers %s', (flags) => {
    expect(answerTo(buildSegment(flags, 1, 2))).toBeUndefined();
  });

  test('does not answer what is damaged', () => {
    const packet = buildSegment('A', 1, 2);
    packet.writeUInt8(1, packet.length - 1);
    expect(answerTo(packet)).toBeUndefined();
    expect(answerTo(packet.subarray(0, 30))).toBeUndefined();
  });
});
