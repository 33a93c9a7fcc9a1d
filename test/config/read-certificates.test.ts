import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readProfile } from '../../src/config/read-profile.ts';
import { keyFile, keyText } from './key-files.ts';
import { CA, CERT, errorOf, inline, KEY, profileWith, read } from './sample-profile.ts';

const REQUIRED = ['client', 'remote vpn.example', 'remote-cert-tls server'];
const ca = inline('ca', keyText('ca.crt'));
const cert = inline('cert', keyText('client.crt'));

function profileOf(...lines: string[]): string {
  return `${[...REQUIRED, ...lines].join('\n')}\n`;
}

function pkcs12(name: string): string {
  return inline('pkcs12', keyFile(name).toString('base64'));
}

let directory: string;
const path = () => join(directory, 'client.ovpn');

/** Reads a profile in `directory`. */
function fromFile(...lines: string[]) {
  writeFileSync(path(), profileOf(...lines));
  return readProfile(path());
}

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tundial-certificates-'));
  for (const name of ['modern.p12', 'empty.p12', 'ca.crt', 'client.crt', 'pkcs8-aes256.key']) {
    writeFileSync(join(directory, name), keyFile(name));
  }
  writeFileSync(join(directory, 'pass'), 'secret\r\nmore\r\n', { mode: 0o600 });
  writeFileSync(join(directory, 'open-pass'), 'secret\n', { mode: 0o644 });
  writeFileSync(join(directory, 'no-pass'), '\nsecret\n', { mode: 0o600 });
  mkdirSync(join(directory, 'revoked'));
  for (const name of ['7', '-1', '300', 'README', '0x2a', '5.pem']) {
    writeFileSync(join(directory, 'revoked', name), '');
  }
  symlinkSync('/', join(directory, 'elsewhere'));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('PEM of every shape', () => {
  const three = [CA, keyText('ca.crt'), CERT];
  test.each([
    { name: 'text around each', text: three.map((pem) => `Subject: x\n${pem}\nend`).join('\n') },
    { name: 'CRLF', text: three.join('').replaceAll('\n', '\r\n') },
    { name: 'no last line end', text: three.join('').trimEnd() },
    { name: 'blanks around lines', text: three.join('').replaceAll('\n', ' \n\t') },
    { name: 'blank lines between', text: three.join('\n\n\n') },
    { name: 'the old label', text: three.join('').replaceAll(' CERTIFICATE', ' X509 CERTIFICATE') },
  ])('several certificates with $name', ({ text }) => {
    const profile = readProfile(profileOf(inline('ca', text), 'auth-user-pass'));
    expect(profile.ca).toBe(read(inline('ca', three.join(''))).ca);
    expect(profile.ca?.match(/^-----BEGIN CERTIFICATE-----$/gm)).toHaveLength(3);
  });
});

describe('no certificate of the client', () => {
  test.each(['setenv CLIENT_CERT 0', 'auth-user-pass', 'setenv opt auth-user-pass'])(
    '%s is enough',
    (line) => {
      const { cert, key } = readProfile(profileOf(inline('ca', CA), line));
      expect([cert, key]).toEqual([undefined, undefined]);
    },
  );

  test('something must be there', () => {
    expect(errorOf(profileOf(inline('ca', CA))).message).toMatch(/setenv CLIENT_CERT 0/);
  });
});

