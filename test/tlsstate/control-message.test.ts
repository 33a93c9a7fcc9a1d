import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Drop, DropCounter } from '../../src/core/machine.ts';
import {
  type ControlMessage,
  encodeControlMessage,
  parseControlMessage,
} from '../../src/tlsstate/control-message.ts';
import { ControlTextReader, MAX_TEXT_BYTES } from '../../src/tlsstate/control-text.ts';
import { capturedPlaintexts, isKeyMethod2 } from './captures.ts';

const authFailed = {
  kind: 'auth-failed',
  reason: undefined,
  temporary: undefined,
  session: false,
  challenge: undefined,
} as const;

describe('parseControlMessage', () => {
  test.each<{ text: string; message: ControlMessage }>([
    { text: 'PUSH_REQUEST', message: { kind: 'push-request' } },
    { text: 'PUSH_REPLY', message: { kind: 'push-reply', options: [] } },
    { text: 'PUSH_REPLY,', message: { kind: 'push-reply', options: [] } },
    { text: 'PUSH_REPLY,a b,c', message: { kind: 'push-reply', options: ['a b', 'c'] } },
    { text: 'PUSH_REPLY,a "x,y",b', message: { kind: 'push-reply', options: ['a "x,y"', 'b'] } },
    { text: 'PUSH_REPLY,a "x,y', message: { kind: 'push-reply', options: ['a "x', 'y'] } },
    { text: 'PUSH_REPLY,a \\"x,y', message: { kind: 'push-reply', options: ['a \\"x', 'y'] } },
    { text: 'AUTH_FAILED', message: authFailed },
    { text: 'AUTH_FAILED,', message: authFailed },
    { text: 'AUTH_FAILED,no, really', message: { ...authFailed, reason: 'no, really' } },
    {
      text: 'AUTH_FAILED,TEMP',
      message: { ...authFailed, temporary: { backoffMs: 0, advance: 'no' } },
    },
    {
      text: 'AUTH_FAILED,TEMP:later',
      message: { ...authFailed, reason: 'later', temporary: { backoffMs: 0, advance: 'no' } },
    },
    {
      text: 'AUTH_FAILED,TEMP[backoff 42,advance remote]:later: much',
      message: {
        ...authFailed,
        reason: 'later: much',
        temporary: { backoffMs: 42_000, advance: 'remote' },
      },
    },
    {
      text: 'AUTH_FAILED,TEMP[advance addr,backoff -1]',
      message: { ...authFailed, temporary: { backoffMs: 0, advance: 'addr' } },
    },
    {
      text: 'AUTH_FAILED,TEMPERED steel',
      message: { ...authFailed, reason: 'TEMPERED steel' },
    },
    {
      text: 'AUTH_FAILED,SESSION:token expired',
      message: { ...authFailed, reason: 'token expired', session: true },
    },
    { text: 'AUTH_PENDING', message: { kind: 'auth-pending', timeoutMs: undefined } },
    { text: 'AUTH_PENDING,timeout 30', message: { kind: 'auth-pending', timeoutMs: 30_000 } },
    { text: 'AUTH_PENDING,x,timeout 9', message: { kind: 'auth-pending', timeoutMs: 9000 } },
    { text: 'AUTH_PENDING,timeout 1e9', message: { kind: 'auth-pending', timeoutMs: undefined } },
    {
      text: 'AUTH_PENDING,timeout 4294967296',
      message: { kind: 'auth-pending', timeoutMs: 86_400_000 },
    },
    { text: 'RESTART', message: { kind: 'restart', flags: '', text: '' } },
    { text: 'RESTART,[N]', message: { kind: 'restart', flags: 'N', text: '' } },
    { text: 'RESTART,[PN]soon', message: { kind: 'restart', flags: 'PN', text: 'soon' } },
    { text: 'HALT,go away', message: { kind: 'halt', flags: '', text: 'go away' } },
    { text: 'EXIT', message: { kind: 'exit' } },
    { text: 'EXIT,now', message: { kind: 'unknown', text: 'EXIT,now' } },
    { text: 'INFO,hi', message: { kind: 'info', text: 'hi' } },
    { text: 'INFO_PRE,OPEN_URL:x', message: { kind: 'info-pre', text: 'OPEN_URL:x' } },
    { text: 'CR_RESPONSE,YQ==', message: { kind: 'cr-response', text: 'YQ==' } },
    { text: 'PUSH_UPDATE', message: { kind: 'push-update', options: [] } },
    {
      text: 'PUSH_UPDATE,route x,-?dns',
      message: { kind: 'push-update', options: ['route x', '-?dns'] },
    },
    { text: 'PUSH_UPDATES', message: { kind: 'unknown', text: 'PUSH_UPDATES' } },
    { text: 'RESTARTED', message: { kind: 'unknown', text: 'RESTARTED' } },
    { text: '', message: { kind: 'unknown', text: '' } },
  ])('$text', ({ text, message }) => {
    expect(parseControlMessage(text)).toEqual(message);
  });

  test('a dynamic challenge, its state id not to be shown', () => {
    const text = 'AUTH_FAILED,CRV1:R,E:state-1:YWxpY2U=:Enter: code';
    const message = parseControlMessage(text);
    expect(message).toMatchObject({
      kind: 'auth-failed',
      reason: 'Enter: code',
      challenge: { echo: true, responseRequired: true, username: 'alice', text: 'Enter: code' },
    });
    expect(JSON.stringify(message)).not.toContain('state-1');
    expect(parseControlMessage(encodeControlMessage(message).toString().slice(0, -1))).toEqual(
      message,
    );
  });

  test('what openvpn sent in the captures', () => {
    const kinds = new Set<string>();
    for (const captured of capturedPlaintexts()) {
      if (isKeyMethod2(captured)) continue;
      const reader = new ControlTextReader(new DropCounter());
      for (const text of reader.push(captured.bytes) ?? []) {
        const message = parseControlMessage(text);
        kinds.add(message.kind);
        expect(encodeControlMessage(message).toString(), captured.capture).toBe(`${text}\0`);
      }
    }
    expect([...kinds].sort()).toEqual([
      'auth-failed',
      'auth-pending',
      'exit',
      'info-pre',
      'push-reply',
      'push-request',
      'push-update',
      'restart',
    ]);
  });

  test('any text gives a message whose text reads the same again', () => {
    const words = fc.constantFrom(
      'PUSH_REPLY',
      'AUTH_FAILED',
      'AUTH_PENDING',
      'RESTART',
      'HALT',
      'INFO',
      'TEMP',
      'CRV1:',
      'SESSION',
      ',',
      '[',
      ']',
      ':',
      '"',
      '\\',
      'timeout 5',
      'backoff 3',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (parts) => {
        const message = parseControlMessage(parts.join(''));
        const again = parseControlMessage(encodeControlMessage(message).toString().slice(0, -1));
        expect(again.kind).toBe(message.kind);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('ControlTextReader', () => {
  function reading(...records: Buffer[]) {
    const drops = new DropCounter();
    const reader = new ControlTextReader(drops);
    const texts = records.map((record) => reader.push(record));
    return { texts: texts.flat(), dropped: drops.of(Drop.MALFORMED) };
  }

  test('several texts in a record, and one over several', () => {
    expect(reading(Buffer.from('one\0two\0th'), Buffer.from('r'), Buffer.from('ee\0'))).toEqual({
      texts: ['one', 'two', 'three'],
      dropped: 0,
    });
  });

  test('line ends at the end are cut off', () => {
    expect(reading(Buffer.from('AUTH_FAILED,no\r\n\0')).texts).toEqual(['AUTH_FAILED,no']);
  });

  test('every byte at every place: kept, or the whole text is dropped', () => {
    const clean = Buffer.from('PUSH_REPLY,a b');
    for (let at = 0; at < clean.length; at += 1) {
      for (let byte = 1; byte < 256; byte += 1) {
        const bytes = Buffer.concat([clean, Buffer.of(0)]);
        bytes[at] = byte;
        const lineEnd = at === clean.length - 1 && (byte === 0x0a || byte === 0x0d);
        const kept = lineEnd || (byte >= 0x20 && byte !== 0x7f);
        expect(reading(bytes)).toMatchObject({ dropped: kept ? 0 : 1 });
        expect(reading(bytes).texts).toHaveLength(kept ? 1 : 0);
      }
    }
  });

  test('UTF-8 passes', () => {
    expect(reading(Buffer.from('INFO,grüße\0')).texts).toEqual(['INFO,grüße']);
  });

  test('what waits for its NUL is bounded', () => {
    const reader = new ControlTextReader(new DropCounter());
    expect(reader.push(Buffer.alloc(MAX_TEXT_BYTES, 0x41))).toEqual([]);
    expect(reader.push(Buffer.of(0x41))).toBeUndefined();
  });

  test.each([
    { name: 'the longest text, its NUL in the next record', bytes: MAX_TEXT_BYTES, taken: true },
    { name: 'a byte more', bytes: MAX_TEXT_BYTES + 1, taken: false },
    { name: 'a record more', bytes: MAX_TEXT_BYTES + 16_384, taken: false },
  ])('$name', ({ bytes, taken }) => {
    const text = Buffer.concat([Buffer.alloc(bytes, 0x41), Buffer.of(0)]);
    const begun = MAX_TEXT_BYTES - 10;
    const texts = taken ? [text.toString('latin1', 0, bytes)] : undefined;

    const waiting = new ControlTextReader(new DropCounter());
    expect(waiting.push(text.subarray(0, begun))).toEqual([]);
    expect(waiting.push(text.subarray(begun))).toEqual(texts);

    expect(new ControlTextReader(new DropCounter()).push(text)).toEqual(texts);
  });

  test('a long text in pieces of one byte is whole, and takes no more memory than its bytes', () => {
    const text = Array.from({ length: MAX_TEXT_BYTES }, (_, at) => 'abcdefg'[at % 7]).join('');
    const concat = vi.spyOn(Buffer, 'concat');
    const reader = new ControlTextReader(new DropCounter());
    for (const byte of Buffer.from(text)) expect(reader.push(Buffer.of(byte))).toEqual([]);
    expect(reader.push(Buffer.of(0))).toEqual([text]);
    const pieces = concat.mock.calls.map(([list]) => list.length);
    concat.mockRestore();
    expect(Math.max(...pieces)).toBeLessThanOrEqual(64);
  });

  test('any chunking gives the same texts', () => {
    const stream = fc.array(fc.constantFrom('EXIT', 'a\x1bb', 'INFO,x', ''), { maxLength: 8 });
    fc.assert(
      fc.property(stream, fc.array(fc.nat(40)), (texts, cuts) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\0`).join(''));
        const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])];
        ends.sort((a, b) => a - b);
        const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
        expect(reading(...pieces)).toEqual(reading(bytes));
      }),
    );
  });
});
