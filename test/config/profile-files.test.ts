import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProfileFiles, readPrivateFile } from '../../src/config/profile-files.ts';

const root = mkdtempSync(join(tmpdir(), 'tundial-files-'));
const home = join(root, 'home');
const outside = join(root, 'outside.txt');

beforeAll(() => {
  mkdirSync(join(home, 'sub'), { recursive: true });
  writeFileSync(outside, 'outside');
  writeFileSync(join(home, 'inside.txt'), 'inside');
  writeFileSync(join(home, '..dots'), 'dots');
  writeFileSync(join(home, 'sub', 'deep.txt'), 'deep');
  writeFileSync(join(home, 'large.txt'), 'x'.repeat(1024 * 1024 + 1));
  writeFileSync(join(home, 'full.txt'), 'x'.repeat(1024 * 1024));
  symlinkSync('inside.txt', join(home, 'link-in.txt'));
  symlinkSync('../outside.txt', join(home, 'link-out.txt'));
  symlinkSync('loop', join(home, 'loop'));
  symlinkSync('/dev/zero', join(home, 'zero'));
  execFileSync('mkfifo', [join(home, 'fifo')]);
  for (const [name, mode] of [
    ['private', 0o600],
    ['shared', 0o644],
    ['group', 0o620],
  ] as const) {
    writeFileSync(join(home, name), 'me\nsecret\n');
    chmodSync(join(home, name), mode);
  }
  symlinkSync('private', join(home, 'link-private'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('ProfileFiles', () => {
  test.each([
    { name: 'inside.txt', text: 'inside' },
    { name: './sub/deep.txt', text: 'deep' },
    { name: 'sub/../inside.txt', text: 'inside' },
    { name: '..dots', text: 'dots' },
    { name: 'link-in.txt', text: 'inside' },
    { name: outside, text: 'outside' },
    { name: join(home, 'link-out.txt'), text: 'outside' },
  ])('reads $name', ({ name, text }) => {
    expect(new ProfileFiles(home).read(name)).toEqual({ text });
  });

  test('reads up to 1 MiB', () => {
    const result = new ProfileFiles(home).read('full.txt');
    expect('text' in result && result.text.length).toBe(1024 * 1024);
  });

  test.each([
    { name: '../outside.txt', code: 'OVPN_CONFIG_REFUSED', why: 'outside the profile' },
    { name: 'link-out.txt', code: 'OVPN_CONFIG_REFUSED', why: 'outside the profile' },
    { name: 'zero', code: 'OVPN_CONFIG_REFUSED', why: 'outside the profile' },
    { name: 'missing.txt', code: 'OVPN_FILE_UNREADABLE', why: 'ENOENT' },
    { name: 'loop', code: 'OVPN_FILE_UNREADABLE', why: 'ELOOP' },
    { name: 'fifo', code: 'OVPN_FILE_UNREADABLE', why: 'not a regular file' },
    { name: 'sub', code: 'OVPN_FILE_UNREADABLE', why: 'not a regular file' },
    { name: '/dev/zero', code: 'OVPN_FILE_UNREADABLE', why: 'not a regular file' },
    { name: 'large.txt', code: 'OVPN_FILE_UNREADABLE', why: 'larger than 1 MiB' },
    { name: 'a\0b', code: 'OVPN_FILE_UNREADABLE', why: 'ERR_INVALID_ARG_VALUE' },
  ])('does not read $name: $why', ({ name, code, why }) => {
    expect(new ProfileFiles(home).read(name)).toEqual({
      code,
      message: expect.stringContaining(why),
    });
  });

  test('names the file it cannot read, made printable', () => {
    expect(new ProfileFiles(home).read('no\x1bfile')).toMatchObject({
      message: '"no\\x1bfile" cannot be read (ENOENT)',
    });
  });

  test('reads nothing for a profile given as text', () => {
    for (const name of ['inside.txt', outside, '/dev/zero']) {
      const result = new ProfileFiles(undefined).read(name);
      expect(result).toMatchObject({ code: 'OVPN_CONFIG_REFUSED' });
    }
  });
});

describe('files with a password', () => {
  test('are read when only their owner can', () => {
    expect(new ProfileFiles(home).readPrivate('private')).toEqual({ text: 'me\nsecret\n' });
    expect(readPrivateFile(join(home, 'private'))).toEqual({ text: 'me\nsecret\n' });
  });

  test.each([
    { name: 'shared', code: 'OVPN_CONFIG_REFUSED', why: 'chmod 600' },
    { name: 'group', code: 'OVPN_CONFIG_REFUSED', why: 'chmod 600' },
    { name: 'link-private', code: 'OVPN_FILE_UNREADABLE', why: 'ELOOP' },
    { name: 'sub', code: 'OVPN_FILE_UNREADABLE', why: 'not a regular file' },
    { name: '../outside.txt', code: 'OVPN_CONFIG_REFUSED', why: 'outside the profile' },
  ])('$name is refused: $why', ({ name, code, why }) => {
    const result = new ProfileFiles(home).readPrivate(name);
    expect(result).toEqual({ code, message: expect.stringContaining(why) });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test.runIf(process.getuid?.() === 0)('must not belong to another user', () => {
    const path = join(home, 'foreign');
    writeFileSync(path, 'me\nsecret\n', { mode: 0o600 });
    execFileSync('chown', ['65534', path]);
    expect(new ProfileFiles(home).readPrivate('foreign')).toMatchObject({
      code: 'OVPN_CONFIG_REFUSED',
    });
  });
});
