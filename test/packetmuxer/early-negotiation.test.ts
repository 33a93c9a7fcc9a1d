import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  announcesEarlyNegotiation,
  decodeEarlyNegotiation,
  encodeEarlyNegotiation,
} from '../../src/packetmuxer/early-negotiation.ts';
import { readCaptures } from './captures.ts';

/** The payload of the recorded server's reset. */
function recordedPayload(capture: string): Buffer {
  const packets = readCaptures().find(({ name }) => name === capture)?.control ?? [];
  const reset = packets.find(({ op }) => op === 'HARD_RESET_SERVER_V2');
  if (reset === undefined) throw new Error(`no reset in ${capture}`);
  const plain = Buffer.from(reset.plain, 'hex');
  return plain.subarray(plain.length - reset.payload_len);
}

describe('decodeEarlyNegotiation', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'nothing',                      payload: '',                     resend: false },
    { name: 'what OpenVPN asks',            payload: '000100020001',         resend: true },
    { name: 'flags without that one',       payload: '000100020000',         resend: false },
    { name: 'flags nobody knows, and it',   payload: '00010002ffff',         resend: true },
    { name: 'flags nobody knows',           payload: '00010002fffe',         resend: false },
    { name: 'an unknown type before',       payload: '00020003aabbcc000100020001', resend: true },
    { name: 'an unknown type behind',       payload: '000100020001ffff0000', resend: true },
    { name: 'only an unknown type',         payload: '7fff0001aa',           resend: false },
    { name: 'flags twice, asked first',     payload: '000100020001000100020000', resend: true },
    { name: 'flags twice, asked last',      payload: '000100020000000100020001', resend: true },
    { name: 'half a type',                  payload: '00',                   resend: undefined },
    { name: 'a type alone',                 payload: '0001',                 resend: undefined },
    { name: 'half a length',                payload: '000100',               resend: undefined },
    { name: 'a length alone',               payload: '00010002',             resend: undefined },
    { name: 'a value cut',                  payload: '0001000200',           resend: undefined },
    { name: 'flags of one byte',            payload: '0001000101',           resend: undefined },
    { name: 'flags of three bytes',         payload: '00010003000001',       resend: undefined },
    { name: 'flags of no byte',             payload: '00010000',             resend: undefined },
    { name: 'a byte too many',              payload: '00010002000100',       resend: undefined },
    { name: 'the longest length, no value', payload: '0002ffff',             resend: undefined },
  ])('$name: $resend', ({ payload, resend }) => {
    const decoded = decodeEarlyNegotiation(Buffer.from(payload, 'hex'));
    expect(decoded?.resendWrappedKey).toBe(resend);
  });

  test.each([
    { capture: '06-tlscryptv2-cookie', resend: true },
    { capture: '06b-tlscryptv2-tcp', resend: false },
  ])('reads the recorded reset of $capture', ({ capture, resend }) => {
    expect(decodeEarlyNegotiation(recordedPayload(capture))).toEqual({ resendWrappedKey: resend });
  });

  test('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodeEarlyNegotiation(Buffer.from(bytes));
        expect(typeof (decoded?.resendWrappedKey ?? false)).toBe('boolean');
      }),
    );
  });

  test('finds the flags behind any number of unknown values', () => {
    const unknown = fc.tuple(fc.integer({ min: 2, max: 0xffff }), fc.uint8Array({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(unknown, { maxLength: 6 }), fc.boolean(), (values, asked) => {
        const before = values.map(([type, value]) => {
          const head = Buffer.alloc(4);
          head.writeUInt16BE(type);
          head.writeUInt16BE(value.length, 2);
          return Buffer.concat([head, value]);
        });
        const flags = encodeEarlyNegotiation({ resendWrappedKey: asked });
        expect(decodeEarlyNegotiation(Buffer.concat([...before, flags]))).toEqual({
          resendWrappedKey: asked,
        });
      }),
    );
  });
});

describe('encodeEarlyNegotiation', () => {
  test('writes what OpenVPN sends', () => {
    const payload = encodeEarlyNegotiation({ resendWrappedKey: true });
    expect(payload).toEqual(recordedPayload('06-tlscryptv2-cookie'));
    expect(encodeEarlyNegotiation({ resendWrappedKey: false }).toString('hex')).toBe(
      '000100020000',
    );
  });
});

describe('announcesEarlyNegotiation', () => {
  test.each([
    { replayId: 1, announces: false },
    { replayId: 0x0eff_ffff, announces: false },
    { replayId: 0x0f00_0000, announces: true },
    { replayId: 0x0f00_0001, announces: true },
    { replayId: 0x0fff_ffff, announces: true },
    { replayId: 0x1000_0000, announces: false },
    { replayId: 0xff00_0001, announces: false },
    { replayId: 0x1f00_0001, announces: false },
  ])('$replayId: $announces', ({ replayId, announces }) => {
    expect(announcesEarlyNegotiation(replayId)).toBe(announces);
  });
});
