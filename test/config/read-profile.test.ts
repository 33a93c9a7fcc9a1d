import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { CA, CERT, errorOf, KEY, profileWith, TLS_CRYPT } from './sample-profile.ts';

const directory = mkdtempSync(join(tmpdir(), 'tundial-profile-'));
const path = join(directory, 'client.ovpn');

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
}

beforeAll(() => {
  write('ca.crt', CA);
  write('my cert.crt', CERT);
  write('client.key', KEY);
  write('tc.key', TLS_CRYPT);
  write('pass.txt', 'me\r\nsecret\r\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('readProfile', () => {
  test('takes text, a path and a profile', () => {
    write('client.ovpn', profileWith());
    const fromPath = readProfile(path);
    expect(fromPath).toEqual(readProfile(profileWith()));
    expect(readProfile(fromPath)).toBe(fromPath);
  });

  test('reads the files that a profile names from its directory', () => {
    const lines = [
      'client',
      'remote a',
      'ca ca.crt',
      'cert "my cert.crt"',
      `key ${join(directory, 'client.key')}`,
      'tls-crypt tc.key 1',
      'auth-user-pass pass.txt',
      'remote-cert-tls server',
    ];
    write('client.ovpn', lines.join('\n'));
    const { ca, cert, key, wrap, authUserPass } = readProfile(path);
    expect([ca, cert].every((pem) => pem?.startsWith('-----BEGIN CERTIFICATE-----'))).toBe(true);
    expect(key?.reveal()).toContain('PRIVATE KEY');
    expect(wrap.kind).toBe('tls-crypt');
    expect([authUserPass?.username, authUserPass?.password?.reveal()]).toEqual(['me', 'secret']);
  });

  test('tells which files it cannot read, and of which directive', () => {
    write('client.ovpn', 'client\nremote a\nca missing.crt\ntls-crypt ../tc.key\nauth-user-pass\n');
    const { problems, message } = errorOf(path);
    expect(problems).toEqual([
      {
        code: 'OVPN_FILE_UNREADABLE',
        directive: 'ca',
        line: 3,
        message: '"missing.crt" cannot be read (ENOENT)',
      },
      {
        code: 'OVPN_FILE_UNREADABLE',
        directive: 'tls-crypt',
        line: 4,
        message: '"../tc.key" cannot be read (ENOENT)',
      },
    ]);
    expect(message).toContain(`${path}:3: ca: `);
  });

  test.each([
    { name: 'a path that is not there', source: join(directory, 'none.ovpn') },
    { name: 'a directory', source: directory },
    { name: 'a device', source: '/dev/zero' },
    { name: 'an empty name', source: '' },
  ])('refuses $name as unreadable', ({ source }) => {
    expect(errorOf(source).code).toBe('OVPN_FILE_UNREADABLE');
  });

  test('shows nothing of a file that is no profile', () => {
    write('shadow', 'root:$6$abcdef$hash:19000:0:99999:7:::\n');
    expect(errorOf(join(directory, 'shadow')).message).not.toMatch(/root|abcdef|hash|19000/);
  });
});
