import { describe, expect, test } from 'vitest';
import { OvpnProtocolError } from '../../src/core/errors.ts';
import { decodeKeyMethod2 } from '../../src/tlsstate/key-method2.ts';
import {
  cipherOfOptions,
  type OptionsStringFacts,
  optionsString,
} from '../../src/tlsstate/options-string.ts';
import { capturedPlaintexts, isKeyMethod2, senderOf } from './captures.ts';

const plain: OptionsStringFacts = {
  role: 'client',
  protocol: 'udp',
  cipher: undefined,
  auth: 'SHA1',
  tunMtu: 1500,
  compression: 'none',
};

/** Settings of the captures that are not the default; tls-auth is not ours yet. */
const CAPTURES: Readonly<Record<string, Partial<OptionsStringFacts>>> = {
  '01': {},
  '02': { protocol: 'tcp' },
  '05': {},
  '06': {},
  '06b': { protocol: 'tcp' },
  '07': {},
  '10': { auth: 'SHA256' },
  '15': {},
  '60': { compression: 'comp-lzo-no' },
  '61': { compression: 'stub' },
  '62': { compression: 'stub-v2' },
};

describe('optionsString', () => {
  test('is what openvpn 2.6 and 2.7 send, in both roles', () => {
    let compared = 0;
    for (const message of capturedPlaintexts().filter(isKeyMethod2)) {
      const facts = CAPTURES[message.capture.split('-')[0] ?? ''];
      if (facts === undefined) continue;
      const role = senderOf(message);
      const decoded = decodeKeyMethod2(message.bytes, role);
      if (decoded instanceof OvpnProtocolError) throw decoded;
      expect(optionsString({ ...plain, ...facts, role }), message.capture).toBe(decoded.options);
      compared += 1;
    }
    expect(compared).toBeGreaterThanOrEqual(2 * Object.keys(CAPTURES).length);
  });

  test.each([
    { cipher: 'AES-256-GCM', auth: 'SHA1', mtu: 1549, rest: 'auth [null-digest],keysize 256' },
    { cipher: 'AES-128-GCM', auth: 'SHA1', mtu: 1549, rest: 'auth [null-digest],keysize 128' },
    {
      cipher: 'CHACHA20-POLY1305',
      auth: 'SHA1',
      mtu: 1534,
      rest: 'auth [null-digest],keysize 256',
    },
    { cipher: 'AES-256-CBC', auth: 'SHA1', mtu: 1557, rest: 'auth SHA1,keysize 256' },
    { cipher: 'AES-256-CBC', auth: 'SHA256', mtu: 1569, rest: 'auth SHA256,keysize 256' },
    { cipher: 'AES-256-CBC', auth: 'SHA512', mtu: 1601, rest: 'auth SHA512,keysize 256' },
  ])('a configured $cipher with $auth', ({ cipher, auth, mtu, rest }) => {
    expect(optionsString({ ...plain, cipher, auth })).toBe(
      `V4,dev-type tun,link-mtu ${mtu},tun-mtu 1500,proto UDPv4,cipher ${cipher},${rest},key-method 2,tls-client`,
    );
  });
});

describe('cipherOfOptions', () => {
  test.each([
    { options: undefined, cipher: undefined },
    { options: '', cipher: undefined },
    { options: 'V4,dev-type tun,auth SHA1', cipher: undefined },
    { options: 'V4,cipher aes-256-gcm,auth SHA1', cipher: 'AES-256-GCM' },
    { options: optionsString({ ...plain, cipher: 'AES-128-GCM' }), cipher: 'AES-128-GCM' },
  ])('$options', ({ options, cipher }) => {
    expect(cipherOfOptions(options)).toBe(cipher);
  });
});
