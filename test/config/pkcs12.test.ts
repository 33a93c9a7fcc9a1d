import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DerivationBudget, MAX_DERIVATION_ROUNDS } from '../../src/config/key-lock.ts';
import { openPkcs12 } from '../../src/config/pkcs12.ts';
import { pkcs12Identity } from '../../src/config/pkcs12-identity.ts';
import { Pkcs12Purpose, pkcs12Key, pkcs12Passphrase } from '../../src/config/pkcs12-kdf.ts';
import { keyFile, keyText } from './key-files.ts';

/** What came of it: names of the certificates and whether the key is the first one's. */
function opened(file: Buffer, passphrase: string) {
  const contents = openPkcs12(file, passphrase);
  if ('locked' in contents) return contents.locked;
  const { key, certificates } = contents;
  const own = key && createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return {
    names: certificates.map(({ subject }) => subject),
    keyOf: certificates.findIndex((one) => own !== undefined && one.checkPrivateKey(own)),
  };
}

const BOTH = { names: ['CN=key file client', 'CN=key file CA'], keyOf: 0 };

describe('openPkcs12', () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { file: 'modern.p12',  passphrase: 'secret',   comes: BOTH },
    { file: 'legacy.p12',  passphrase: 'secret',   comes: BOTH },
    { file: 'rc2-128.p12', passphrase: 'secret',   comes: BOTH },
    { file: 'plain.p12',   passphrase: 'secret',   comes: BOTH },
    { file: 'unicode.p12', passphrase: 'geheimß€', comes: BOTH },
    { file: 'empty.p12',   passphrase: '',         comes: BOTH },
    { file: 'no-ca.p12',   passphrase: 'secret',   comes: { names: ['CN=key file client'], keyOf: 0 } },
    { file: 'modern.p12',  passphrase: 'Secret',   comes: 'wrong-passphrase' },
    { file: 'modern.p12',  passphrase: '',         comes: 'wrong-passphrase' },
    { file: 'legacy.p12',  passphrase: 'secret ',  comes: 'wrong-passphrase' },
    { file: 'plain.p12',   passphrase: 'wrong',    comes: 'wrong-passphrase' },
    { file: 'empty.p12',   passphrase: 'secret',   comes: 'wrong-passphrase' },
    { file: 'no-mac.p12',  passphrase: 'secret',   comes: 'unreadable' },
    { file: 'client.crt',  passphrase: 'secret',   comes: 'unreadable' },
  ])('$file with "$passphrase"', ({ file, passphrase, comes }) => {
    expect(opened(keyFile(file), passphrase)).toEqual(comes);
  });

  test('a bit that is changed anywhere is seen, or has no effect', () => {
    const file = keyFile('plain.p12');
    for (let at = 0; at < file.length; at += 1) {
      const changed = Buffer.from(file);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const result = opened(changed, 'secret');
      if (typeof result !== 'string') expect(result).toEqual(BOTH);
    }
  });

  test('every truncation ends in a refusal', () => {
    for (const name of ['modern.p12', 'legacy.p12']) {
      const file = keyFile(name);
      for (let length = 0; length < file.length; length += 1) {
        expect(opened(file.subarray(0, length), 'secret')).toMatch(/^(unreadable|wrong)/);
      }
    }
  });

  test('any bytes end in a refusal, never in anything thrown', () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(0x30, 0x02, 0x04, 0x06, 0xa0, 0x80, 0x24));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 300 }), fc.string(), (bytes, passphrase) => {
        expect(opened(Buffer.from(bytes), passphrase)).toMatch(/^(unreadable|wrong)/);
      }),
      { numRuns: 2000 },
    );
  });

  test('bytes that are changed in many places are never thrown about', () => {
    const file = keyFile('plain.p12');
    const change = fc.tuple(fc.nat(file.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const changed = Buffer.from(file);
        for (const [at, value] of changes) changed.writeUInt8(value, at);
        expect(() => opened(changed, 'secret')).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  test('a file cannot ask for more rounds than the budget has', () => {
    const file = keyFile('modern.p12');
    // The rounds of the MAC are the file's last number: INTEGER 2048.
    const at = file.lastIndexOf(Buffer.from('02020800', 'hex'));
    const rounds = Buffer.from('020600ffffffffff', 'hex').subarray(0, 4);
    const slow = Buffer.concat([file.subarray(0, at), rounds, file.subarray(at + 4)]);
    expect(opened(slow, 'secret')).toBe('unreadable');
    const most = Buffer.from(file);
    most.writeUInt16BE(0x7fff, at + 2);
    expect(opened(most, 'secret')).toBe('wrong-passphrase');
  });
});

describe(DerivationBudget, () => {
  test('has so many rounds, and no more', () => {
    const budget = new DerivationBudget();
    expect(budget.spend(MAX_DERIVATION_ROUNDS - 1)).toBe(MAX_DERIVATION_ROUNDS - 1);
    expect(budget.spend(1)).toBe(1);
    expect(() => budget.spend(1)).toThrow(/more than/);
  });

  test.each([0, -1, undefined])('refuses %s', (rounds) => {
    expect(() => new DerivationBudget().spend(rounds)).toThrow(/malformed/);
  });
});

describe('pkcs12Key', () => {
  // Made by `openssl kdf -kdfopt digest:… -kdfopt hexpass:… -kdfopt id:… -kdfopt iter:7 PKCS12KDF`.
  // biome-ignore format: a table, one row a line
  test.each([
    { hash: 'sha1', purpose: Pkcs12Purpose.KEY, bytes: 24, key: '06c87f4590e5ef9034e2bd0db9d0d2acd3b4c7c4961d9220' },
    { hash: 'sha1', purpose: Pkcs12Purpose.IV, bytes: 8, key: '4b1f9d009448600f' },
    { hash: 'sha1', purpose: Pkcs12Purpose.MAC, bytes: 20, key: '607075fe85da329227403bea311818979376f97c' },
    { hash: 'sha256', purpose: Pkcs12Purpose.MAC, bytes: 32, key: '317a56371c8fcdbc2938207ca1417596e9a6f3eb7e9d5d5cd12f563b96395ad2' },
    { hash: 'sha256', purpose: Pkcs12Purpose.KEY, bytes: 40, key: 'bbfb11a9390a17bd6b5ee88ebdc4b6c16b4faece35a7496051ef15d5a2997d146c22d8495328cd29' },
    { hash: 'sha512', purpose: Pkcs12Purpose.MAC, bytes: 64, key: '3f6293772cd39c4ee203ae2ca638c2d3f46a80ae60af3196974943427ca392ea8fe93ac03fc0d6a61a9ae0624633e8f9a5c1583d74662252e48c0dba634ab3d3' },
    { hash: 'sha512', purpose: Pkcs12Purpose.KEY, bytes: 72, key: 'f136d96e470cb52742e5e841b42d112e499f6dc537252e86cd98c366373bbadd767e13c3f87d12dad38e8884e8a6bdc3aaef494668deafbfd71ebed83df79a9188d4ca8e94ae0b37' },
  ])('$hash, purpose $purpose, $bytes bytes', ({ hash, purpose, bytes, key }) => {
    const passphrase = pkcs12Passphrase('smeg');
    const salt = Buffer.from('0a58cf64530d823f', 'hex');
    const made = pkcs12Key({ hash, purpose, passphrase, salt, rounds: 7, bytes });
    expect(made.toString('hex')).toBe(key);
  });
});

describe('pkcs12Identity', () => {
  const open = (name: string) => {
    const contents = openPkcs12(keyFile(name), 'secret');
    if ('locked' in contents) throw new Error(contents.reason);
    return contents;
  };
  const client = new X509Certificate(keyFile('client.crt'));
  const ca = new X509Certificate(keyFile('ca.crt'));

  test("the key's own certificate comes first, wherever it stands", () => {
    const { key, certificates } = open('modern.p12');
    expect(pkcs12Identity({ key, certificates: [...certificates].reverse() })).toMatchObject({
      cert: client.toString(),
      authorities: ca.toString(),
    });
  });

  test('there may be no authority', () => {
    expect(pkcs12Identity(open('no-ca.p12'))).toMatchObject({ authorities: undefined });
  });

  test.each([
    { name: 'no key', change: { key: undefined }, reason: 'no private key' },
    { name: 'a key that is none', change: { key: Buffer.alloc(8) }, reason: 'cannot be read' },
    { name: 'no certificate of its key', change: { certificates: [ca] }, reason: 'no certificate' },
  ])('refuses $name', ({ change, reason }) => {
    const identity = pkcs12Identity({ ...open('modern.p12'), ...change });
    expect('locked' in identity && identity.reason).toContain(reason);
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

// Skipped where there is no `openssl` command: the stored files above are of the same kinds.
describe.skipIf(!hasOpenssl)('files that the openssl command makes now', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tundial-pkcs12-'));
    writeFileSync(join(directory, 'key'), keyText('client.key'));
    writeFileSync(join(directory, 'crt'), keyText('client.crt'));
    writeFileSync(join(directory, 'ca'), keyText('ca.crt'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    { options: [] },
    { options: ['-legacy'] },
    { options: ['-iter', '100000', '-macalg', 'sha384'] },
    { options: ['-keypbe', 'AES-192-CBC', '-certpbe', 'AES-128-CBC'] },
    { options: ['-descert', '-provider', 'default', '-provider', 'legacy'] },
  ])('$options', ({ options }) => {
    const files = ['-in', 'crt', '-inkey', 'key', '-certfile', 'ca', '-out', 'p12'];
    const passphrase = ['-passout', 'pass:pass phrase'];
    execFileSync('openssl', ['pkcs12', '-export', ...options, ...files, ...passphrase], {
      cwd: directory,
      stdio: 'pipe',
    });
    const file = readFileSync(join(directory, 'p12'));
    expect(opened(file, 'pass phrase')).toEqual(BOTH);
    expect(opened(file, 'passphrase')).toBe('wrong-passphrase');
  });
});
