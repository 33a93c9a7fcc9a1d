import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatStaticKey, parseStaticKey } from '../../src/config/static-key.ts';

const directory = new URL('../vectors/', import.meta.url);
const { static_key_files } = JSON.parse(
  readFileSync(new URL('vectors.json', directory), 'utf8'),
) as { static_key_files: Record<string, string> };

const BEGIN = '-----BEGIN OpenVPN Static key V1-----';
const END = '-----END OpenVPN Static key V1-----';

describe('parseStaticKey', () => {
  test.each(Object.entries(static_key_files).filter(([, hex]) => typeof hex === 'string'))(
    'reads %s',
    (name, hex) => {
      const text = readFileSync(new URL(name, directory), 'utf8');
      expect(parseStaticKey(text)?.toString('hex')).toBe(hex);
    },
  );

  test.each([
    { name: 'one long line', body: 'ab'.repeat(256) },
    { name: 'short lines with CRLF', body: 'aB\r\n'.repeat(256) },
    { name: 'blanks and tabs', body: ' a\tb '.repeat(256) },
  ])('takes $name', ({ body }) => {
    const key = parseStaticKey(`#\n# comment\n${BEGIN}\n${body}\n${END}\nrest`);
    expect(key).toEqual(Buffer.alloc(256, 0xab));
  });

  test.each([
    { name: 'no markers', text: 'ab'.repeat(256) },
    { name: 'no end', text: `${BEGIN}\n${'ab'.repeat(256)}` },
    { name: 'an end before it', text: `${END}\n${BEGIN}\n${'ab'.repeat(256)}` },
    { name: 'a byte too few', text: `${BEGIN}\n${'ab'.repeat(255)}\n${END}` },
    { name: 'a byte too many', text: `${BEGIN}\n${'ab'.repeat(257)}\n${END}` },
    { name: 'half a byte', text: `${BEGIN}\n${'ab'.repeat(255)}a\n${END}` },
    { name: 'another character', text: `${BEGIN}\n${'ab'.repeat(255)}xy\n${END}` },
    { name: 'a comment inside', text: `${BEGIN}\n#\n${'ab'.repeat(256)}\n${END}` },
  ])('refuses $name', ({ text }) => {
    expect(parseStaticKey(text)).toBeUndefined();
  });

  test('line lengths, and text around the markers, do not count', () => {
    const bytes = fc.uint8Array({ minLength: 256, maxLength: 256 });
    const around = fc.string().filter((text) => !text.includes(BEGIN));
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 600 }), around, (key, columns, text) => {
        const hex = Buffer.from(key).toString('hex');
        const lines = hex.match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
        const file = [text, BEGIN, ...lines, END, text].join('\n');
        expect(parseStaticKey(file)).toEqual(Buffer.from(key));
      }),
    );
  });

  test('any text gives 256 bytes or nothing', () => {
    const line = fc.oneof(fc.constantFrom(BEGIN, END, 'ab'.repeat(256)), fc.string());
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        expect([undefined, 256]).toContain(parseStaticKey(lines.join('\n'))?.length);
      }),
    );
  });

  test('reads what formatStaticKey writes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 256, maxLength: 256 }), (bytes) => {
        const key = Buffer.from(bytes);
        expect(parseStaticKey(formatStaticKey(key))).toEqual(key);
      }),
    );
  });
});
