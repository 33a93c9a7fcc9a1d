import { describe, expect, test } from 'vitest';
import { errorOf, profileWith, read } from './sample-profile.ts';

describe('data ciphers', () => {
  const all = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'];
  test.each([
    {
      name: 'a list, any case',
      lines: ['data-ciphers chacha20-poly1305:aes-128-gcm'],
      offered: ['CHACHA20-POLY1305', 'AES-128-GCM'],
      told: [],
    },
    {
      name: 'the old name',
      lines: ['ncp-ciphers AES-128-GCM'],
      offered: ['AES-128-GCM'],
      told: [],
    },
    {
      name: 'names we do not have',
      lines: ['data-ciphers ARIA-256-GCM:AES-128-GCM'],
      offered: ['AES-128-GCM'],
      told: ['data-ciphers quiet'],
    },
    {
      name: 'optional names',
      lines: ['data-ciphers AES-128-GCM:?ARIA-256-GCM'],
      offered: ['AES-128-GCM'],
      told: ['data-ciphers quiet'],
    },
    {
      name: 'CBC and AES-192-GCM',
      lines: ['data-ciphers aes-256-cbc:AES-192-CBC:AES-128-CBC:?AES-192-GCM'],
      offered: ['AES-256-CBC', 'AES-192-CBC', 'AES-128-CBC', 'AES-192-GCM'],
      told: [],
    },
    {
      name: 'short blocks in a list',
      lines: ['data-ciphers AES-256-GCM:BF-CBC:DES-EDE3-CBC'],
      offered: ['AES-256-GCM'],
      told: ['data-ciphers warn', 'data-ciphers warn'],
    },
    { name: 'DEFAULT', lines: ['data-ciphers DEFAULT:AES-256-GCM'], offered: all, told: [] },
    {
      name: 'cipher beside a list',
      lines: ['cipher AES-256-CBC', 'data-ciphers AES-128-GCM'],
      offered: ['AES-128-GCM'],
      told: ['cipher quiet'],
    },
    { name: 'cipher alone, ours', lines: ['cipher AES-128-GCM'], offered: all, told: [] },
    {
      name: 'cipher alone, not ours',
      lines: ['cipher CAMELLIA-256-CBC'],
      offered: all,
      told: ['cipher warn'],
    },
    { name: 'cipher BF-CBC', lines: ['cipher BF-CBC'], offered: all, told: ['cipher warn'] },
    { name: 'cipher none', lines: ['cipher none'], offered: all, told: ['cipher warn'] },
    {
      name: 'ncp-disable',
      lines: ['cipher AES-128-GCM', 'ncp-disable'],
      offered: ['AES-128-GCM'],
      told: ['ncp-disable warn'],
    },
    {
      name: "the cipher's own key size",
      lines: ['cipher AES-256-GCM', 'keysize 256'],
      offered: all,
      told: ['keysize warn'],
    },
  ])('$name', ({ lines, offered, told }) => {
    const { dataCiphers, ignored } = read(...lines);
    expect(dataCiphers).toEqual(offered);
    expect(ignored.map(({ directive, level }) => `${directive} ${level}`)).toEqual(told);
  });

  test.each([
    { name: 'only what is not ours', lines: ['data-ciphers ARIA-256-GCM:AES-256-CFB'] },
    { name: 'none', lines: ['data-ciphers AES-256-GCM:none'] },
    { name: 'short blocks with ncp-disable', lines: ['cipher BF-CBC', 'ncp-disable'] },
    { name: 'CBC without a digest', lines: ['data-ciphers AES-256-CBC', 'auth none'] },
    { name: 'another key size', lines: ['cipher AES-256-GCM', 'keysize 128'] },
    { name: 'auth that is none', lines: ['auth SHA257'] },
  ])('refuses $name', ({ lines }) => {
    expect(errorOf(profileWith(...lines)).code).toBe('OVPN_CONFIG_REFUSED');
  });

  test.each([
    { line: 'data-ciphers-fallback aes-128-gcm', fallback: 'AES-128-GCM', told: 0 },
    { line: 'data-ciphers-fallback AES-256-CBC', fallback: 'AES-256-CBC', told: 0 },
    { line: 'data-ciphers-fallback BF-CBC', fallback: undefined, told: 1 },
    { line: 'data-ciphers-fallback none', fallback: undefined, told: 1 },
  ])('$line', ({ line, fallback, told }) => {
    const { dataCiphersFallback, ignored } = read(line);
    expect([dataCiphersFallback, ignored.length]).toEqual([fallback, told]);
  });
});

