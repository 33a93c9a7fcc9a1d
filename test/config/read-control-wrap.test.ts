import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { parseStaticKey } from '../../src/config/static-key.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import {
  CA,
  errorOf,
  inline,
  profileWith,
  read,
  TLS_AUTH,
  TLS_CRYPT,
  TLS_CRYPT_V2,
  TLS_CRYPT_V2_SERVER,
} from './sample-profile.ts';

const directory = mkdtempSync(join(tmpdir(), 'tundial-wrap-'));
const path = join(directory, 'client.ovpn');
beforeAll(() => {
  writeFileSync(join(directory, 'ta.key'), TLS_AUTH);
  writeFileSync(join(directory, 'tc.key'), TLS_CRYPT);
  writeFileSync(join(directory, 'tc2.key'), TLS_CRYPT_V2);
});
afterAll(() => rmSync(directory, { recursive: true }));

const AUTH = inline('tls-auth', TLS_AUTH);
const CRYPT = inline('tls-crypt', TLS_CRYPT);
const CRYPT_V2 = inline('tls-crypt-v2', TLS_CRYPT_V2);

function wrapOfFile(...lines: string[]): ControlWrapOptions {
  writeFileSync(path, profileWith(...lines));
  return readProfile(path).wrap;
}

function tlsAuth(wrap: ControlWrapOptions): Extract<ControlWrapOptions, { kind: 'tls-auth' }> {
  if (wrap.kind !== 'tls-auth') throw new Error(`expected tls-auth, got ${wrap.kind}`);
  return wrap;
}

describe('tls-auth', () => {
  test.each([
    { name: 'a block alone', lines: [AUTH], direction: undefined, digest: 'SHA1' },
    {
      name: 'key-direction behind',
      lines: [AUTH, 'key-direction 1'],
      direction: 1,
      digest: 'SHA1',
    },
    {
      name: 'key-direction before',
      lines: ['key-direction 0', AUTH],
      direction: 0,
      digest: 'SHA1',
    },
    { name: 'auth behind', lines: [AUTH, 'auth sha256'], direction: undefined, digest: 'SHA256' },
    { name: 'auth before', lines: ['auth SHA512', AUTH], direction: undefined, digest: 'SHA512' },
    { name: 'an alias', lines: ['auth RSA-SHA256', AUTH], direction: undefined, digest: 'SHA256' },
    { name: '[inline] 1', lines: ['tls-auth [inline] 1', AUTH], direction: 1, digest: 'SHA1' },
    { name: '[inline] behind', lines: [AUTH, 'tls-auth [inline] 0'], direction: 0, digest: 'SHA1' },
  ])('$name', ({ lines, direction, digest }) => {
    const { wrap, ignored } = read(...lines);
    expect(wrap).toMatchObject({ kind: 'tls-auth', direction, digest });
    expect(tlsAuth(wrap).key.reveal()).toEqual(parseStaticKey(TLS_AUTH));
    expect([Object.isFrozen(wrap), ignored]).toEqual([true, []]);
  });

  test.each([
    { lines: ['tls-auth ta.key'], direction: undefined },
    { lines: ['tls-auth ta.key 1'], direction: 1 },
    { lines: ['tls-auth ta.key', 'key-direction 0'], direction: 0 },
    { lines: ['tls-auth ta.key 1', 'key-direction 0'], direction: 0 },
    { lines: ['key-direction 0', 'tls-auth ta.key 1'], direction: 1 },
  ])('$lines', ({ lines, direction }) => {
    expect(tlsAuth(wrapOfFile(...lines)).direction).toBe(direction);
  });

  test.each([
    { name: 'a direction that is none', lines: ['tls-auth [inline] 2', AUTH] },
    { name: 'a direction in words', lines: ['tls-auth [inline] one', AUTH] },
    { name: 'a short key', lines: [inline('tls-auth', TLS_AUTH.replace(/[0-9a-f]{32}\n/, ''))] },
    { name: 'a key of another kind', lines: [CRYPT_V2.replaceAll('tls-crypt-v2>', 'tls-auth>')] },
    { name: 'no file', lines: ['tls-auth'] },
    { name: '[inline] without the block', lines: ['tls-auth [inline] 1'] },
    { name: 'auth none', lines: [AUTH, 'auth none'] },
    { name: 'auth none before it', lines: ['auth none', AUTH] },
  ])('refuses $name', ({ lines }) => {
    const { problems } = errorOf(profileWith(...lines));
    expect(problems).toEqual([
      {
        code: expect.any(String),
        directive: 'tls-auth',
        line: expect.any(Number),
        message: expect.any(String),
      },
    ]);
  });

  test('says that it needs a digest', () => {
    const { code, message } = errorOf(profileWith(AUTH, 'auth none'));
    expect(code).toBe('OVPN_CONFIG_REFUSED');
    expect(message).toContain('tls-auth: needs a digest, and auth is none');
  });
});

