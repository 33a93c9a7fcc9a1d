import { describe, expect, test } from 'vitest';
import { hasControlCharacter, MAX_SHOWN_BYTES, noLog, printable } from '../../src/core/log.ts';

describe('printable', () => {
  test.each([
    { name: 'plain text', text: 'AUTH_FAILED, try ~again', shown: 'AUTH_FAILED, try ~again' },
    { name: 'an escape sequence', text: '\x1b[31mred', shown: '\\x1b[31mred' },
    { name: 'line ends and NUL', text: 'a\r\nb\0', shown: 'a\\x0d\\x0ab\\x00' },
    { name: 'delete', text: '\x7f', shown: '\\x7f' },
    { name: 'UTF-8, byte by byte', text: 'é', shown: '\\xc3\\xa9' },
    { name: 'bytes', text: Buffer.from([0x41, 0xff]), shown: 'A\\xff' },
    { name: 'nothing', text: '', shown: '' },
  ])('$name', ({ text, shown }) => {
    expect(printable(text)).toBe(shown);
  });

  test('every byte comes out as printable ASCII', () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(printable(all)).toMatch(/^[\x20-\x7e]*$/);
  });

  test(`shows no more than ${MAX_SHOWN_BYTES} bytes`, () => {
    expect(printable('x'.repeat(100_000))).toBe('x'.repeat(MAX_SHOWN_BYTES));
  });
});

test('hasControlCharacter finds those of ASCII and C1, and no other', () => {
  const found = Array.from({ length: 0x3000 }, (_, code) => code).filter((code) =>
    hasControlCharacter(`a${String.fromCharCode(code)}b`),
  );
  const ascii = Array.from({ length: 0x20 }, (_, code) => code);
  const c1 = Array.from({ length: 0x21 }, (_, code) => 0x7f + code);
  expect(found).toEqual([...ascii, ...c1]);
});

describe('noLog', () => {
  test('says nothing', () => {
    expect(noLog('error', 'core', 'text')).toBeUndefined();
  });
});