describe('pkcs12', () => {
  test('without a passphrase becomes certificate, key and authority', () => {
    const profile = readProfile(profileOf(pkcs12('empty.p12')));
    const { ca: authority } = readProfile(profileOf(ca, 'auth-user-pass'));
    expect(profile.ca).toBe(authority);
    expect(profile.cert).toBe(keyText('client.crt'));
    expect(profile.key?.reveal()).toContain('PRIVATE KEY');
    expect(profile).toMatchObject({ pkcs12: undefined, needsKeyPassphrase: false });
  });

  test('with a passphrase waits for it', () => {
    const profile = readProfile(profileOf(pkcs12('modern.p12')));
    expect(profile.pkcs12?.reveal()).toEqual(keyFile('modern.p12'));
    expect(profile).toMatchObject({ cert: undefined, key: undefined, needsKeyPassphrase: true });
  });

  test('is read from a file, with the passphrase of another one', () => {
    const profile = fromFile('pkcs12 modern.p12', 'askpass pass');
    expect(profile.pkcs12?.reveal()).toEqual(keyFile('modern.p12'));
    expect(profile.keyPassphrase?.reveal()).toBe('secret');
    expect(profile.needsKeyPassphrase).toBe(false);
    expect(fromFile('pkcs12 empty.p12').key).toBeDefined();
  });

  test("the profile's ca takes the place of that in the file", () => {
    const { ca: authority } = readProfile(profileOf(inline('ca', CA), pkcs12('empty.p12')));
    expect(authority).toBe(read().ca);
  });

  test.each([
    { name: 'cert beside it', lines: [pkcs12('empty.p12'), cert], says: 'cert beside pkcs12' },
    {
      name: 'key beside it',
      lines: [pkcs12('modern.p12'), inline('key', KEY)],
      says: 'key beside pkcs12',
    },
    { name: 'no MAC', lines: [pkcs12('no-mac.p12')], says: 'no MAC' },
    { name: 'something else', lines: [pkcs12('client.crt')], says: 'no PKCS#12 file' },
    { name: 'no base64', lines: [inline('pkcs12', 'a*b')], says: 'expected base64' },
    { name: 'nothing', lines: [inline('pkcs12', '')], says: 'expected base64' },
    { name: 'no file', lines: ['pkcs12'], says: 'expected a file name' },
    { name: 'a file in a profile of text', lines: ['pkcs12 x.p12'], says: 'cannot name files' },
  ])('refuses $name', ({ lines, says }) => {
    const { problems } = errorOf(profileOf(...lines));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain(says);
  });

  test('tells of a file that cannot be read', () => {
    writeFileSync(path(), profileOf('pkcs12 missing.p12'));
    expect(errorOf(path())).toMatchObject({ code: 'OVPN_FILE_UNREADABLE', directive: 'pkcs12' });
  });
});

describe('askpass', () => {
  const encrypted = inline('key', keyText('pkcs8-aes256.key'));

  test.each(['askpass', 'askpass stdin', 'verb 3'])('%s: whoever is asked gives it', (line) => {
    const profile = readProfile(profileOf(ca, cert, encrypted, line));
    expect(profile).toMatchObject({ keyPassphrase: undefined, needsKeyPassphrase: true });
  });

  test('FILE has it in its first line', () => {
    const profile = fromFile(
      'ca ca.crt',
      'cert client.crt',
      'key pkcs8-aes256.key',
      'askpass pass',
    );
    expect(profile.keyPassphrase?.reveal()).toBe('secret');
    expect(profile.needsKeyPassphrase).toBe(false);
    expect(JSON.stringify(profile)).not.toContain('secret');
  });

  test.each([
    { file: 'open-pass', says: 'can be read by others' },
    { file: 'no-pass', says: 'in the first line' },
    { file: 'none', says: 'cannot be read' },
    { file: 'elsewhere/etc/passwd', says: 'outside' },
  ])('refuses $file', ({ file, says }) => {
    writeFileSync(path(), profileOf(ca, cert, encrypted, `askpass ${file}`));
    expect(errorOf(path()).message).toContain(says);
  });
});

describe('crl-verify DIR dir', () => {
  test('has the decimal serial numbers that files are named by', () => {
    const { revokedSerials, crl } = fromFile(ca, 'auth-user-pass', 'crl-verify revoked dir');
    expect([...revokedSerials].sort()).toEqual(['-1', '300', '7']);
    expect(crl).toBeUndefined();
  });

  test.each([
    { line: 'crl-verify missing dir', says: 'cannot be read (ENOENT)' },
    { line: 'crl-verify ca.crt dir', says: 'cannot be read (ENOTDIR)' },
    { line: 'crl-verify elsewhere/etc dir', says: 'outside' },
    { line: 'crl-verify revoked directory', says: 'expected dir or nothing' },
    { line: 'crl-verify revoked', says: 'not a regular file' },
  ])('is refused where it cannot be read: $line', ({ line, says }) => {
    writeFileSync(path(), profileOf(ca, 'auth-user-pass', line));
    const { directive, message } = errorOf(path());
    expect(directive).toBe('crl-verify');
    expect(message).toContain(says);
  });

  test('a profile given as text names no directory', () => {
    expect(errorOf(profileWith('crl-verify /tmp dir')).message).toContain('cannot name files');
  });
});