describe('key-direction', () => {
  test('has no meaning without tls-auth', () => {
    expect(read('key-direction 1', CRYPT).ignored).toEqual([
      expect.objectContaining({ directive: 'key-direction', level: 'quiet' }),
    ]);
  });

  test.each(['2', '-1', 'x', ''])('%s is refused', (value) => {
    expect(errorOf(`key-direction "${value}"\n${profileWith(AUTH)}`)).toMatchObject({
      code: 'OVPN_CONFIG_INVALID',
      directive: 'key-direction',
      line: 1,
    });
  });
});

describe('tls-crypt', () => {
  test.each(['tls-crypt tc.key', 'tls-crypt tc.key 1', 'tls-crypt tc.key whatever'])(
    '%s: a direction does not count',
    (line) => {
      const wrap = wrapOfFile(line);
      expect(wrap).toEqual({ kind: 'tls-crypt', key: expect.anything() });
      expect(wrap.kind === 'tls-crypt' && wrap.key.reveal()).toEqual(parseStaticKey(TLS_CRYPT));
    },
  );
});

describe('tls-crypt-v2', () => {
  test.each([
    { name: 'a block', wrap: () => read(CRYPT_V2).wrap },
    { name: 'a file', wrap: () => wrapOfFile('tls-crypt-v2 tc2.key') },
  ])('$name', ({ wrap }) => {
    const options = wrap();
    if (options.kind !== 'tls-crypt-v2') throw new Error(`got ${options.kind}`);
    expect([options.key.reveal().length, options.wrappedKey.length]).toEqual([256, 299]);
    expect(Object.isFrozen(options)).toBe(true);
  });

  test.each([
    { name: "the server's key", text: TLS_CRYPT_V2_SERVER, message: 'got the key of a server' },
    { name: 'a static key', text: TLS_CRYPT, message: 'expected a tls-crypt-v2 client key in PEM' },
  ])('refuses $name', ({ text, message }) => {
    const error = errorOf(profileWith(inline('tls-crypt-v2', text)));
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_INVALID', directive: 'tls-crypt-v2' });
    expect(error.message).toContain(message);
  });
});

describe('more than one control wrap', () => {
  test.each([
    { lines: [AUTH, CRYPT], first: 'tls-auth', other: 'tls-crypt' },
    { lines: [CRYPT, AUTH], first: 'tls-crypt', other: 'tls-auth' },
    { lines: [AUTH, CRYPT_V2], first: 'tls-auth', other: 'tls-crypt-v2' },
    { lines: [CRYPT_V2, CRYPT], first: 'tls-crypt-v2', other: 'tls-crypt' },
    { lines: [AUTH, AUTH, CRYPT, CRYPT_V2], first: 'tls-auth', other: 'tls-crypt' },
  ])('$other cannot stand beside $first', ({ lines, first, other }) => {
    const error = errorOf(profileWith(...lines));
    expect(error.problems).toHaveLength(1);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive: other });
    expect(error.message).toContain(`cannot stand beside ${first}`);
  });

  test('one of a kind twice is its last', () => {
    const { wrap } = read(inline('tls-crypt', TLS_AUTH), CRYPT);
    expect(wrap.kind === 'tls-crypt' && wrap.key.reveal()).toEqual(parseStaticKey(TLS_CRYPT));
  });
});

describe('[inline]', () => {
  test('announces a block, before it or behind it', () => {
    const ca = inline('ca', CA);
    const others = profileWith().replace(ca, '');
    const announced = 'ca [inline]';
    for (const text of [`${announced}\n${ca}\n${others}`, `${ca}\n${announced}\n${others}`]) {
      expect(readProfile(text).ca).toBe(read().ca);
    }
    expect(errorOf(`${announced}\n${others}`)).toMatchObject({ directive: 'ca', line: 1 });
  });
});