describe('a list of ciphers', () => {
  test.each([
    { name: 'a name that is none', list: 'AES-256-GCM:AES_128' },
    { name: 'an empty name', list: 'AES-256-GCM:' },
    { name: 'nothing', list: '""' },
    {
      name: 'more names than any honest one',
      list: 'AES-256-GCM:'.repeat(64).concat('AES-128-GCM'),
    },
  ])('is refused with $name, once', ({ list }) => {
    expect(errorOf(`data-ciphers ${list}\n${profileWith()}`).problems).toEqual([
      expect.objectContaining({ code: 'OVPN_CONFIG_INVALID', directive: 'data-ciphers', line: 1 }),
    ]);
  });

  test('may have 64 names', () => {
    const list = 'AES-256-GCM:'.repeat(63).concat('AES-128-GCM');
    expect(read(`data-ciphers ${list}`).dataCiphers).toEqual(['AES-256-GCM', 'AES-128-GCM']);
  });

  test('names each cipher once', () => {
    const { dataCiphers, ignored } = read('data-ciphers AES-256-GCM:ARIA:aria:aes-256-gcm');
    expect([dataCiphers, ignored.length]).toEqual([['AES-256-GCM'], 1]);
  });
});

describe('cipher', () => {
  const all = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'];
  test.each([
    { lines: [], cipher: undefined, offered: all },
    { lines: ['cipher aes-256-gcm'], cipher: 'AES-256-GCM', offered: all },
    { lines: ['cipher AES-256-CBC'], cipher: 'AES-256-CBC', offered: [...all, 'AES-256-CBC'] },
    { lines: ['cipher AES-192-GCM'], cipher: 'AES-192-GCM', offered: [...all, 'AES-192-GCM'] },
    {
      lines: ['cipher AES-128-CBC', 'data-ciphers AES-256-GCM:aes-128-cbc'],
      cipher: 'AES-128-CBC',
      offered: ['AES-256-GCM', 'AES-128-CBC'],
    },
    {
      lines: ['cipher AES-128-CBC', 'data-ciphers AES-256-GCM'],
      cipher: undefined,
      offered: ['AES-256-GCM'],
    },
    {
      lines: [
        'data-ciphers-fallback AES-128-CBC',
        'cipher AES-128-CBC',
        'data-ciphers AES-256-GCM',
      ],
      cipher: 'AES-128-CBC',
      offered: ['AES-256-GCM'],
    },
    { lines: ['cipher BF-CBC'], cipher: undefined, offered: all },
    {
      lines: ['ncp-disable', 'cipher AES-192-CBC'],
      cipher: 'AES-192-CBC',
      offered: ['AES-192-CBC'],
    },
    {
      lines: ['ncp-disable', 'data-ciphers AES-256-GCM', 'cipher AES-128-CBC'],
      cipher: 'AES-128-CBC',
      offered: ['AES-128-CBC'],
    },
    { lines: ['ncp-disable'], cipher: undefined, offered: all },
  ])('$lines is named as $cipher', ({ lines, cipher, offered }) => {
    const profile = read(...lines);
    expect([profile.cipher, profile.dataCiphers]).toEqual([cipher, offered]);
  });

  test.each(['cipher', 'cipher ""', 'cipher "AES 256"', 'cipher AES_256_GCM'])(
    '%s is refused',
    (line) => {
      expect(errorOf(`${line}\n${profileWith()}`)).toMatchObject({
        code: 'OVPN_CONFIG_INVALID',
        directive: 'cipher',
        line: 1,
      });
    },
  );
});

describe('auth', () => {
  test.each([
    { line: 'auth sha256', digest: 'SHA256' },
    { line: 'auth RSA-SHA512', digest: 'SHA512' },
    { line: 'auth SHA-1', digest: 'SHA1' },
    { line: 'auth sha2-384', digest: 'SHA384' },
    { line: 'auth none', digest: 'NONE' },
  ])('$line', ({ line, digest }) => {
    const { auth, ignored } = read(line);
    expect([auth, ignored]).toEqual([digest, []]);
  });

  test.each([
    { name: 'a list', lines: ['data-ciphers AES-256-GCM:AES-128-CBC'] },
    { name: 'cipher', lines: ['cipher AES-256-CBC'] },
    { name: 'the fallback', lines: ['data-ciphers-fallback AES-192-CBC'] },
    { name: 'ncp-disable', lines: ['cipher AES-256-CBC', 'ncp-disable'] },
  ])('none is refused with CBC in $name', ({ lines }) => {
    const error = errorOf(`auth none\n${profileWith(...lines)}`);
    expect(error.problems).toHaveLength(1);
    expect(error).toMatchObject({ code: 'OVPN_CONFIG_REFUSED', directive: 'auth', line: 1 });
    expect(error.message).toMatch(/none leaves packets of AES-\d+-CBC unauthenticated/);
  });

  test.each(['cipher BF-CBC', 'cipher AES-192-GCM', 'data-ciphers CHACHA20-POLY1305'])(
    'none is accepted with %s',
    (line) => {
      expect(read('auth none', line).auth).toBe('NONE');
    },
  );

  test('the last one counts', () => {
    expect(read('auth none', 'auth SHA1', 'cipher AES-256-CBC').auth).toBe('SHA1');
  });
});
