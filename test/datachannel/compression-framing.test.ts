import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY } from '../../src/core/bytes.ts';
import { Drop } from '../../src/core/machine.ts';
import { type Framing, framingOf } from '../../src/datachannel/compression-framing.ts';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import { type CapturedPacket, readCapture, readUnitVectors } from './captures.ts';

/** What was configured in each capture, and how many of its packets are compressed. */
const CAPTURES: readonly {
  readonly name: string;
  readonly kind: CompressionFraming;
  readonly packets: number;
  readonly compressed: number;
}[] = [
  { name: '60-comp-lzo-no', kind: 'comp-lzo-no', packets: 17, compressed: 0 },
  { name: '61-compress-empty', kind: 'stub', packets: 19, compressed: 0 },
  { name: '62-compress-stubv2', kind: 'stub-v2', packets: 18, compressed: 0 },
  { name: '63-compress-lz4-yes', kind: 'stub', packets: 18, compressed: 4 },
  { name: '64-compress-lz4v2-yes', kind: 'stub-v2', packets: 20, compressed: 4 },
  { name: '66-stubv2-escape', kind: 'stub-v2', packets: 8, compressed: 0 },
];
const KINDS: readonly CompressionFraming[] = ['comp-lzo-no', 'stub', 'stub-v2'];

const { compression_frames } = readUnitVectors<{
  compression_frames: readonly { capture: string; dir: string; decrypted_payload: string }[];
}>();

function framing(kind: CompressionFraming): Framing {
  const found = framingOf(kind);
  if (found === undefined) throw new Error(`no framing ${kind}`);
  return found;
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

/** What `kind` gives for `text`: the payload in hex, or the reason of the drop. */
function unframed(kind: CompressionFraming, text: string): string | Drop {
  const payload = framing(kind).unframe(hex(text));
  return typeof payload === 'number' ? payload : payload.toString('hex');
}

/** No payload that was captured begins otherwise: IPv4, IPv6, ping, and one made for the escape. */
const BEGINNINGS = /^(45|60|2a187bf3641eb4cb07ed2d0a981fc748$|50112233)/;

/** The frame comes apart, and together again as it was but for OpenVPN's own way to escape. */
function checkFrame(kind: CompressionFraming, frame: string): void {
  const payload = unframed(kind, frame);
  if (typeof payload === 'number') {
    expect(payload).toBe(Drop.COMPRESSED);
    expect(frame).toMatch(/^(69|5001)/);
    return;
  }
  expect(payload).toMatch(BEGINNINGS);
  const again = framing(kind).frame(hex(payload)).toString('hex');
  expect(again).toBe(frame.replace(/^500a50/, '500050'));
}

describe('captures', () => {
  test.each(CAPTURES)('$name', ({ name, kind, packets, compressed }) => {
    const frames = readCapture(name).packets.map(({ plaintext }: CapturedPacket) => plaintext);
    for (const frame of frames) checkFrame(kind, frame);
    expect(frames).toHaveLength(packets);
    const dropped = frames.filter((frame) => unframed(kind, frame) === Drop.COMPRESSED);
    expect(dropped).toHaveLength(compressed);
  });

  test.each(compression_frames)('$capture, sent by $dir, $decrypted_payload', (vector) => {
    const kind = CAPTURES.find(({ name }) => name === vector.capture)?.kind ?? 'none';
    checkFrame(kind, vector.decrypted_payload);
  });
});

describe('framingOf', () => {
  test('none is no framing', () => {
    expect(framingOf('none')).toBeUndefined();
  });

  test.each([
    { kind: 'comp-lzo-no', payload: '45 01 02', frame: 'fa 45 01 02' },
    { kind: 'comp-lzo-no', payload: '45', frame: 'fa 45' },
    { kind: 'comp-lzo-no', payload: 'fa', frame: 'fa fa' },
    { kind: 'stub', payload: '45 01 02', frame: 'fb 01 02 45' },
    { kind: 'stub', payload: '45', frame: 'fb 45' },
    { kind: 'stub', payload: 'fb 69', frame: 'fb 69 fb' },
    { kind: 'stub-v2', payload: '45 01 02', frame: '45 01 02' },
    { kind: 'stub-v2', payload: '50', frame: '50 00 50' },
    { kind: 'stub-v2', payload: '50 01 02', frame: '50 00 50 01 02' },
  ] as const)('$kind: $payload is $frame', ({ kind, payload, frame }) => {
    expect(framing(kind).frame(hex(payload))).toEqual(hex(frame));
    expect(framing(kind).unframe(hex(frame))).toEqual(hex(payload));
  });

  test.each([
    { kind: 'comp-lzo-no', bytes: '', expected: Drop.MALFORMED },
    { kind: 'comp-lzo-no', bytes: 'fa', expected: Drop.MALFORMED },
    { kind: 'comp-lzo-no', bytes: '66 01 02', expected: Drop.COMPRESSED },
    { kind: 'comp-lzo-no', bytes: 'fb 01 45', expected: Drop.COMPRESSED },
    { kind: 'comp-lzo-no', bytes: '45 01 02', expected: Drop.COMPRESSED },
    { kind: 'stub', bytes: '', expected: Drop.MALFORMED },
    { kind: 'stub', bytes: 'fb', expected: Drop.MALFORMED },
    { kind: 'stub', bytes: '69 01 02', expected: Drop.COMPRESSED },
    { kind: 'stub', bytes: 'fa 45 01', expected: Drop.COMPRESSED },
    { kind: 'stub', bytes: '45 01 02', expected: Drop.COMPRESSED },
    { kind: 'stub-v2', bytes: '', expected: Drop.MALFORMED },
    { kind: 'stub-v2', bytes: '50', expected: Drop.MALFORMED },
    { kind: 'stub-v2', bytes: '50 00', expected: Drop.MALFORMED },
    { kind: 'stub-v2', bytes: '50 0a', expected: Drop.MALFORMED },
    { kind: 'stub-v2', bytes: '50 01 02 03', expected: Drop.COMPRESSED },
    { kind: 'stub-v2', bytes: '50 45 01', expected: Drop.COMPRESSED },
    { kind: 'stub-v2', bytes: '50 0a 50 01', expected: '5001' },
    { kind: 'stub-v2', bytes: '50 00 45 01', expected: '4501' },
  ] as const)('$kind: [$bytes] comes in as $expected', ({ kind, bytes, expected }) => {
    expect(unframed(kind, bytes)).toBe(expected);
  });

  test.each(KINDS)('%s: an empty payload does no harm', (kind) => {
    expect(framing(kind).unframe(Buffer.from(framing(kind).frame(EMPTY)))).toBe(Drop.MALFORMED);
  });

  test.each(KINDS)('%s: comes back, and leaves the payload as it was', (kind) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        const payload = Buffer.from(bytes);
        const framed = framing(kind).frame(payload);
        expect(framed.length - payload.length).toBeLessThanOrEqual(framing(kind).overheadBytes);
        expect(payload).toEqual(Buffer.from(bytes));
        expect(framing(kind).unframe(Buffer.from(framed))).toEqual(payload);
      }),
    );
  });

  test.each(KINDS)('%s: any bytes give a payload that is a part of them, or a drop', (kind) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        const received = Buffer.from(bytes);
        const payload = framing(kind).unframe(received);
        if (typeof payload === 'number') {
          expect([Drop.MALFORMED, Drop.COMPRESSED]).toContain(payload);
        } else {
          expect(payload.length).toBeGreaterThan(0);
          expect(payload.buffer).toBe(received.buffer);
        }
      }),
    );
  });
});
