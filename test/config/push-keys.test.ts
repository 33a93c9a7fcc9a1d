import { describe, expect, test } from 'vitest';
import { readPushOptions } from '../../src/config/push-reply.ts';
import { OvpnProtocolError } from '../../src/core/errors.ts';

function errorOf(...options: string[]): OvpnProtocolError {
  try {
    readPushOptions(options);
  } catch (error) {
    if (error instanceof OvpnProtocolError) return error;
    throw error;
  }
  throw new Error('the push was read without an error');
}

describe('protocol-flags', () => {
  test.each([
    { flags: 'dyn-tls-crypt', dyn: true, epoch: false, told: 0 },
    { flags: 'aead-epoch', dyn: false, epoch: true, told: 0 },
    { flags: 'aead-epoch dyn-tls-crypt', dyn: true, epoch: true, told: 0 },
    { flags: 'cc-exit future', dyn: false, epoch: false, told: 1 },
    { flags: 'a b dyn-tls-crypt c', dyn: true, epoch: false, told: 1 },
    { flags: '', dyn: false, epoch: false, told: 0 },
  ])('[$flags]', ({ flags, dyn, epoch, told }) => {
    const push = readPushOptions([`protocol-flags ${flags}`, 'peer-id 3']);
    expect([push.dynTlsCrypt, push.aeadEpoch]).toEqual([dyn, epoch]);
    expect(push.ignored).toHaveLength(told);
  });

  test.each([
    { name: 'no peer-id', options: [] },
    { name: 'the peer-id that is none', options: ['peer-id 16777215'] },
    { name: 'a CBC cipher', options: ['peer-id 3', 'cipher AES-256-CBC'] },
  ])('aead-epoch cannot be with $name', ({ options }) => {
    const error = errorOf('protocol-flags tls-ekm aead-epoch', ...options);
    expect([error.code, error.layer]).toEqual(['OVPN_PUSH_INVALID', 'config']);
    expect(error.message).toContain('protocol-flags aead-epoch');
  });

  test('aead-epoch may stand before peer-id and cipher', () => {
    const options = ['protocol-flags aead-epoch', 'cipher AES-128-GCM', 'peer-id 0'];
    expect(readPushOptions(options).aeadEpoch).toBe(true);
  });
});

describe('compress and comp-lzo', () => {
  test.each([
    { option: 'compress', framing: 'stub', told: 0 },
    { option: 'compress stub', framing: 'stub', told: 0 },
    { option: 'compress stub-v2', framing: 'stub-v2', told: 0 },
    { option: 'compress migrate', framing: 'none', told: 0 },
    { option: 'compress lz4', framing: 'stub', told: 1 },
    { option: 'compress lz4-v2', framing: 'stub-v2', told: 1 },
    { option: 'compress lzo', framing: 'comp-lzo-no', told: 1 },
    { option: 'comp-lzo no', framing: 'comp-lzo-no', told: 0 },
    { option: 'comp-lzo yes', framing: 'comp-lzo-no', told: 1 },
    { option: 'comp-lzo adaptive', framing: 'comp-lzo-no', told: 1 },
    { option: 'comp-lzo', framing: 'comp-lzo-no', told: 1 },
  ])('$option frames as $framing', ({ option, framing, told }) => {
    const push = readPushOptions([option]);
    expect(push.compression).toBe(framing);
    expect(push.ignored.map((entry) => entry.option)).toEqual(told === 0 ? [] : [option]);
  });

  test('the last one wins', () => {
    expect(readPushOptions(['comp-lzo no', 'compress stub-v2']).compression).toBe('stub-v2');
    expect(readPushOptions(['compress stub-v2', 'comp-lzo no']).compression).toBe('comp-lzo-no');
  });

  test('nothing pushed leaves it to the profile', () => {
    expect(readPushOptions(['peer-id 0']).compression).toBeUndefined();
  });
});
