import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { Secret } from '../../src/core/secret.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import type { ControlWrapOptions } from '../../src/model/control-wrap-options.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { decodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import {
  cipherOfOptions,
  type OptionsStringFacts,
  optionsString,
} from '../../src/tlsstate/options-string.ts';
import { type CapturedPlaintext, capturedPlaintexts, isKeyMethod2, senderOf } from './captures.ts';

const plain: OptionsStringFacts = {
  role: 'client',
  protocol: 'udp',
  cipher: undefined,
  dataCiphers: [...DATA_CIPHERS.keys()],
  auth: 'SHA1',
  wrap: { kind: 'none' },
  tunMtu: 1500,
  compression: 'none',
};

/** Settings of the captures that are not the default, by number. */
const CAPTURES: Readonly<
  Record<string, (role: 'client' | 'server') => Partial<OptionsStringFacts>>
> = {
  '02': () => ({ protocol: 'tcp' }),
  '03': () => ({ wrap: tlsAuth(undefined) }),
  '04': (role) => ({ auth: 'SHA256', wrap: tlsAuth(role === 'client' ? 1 : 0) }),
  '06b': () => ({ protocol: 'tcp' }),
  '10': () => ({ auth: 'SHA256' }),
  '60': () => ({ compression: 'comp-lzo-no' }),
  '61': () => ({ compression: 'stub' }),
  '62': () => ({ compression: 'stub-v2' }),
  '63': () => ({ compression: 'stub' }),
  '64': () => ({ compression: 'stub-v2' }),
  '66': () => ({ compression: 'stub-v2' }),
};

/** One that connected anew after a restart and counts a peer id of its last life. */
const RECONNECTED = '33';

function tlsAuth(direction: 0 | 1 | undefined): ControlWrapOptions {
  return { kind: 'tls-auth', key: new Secret(Buffer.alloc(256)), direction, digest: 'SHA1' };
}

function optionsOf(message: CapturedPlaintext): string | undefined {
  const decoded = decodeKeyMethod2(message.bytes, senderOf(message));
  if (decoded instanceof OvpnProtocolError) throw decoded;
  return decoded.options;
}

describe('optionsString', () => {
  test('is what openvpn 2.6 and 2.7 send, in both roles of every capture', () => {
    const compared = new Set<string>();
    for (const message of capturedPlaintexts().filter(isKeyMethod2)) {
      const [number = ''] = message.capture.split('-');
      const role = senderOf(message);
      const ours = optionsString({ ...plain, ...CAPTURES[number]?.(role), role });
      if (number === RECONNECTED && compared.has(`${number} ${role}`)) continue;
      expect(ours, message.capture).toBe(optionsOf(message));
      compared.add(`${number} ${role}`);
    }
    for (const number of Object.keys(CAPTURES)) {
      expect(compared).toContain(`${number} client`);
      expect(compared).toContain(`${number} server`);
    }
    expect(compared.size).toBeGreaterThanOrEqual(70);
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { cipher: 'AES-256-GCM',       auth: 'SHA1',       mtu: 1549, rest: 'auth [null-digest],keysize 256' },
    { cipher: 'AES-192-GCM',       auth: 'SHA1',       mtu: 1549, rest: 'auth [null-digest],keysize 192' },
    { cipher: 'AES-128-GCM',       auth: 'NONE',       mtu: 1549, rest: 'auth [null-digest],keysize 128' },
    { cipher: 'CHACHA20-POLY1305', auth: 'SHA1',       mtu: 1534, rest: 'auth [null-digest],keysize 256' },
    { cipher: 'AES-256-CBC',       auth: 'SHA1',       mtu: 1557, rest: 'auth SHA1,keysize 256' },
    { cipher: 'AES-192-CBC',       auth: 'SHA224',     mtu: 1565, rest: 'auth SHA224,keysize 192' },
    { cipher: 'AES-256-CBC',       auth: 'SHA256',     mtu: 1569, rest: 'auth SHA256,keysize 256' },
    { cipher: 'AES-128-CBC',       auth: 'SHA384',     mtu: 1585, rest: 'auth SHA384,keysize 128' },
    { cipher: 'AES-256-CBC',       auth: 'RSA-SHA512', mtu: 1601, rest: 'auth SHA512,keysize 256' },
  ])('a configured $cipher with $auth', ({ cipher, auth, mtu, rest }) => {
    expect(optionsString({ ...plain, cipher, auth })).toBe(
      `V4,dev-type tun,link-mtu ${mtu},tun-mtu 1500,proto UDPv4,cipher ${cipher},${rest},key-method 2,tls-client`,
    );
  });

  test('a fallback that is not offered gives sizes, but no name', () => {
    const facts = { ...plain, cipher: 'AES-256-CBC', dataCiphers: ['AES-256-GCM'] };
    expect(optionsString(facts)).toBe(
      'V4,dev-type tun,link-mtu 1557,tun-mtu 1500,proto UDPv4,auth SHA1,keysize 256,key-method 2,tls-client',
    );
  });

  test('with fragment: mtu-dynamic behind comp-lzo, and four bytes more', () => {
    const facts = { ...plain, cipher: 'AES-256-GCM', compression: 'stub' } as const;
    expect(optionsString({ ...facts, fragments: true })).toBe(
      'V4,dev-type tun,link-mtu 1554,tun-mtu 1500,proto UDPv4,comp-lzo,mtu-dynamic,cipher AES-256-GCM,auth [null-digest],keysize 256,key-method 2,tls-client',
    );
  });

  test('has keydir before the cipher and tls-auth behind the key size', () => {
    const wrap = tlsAuth(1);
    expect(optionsString({ ...plain, wrap, cipher: 'AES-128-GCM', compression: 'stub' })).toBe(
      'V4,dev-type tun,link-mtu 1550,tun-mtu 1500,proto UDPv4,comp-lzo,keydir 1,cipher AES-128-GCM,' +
        'auth [null-digest],keysize 128,tls-auth,key-method 2,tls-client',
    );
  });

  test('without a digest and a cipher', () => {
    expect(optionsString({ ...plain, auth: 'NONE' })).toContain(
      'link-mtu 1521,tun-mtu 1500,proto UDPv4,auth [null-digest],keysize 128,',
    );
  });
});

describe('cipherOfOptions', () => {
  const facts = fc.record({
    role: fc.constantFrom('client', 'server'),
    protocol: fc.constantFrom('udp', 'tcp'),
    cipher: fc.option(fc.constantFrom(...DATA_CIPHERS.keys(), 'BF-CBC'), { nil: undefined }),
    dataCiphers: fc.subarray([...DATA_CIPHERS.keys()]),
    auth: fc.constantFrom(...DIGESTS.keys(), 'NONE'),
    wrap: fc.constantFrom<ControlWrapOptions>({ kind: 'none' }, tlsAuth(0), tlsAuth(undefined)),
    tunMtu: fc.integer({ min: 576, max: 9000 }),
    compression: fc.constantFrom('none', 'comp-lzo-no', 'stub', 'stub-v2'),
  });

  test('reads back the cipher of any options string, which is short and plain', () => {
    fc.assert(
      fc.property(facts, (some: OptionsStringFacts) => {
        const text = optionsString(some);
        const { cipher } = some;
        const isNamed = cipher !== undefined && some.dataCiphers.includes(cipher);
        expect(cipherOfOptions(text)).toBe(isNamed ? cipher : undefined);
        expect(text).toMatch(/^V4,[\x21-\x7e ]{1,500}$/);
      }),
    );
  });

  test('any text gives a name or none', () => {
    const word = fc.constantFrom('cipher', ' ', ',', 'AES-256-GCM', 'é', '\0', 'V4');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 20 }), (words) => {
        const cipher = cipherOfOptions(words.join(''));
        expect(cipher === undefined || typeof cipher === 'string').toBe(true);
      }),
    );
  });

  test.each([
    { options: undefined, cipher: undefined },
    { options: '', cipher: undefined },
    { options: 'V4,dev-type tun,auth SHA1', cipher: undefined },
    { options: 'V4,cipher aes-256-gcm,auth SHA1', cipher: 'AES-256-GCM' },
    { options: 'V4,cipher [null-cipher],auth SHA1', cipher: '[NULL-CIPHER]' },
    { options: optionsString({ ...plain, cipher: 'AES-128-GCM' }), cipher: 'AES-128-GCM' },
  ])('$options', ({ options, cipher }) => {
    expect(cipherOfOptions(options)).toBe(cipher);
  });
});
