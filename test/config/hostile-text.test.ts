import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DIRECTIVES } from '../../src/config/directives.ts';
import { splitLine } from '../../src/config/line-words.ts';
import { BLOCK_NAMES, MAX_PROFILE_BYTES, tokeniseProfile } from '../../src/config/ovpn-tokens.ts';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { readProfile } from '../../src/config/read-profile.ts';
import { OvpnConfigError, OvpnProtocolError } from '../../src/core/errors.ts';
import { errorOf, inline, profileWith, TLS_AUTH, TLS_CRYPT_V2 } from './sample-profile.ts';

const RUNS = 20_000;
const CANARY = 'Hunter2.canary';

/** What `read` throws; undefined when it returns. */
function thrownBy(read: () => unknown): unknown {
  try {
    read();
    return undefined;
  } catch (error) {
    return error;
  }
}

const names = [...DIRECTIVES.keys()];
const word = fc.oneof(
  fc.constantFrom(
    '1',
    '0',
    '-1',
    '1194',
    'none',
    'AES-256-CBC',
    'SHA256',
    '[inline]',
    '1.2',
    'opt',
  ),
  fc.constantFrom(
    '"',
    "'",
    '\\',
    '#',
    '<ca>',
    '</ca>',
    'yes',
    'no',
    'udp',
    'stub-v2',
    'server',
    '',
  ),
  fc.string({ maxLength: 8 }),
);
const line = fc.oneof(
  fc
    .tuple(fc.constantFrom(...names), fc.array(word, { maxLength: 3 }))
    .map((words) => words.flat()),
  fc.array(word, { maxLength: 4 }),
);
const lineText = line.map((words) => words.join(' '));
const block = fc
  .tuple(
    fc.constantFrom(...BLOCK_NAMES, 'other'),
    fc.oneof(fc.constantFrom(TLS_AUTH, TLS_CRYPT_V2), fc.string({ unit: 'binary' }), lineText),
  )
  .map(([name, text]) => inline(name, text));

describe('any profile', () => {
  test('is read, or refused with the one typed error', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(lineText, lineText, block), { maxLength: 4 }), (lines) => {
        const error = thrownBy(() => readProfile(`client\n${lines.join('\n')}\n`));
        if (error !== undefined) expect(error).toBeInstanceOf(OvpnConfigError);
      }),
      { numRuns: RUNS },
    );
  });

  test('of any bytes is refused with it too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (text) => {
        expect(thrownBy(() => readProfile(`${text}\n`))).toBeInstanceOf(OvpnConfigError);
      }),
      { numRuns: RUNS },
    );
  });
});

test('any line is split into words, or refused', () => {
  fc.assert(
    fc.property(fc.oneof(lineText, fc.string({ unit: 'binary' })), (text) => {
      const { words, problem } = splitLine(text);
      expect(problem === undefined || words.length === 0).toBe(true);
    }),
    { numRuns: RUNS },
  );
});

test('any push gives options, or the one typed error', () => {
  fc.assert(
    fc.property(fc.array(lineText, { maxLength: 4 }), (options) => {
      const error = thrownBy(() => readPushOptions(options));
      if (error === undefined) return;
      expect(error).toBeInstanceOf(OvpnProtocolError);
      expect(error).toMatchObject({ code: 'OVPN_PUSH_INVALID' });
    }),
    { numRuns: RUNS },
  );
});

/** Far above what it takes (a few milliseconds): only time that grows faster than the text fails. */
const BOUND_MS = 2000;

describe('256 KiB take no time that grows faster than they do', () => {
  const length = 256 * 1024;
  const fill = (piece: string): string => piece.repeat(Math.ceil(length / piece.length));
  test.each([
    { name: 'blanks', text: fill(' ') },
    { name: 'tabs', text: fill('\t') },
    { name: 'double quotes', text: fill('"') },
    { name: 'single quotes', text: fill("'") },
    { name: 'backslashes', text: fill('\\') },
    { name: 'escaped quotes', text: `"${fill('\\"')}` },
    { name: 'an open quote', text: `"${fill('x')}` },
    { name: 'words', text: fill('a ') },
    { name: 'empty words', text: fill('"" ') },
    { name: 'comments', text: fill('#\n') },
    { name: 'opening brackets', text: fill('<\n') },
    { name: 'opening tags', text: fill('<ca>\n') },
    { name: 'tags of many names', text: tagsOf(length) },
    { name: 'closing tags', text: fill('</ca>\n') },
    { name: 'a list of ciphers', text: `data-ciphers ${fill('A:')}` },
    { name: 'a list of TLS ciphers', text: `tls-cipher ${fill('!A:')}` },
    { name: 'dashes in a block', text: inline('ca', fill('-----BEGIN ')) },
    { name: 'open PEM blocks', text: inline('ca', fill('-----BEGIN A-----\n')) },
    { name: 'hex in a block', text: inline('tls-auth', fill('0123456789abcdef')) },
    {
      name: 'markers of keys',
      text: inline('tls-auth', fill('-----BEGIN OpenVPN Static key V1-----')),
    },
    {
      name: 'base64 in a block',
      text: inline('tls-crypt-v2', TLS_CRYPT_V2.replace('\n', `\n${fill('AAAA')}`)),
    },
    { name: 'colons in a fingerprint', text: inline('peer-fingerprint', fill('aa:')) },
  ])('$name', ({ text }) => {
    expect(Buffer.byteLength(text)).toBeGreaterThanOrEqual(length - 64);
    const start = performance.now();
    thrownBy(() => readProfile(profileWith(text)));
    thrownBy(() => readPushOptions([text.slice(0, 65_536)]));
    tokeniseProfile(text);
    expect(performance.now() - start).toBeLessThan(BOUND_MS);
  });
});

function tagsOf(length: number): string {
  const tags = Array.from({ length: Math.ceil(length / 9) }, (_, at) => `<a${at + 100_000}>`);
  return tags.join('\n');
}

describe('an error of a profile', () => {
  const REACTIONS = names.map((name) => ({ name }));
  test.each(REACTIONS)(
    '$name: names directive and line, and nothing of what stands there',
    ({ name }) => {
      for (const args of [
        '',
        ` ${CANARY}`,
        ` "${CANARY}!" 1`,
        ` 1 ${CANARY}`,
        ` x y z ${CANARY}`,
      ]) {
        const error = thrownBy(() => readProfile(`\n${name}${args}\n${profileWith()}`));
        if (error === undefined) continue;
        if (!(error instanceof OvpnConfigError)) throw error;
        expect(error.problems[0]).toMatchObject({ directive: name, line: 2 });
        expect(error.message).toContain(`profile:2: ${name}: `);
        expect(inspect(error, { depth: 9 })).not.toContain(CANARY);
      }
    },
  );

  test.each([...BLOCK_NAMES])(
    '<%s>: names directive and line, and nothing of the block',
    (name) => {
      const error = errorOf(
        `\n${inline(name, `remote ${CANARY}!\n${CANARY}`)}\n${profileWith('x')}`,
      );
      const mine = error.problems.filter(({ directive }) => directive !== undefined);
      for (const { line: at } of mine) expect(at).toBeGreaterThanOrEqual(2);
      expect(mine.length > 0).toBe(!name.endsWith('user-pass'));
      expect(inspect(error, { depth: 9 })).not.toContain(CANARY);
    },
  );
});

test('a profile of more than 1 MiB is not looked at', () => {
  expect(errorOf(`#${' '.repeat(MAX_PROFILE_BYTES)}\n`).message).toContain('longer than 1 MiB');
});
