import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const SRC = new URL('../../src/', import.meta.url);
const LAYERS = ['tlsstate', 'packetmuxer', 'datachannel', 'session', 'server', 'vpnclient'];

/** Files that make keys or name things by a hash; nothing that a peer sent is compared there. */
const WITHOUT_COMPARISON = ['datachannel/key-derivation.ts', 'datachannel/epoch-keys.ts'];

/** What `code` compares in a time that depends on the bytes, line by line. */
function hastyComparisons(code: string): string[] {
  return code
    .split('\n')
    .filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line))
    .filter(
      (line) =>
        /\.equals\(|\.compare\(|\.indexOf\(/.test(line) ||
        /\b(tag|mac|hmac|digest|hash|fingerprint|cookie|expected)\b(?!\.(length|bytes))\s*[!=]==(?! undefined)/.test(
          line,
        ) ||
        /[!=]== [\w.#]*\b(tag|mac|hmac|digest|hash|fingerprint|cookie|expected)\b(?!\.(length|bytes))/.test(
          line,
        ),
    )
    .map((line) => line.trim());
}

const files = LAYERS.flatMap((layer) =>
  readdirSync(new URL(layer, SRC)).map((name) => `${layer}/${name}`),
).map((path) => ({ path, code: readFileSync(new URL(path, SRC), 'utf8') }));
const hashing = files.filter(({ code }) => /\bcreate(Hmac|Hash)\(/.test(code));
const comparing = files.filter(({ code }) => /\btimingSafeEqual\(/.test(code));

describe('authenticity is judged in constant time', () => {
  test('wherever a digest is made, timingSafeEqual compares it, or nothing does', () => {
    const others = hashing.filter((file) => !comparing.includes(file)).map(({ path }) => path);
    expect(others.sort()).toEqual([...WITHOUT_COMPARISON].sort());
    expect(comparing.length).toBeGreaterThanOrEqual(6);
  });

  test.each([...new Set([...hashing, ...comparing])])('$path compares in no other way', (file) => {
    expect(hastyComparisons(file.code)).toEqual([]);
  });

  test.each([
    'if (digest.equals(tag)) return;',
    'if (Buffer.compare(a, b) === 0) return;',
    'return mac === other;',
    'if (first !== tag) return;',
    'matches = fingerprint.toString() === digest;',
  ])('this would be seen: %s', (line) => {
    expect(hastyComparisons(line)).toEqual([line]);
  });

  test.each([
    'if (fingerprint.length === digest.length) return;',
    'if (digest === undefined) return;',
    '// digest === tag',
  ])('this may be: %s', (line) => {
    expect(hastyComparisons(line)).toEqual([]);
  });
});
