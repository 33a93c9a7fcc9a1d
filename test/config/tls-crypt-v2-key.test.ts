import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
  type TlsCryptV2ClientKey,
} from '../../src/config/tls-crypt-v2-key.ts';
import { setU16 } from '../../src/core/bytes.ts';

const BEGIN = '-----BEGIN OpenVPN tls-crypt-v2 client key-----';
const END = '-----END OpenVPN tls-crypt-v2 client key-----';

const { tls_crypt_v2_wkc } = JSON.parse(
  readFileSync(new URL('../vectors/vectors.json', import.meta.url), 'utf8'),
) as { tls_crypt_v2_wkc: readonly { readonly file: string; readonly wkc_len: number }[] };

function pki(name: string): string {
  return readFileSync(new URL(`../vectors/pki/${name}`, import.meta.url), 'utf8');
}

function pem(bytes: Uint8Array, columns = 64): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(new RegExp(`.{1,${columns}}`, 'g')) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}

/** Kc and a WKc of `wrappedBytes`, which claims to have `claimed`. */
function keyFile(wrappedBytes: number, claimed = wrappedBytes): Buffer {
  const bytes = Buffer.alloc(256 + wrappedBytes, 0xab);
  if (wrappedBytes >= 2) setU16(bytes, bytes.length - 2, claimed);
  return bytes;
}

function parsed(text: string): TlsCryptV2ClientKey {
  const key = parseTlsCryptV2ClientKey(text);
  if (typeof key === 'string') throw new Error(key);
  return key;
}

describe('parseTlsCryptV2ClientKey', () => {
  test.each(tls_crypt_v2_wkc)('reads $file', ({ file, wkc_len }) => {
    const text = pki(file.replace('pki/', ''));
    const body = text.split('\n').filter((line) => !line.startsWith('-----'));
    const { key, wrappedKey } = parsed(text);
    expect(Buffer.concat([key, wrappedKey]).toString('base64')).toBe(body.join(''));
    expect([key.length, wrappedKey.length]).toEqual([256, wkc_len]);
  });

  test.each([
    { name: 'the shortest wrapped key', text: pem(keyFile(290)), bytes: 290 },
    { name: 'the longest wrapped key', text: pem(keyFile(1024)), bytes: 1024 },
    { name: 'one long line', text: pem(keyFile(290), 9999), bytes: 290 },
    { name: 'short lines', text: pem(keyFile(290), 5), bytes: 290 },
    {
      name: 'CRLF and text around',
      text: `# x\r\n${pem(keyFile(300)).replaceAll('\n', '\r\n')}y`,
      bytes: 300,
    },
    { name: 'another block before', text: `${pki('client.crt')}${pem(keyFile(300))}`, bytes: 300 },
  ])('takes $name', ({ text, bytes }) => {
    expect(parsed(text).wrappedKey).toHaveLength(bytes);
  });

  const noBase64 = pem(keyFile(290)).replace('q6ur', 'q6!r');
  test.each([
    { name: 'no PEM', text: 'abc', message: 'expected a tls-crypt-v2 client key in PEM' },
    { name: 'no end', text: pem(keyFile(290)).replace(END, ''), message: 'in PEM' },
    { name: 'the key of a server', text: pki('tcv2-server.key'), message: 'the key of a server' },
    { name: 'no base64', text: noBase64, message: 'not in base64' },
    { name: 'nothing', text: `${BEGIN}\n${END}\n`, message: 'expected a key of 256 bytes' },
    { name: 'half of Kc', text: pem(Buffer.alloc(128)), message: 'expected a key of 256 bytes' },
    { name: 'Kc alone', text: pem(keyFile(0)), message: 'expected a key of 256 bytes' },
    { name: 'half a length', text: pem(keyFile(1)), message: 'expected a key of 256 bytes' },
    { name: 'a length alone', text: pem(keyFile(2)), message: '290 to 1024' },
    { name: 'too short a wrapped key', text: pem(keyFile(289)), message: '290 to 1024' },
    { name: 'too long a wrapped key', text: pem(keyFile(1025)), message: '290 to 1024' },
    { name: 'a length too small', text: pem(keyFile(290, 289)), message: 'the length it claims' },
    { name: 'a length too large', text: pem(keyFile(290, 291)), message: 'the length it claims' },
    { name: 'a length of 0', text: pem(keyFile(290, 0)), message: 'the length it claims' },
    { name: 'the length of all', text: pem(keyFile(290, 546)), message: 'the length it claims' },
  ])('refuses $name', ({ text, message }) => {
    expect(parseTlsCryptV2ClientKey(text)).toContain(message);
  });

  test('any bytes come out as they went in, or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1400 }), fc.boolean(), (bytes, isHonest) => {
        const wrappedBytes = bytes.length - 256;
        if (isHonest && wrappedBytes >= 2) setU16(bytes, bytes.length - 2, wrappedBytes);
        const key = parseTlsCryptV2ClientKey(pem(bytes));
        const isWhole = wrappedBytes >= 290 && wrappedBytes <= 1024;
        if (isHonest) expect(typeof key === 'string').toBe(!isWhole);
        if (typeof key === 'string') return;
        expect(Buffer.concat([key.key, key.wrappedKey])).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('any text gives a key or a reason', () => {
    const line = fc.oneof(
      fc.constantFrom(BEGIN, END, 'AAAA', '=', ''),
      fc.base64String(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const key = parseTlsCryptV2ClientKey(lines.join('\n'));
        expect(typeof key === 'string' || key.key.length === 256).toBe(true);
      }),
    );
  });
});

describe('parseTlsCryptV2ServerKey', () => {
  const text = pki('tcv2-server.key');

  test('reads the recorded one', () => {
    const digits = text.replace(/-----.*-----|\s/g, '');
    expect(parseTlsCryptV2ServerKey(text)?.toString('base64')).toBe(digits);
  });

  test.each([
    { name: "a client's key", other: pem(keyFile(290)) },
    { name: 'a byte too many', other: longer(text) },
    { name: 'no key', other: 'a text' },
  ])('refuses $name', ({ other }) => {
    expect(parseTlsCryptV2ServerKey(other)).toBeUndefined();
  });
});

/** The same file with another byte in it. */
function longer(text: string): string {
  const [begin = '', ...rest] = text.trim().split('\n');
  const end = rest.pop() ?? '';
  const bytes = Buffer.concat([Buffer.from(rest.join(''), 'base64'), Buffer.from([1])]);
  return [begin, bytes.toString('base64'), end].join('\n');
}
