import { describe, expect, test } from 'vitest';
import { AeadCodec } from '../../src/datachannel/aead-codec.ts';
import { AeadEpochCodec } from '../../src/datachannel/aead-epoch-codec.ts';
import { CbcCodec } from '../../src/datachannel/cbc-codec.ts';
import { codecFor, key2 } from './codecs.ts';

describe('createCodec', () => {
  test.each([
    { name: 'AEAD                 ', format: { cipherName: 'AES-192-GCM' }, made: AeadCodec },
    { name: 'AEAD with auth NONE  ', format: { auth: 'NONE' }, made: AeadCodec },
    { name: 'AEAD with epochs     ', format: { epoch: true }, made: AeadEpochCodec },
    { name: 'epochs, auth NONE    ', format: { epoch: true, auth: 'NONE' }, made: AeadEpochCodec },
    { name: 'CBC                  ', format: { cipherName: 'AES-192-CBC' }, made: CbcCodec },
  ])('$name', ({ format, made }) => {
    expect(codecFor('client', format)).toBeInstanceOf(made);
  });

  test.each([
    {
      name: 'CBC without a digest      ',
      format: { cipherName: 'AES-128-CBC', auth: 'NONE' },
      code: 'OVPN_USAGE',
      message: 'expected a digest beside AES-128-CBC, got auth NONE',
    },
    {
      name: 'CBC with an unknown digest',
      format: { cipherName: 'AES-128-CBC', auth: 'ROT13' },
      code: 'OVPN_USAGE',
      message: 'expected a digest beside AES-128-CBC, got auth ROT13',
    },
    {
      name: 'epochs with CBC           ',
      format: { cipherName: 'AES-128-CBC', epoch: true },
      code: 'OVPN_PROTOCOL',
      message: 'expected epochs with an AEAD cipher and a peer id, got AES-128-CBC',
    },
    {
      name: 'epochs without a peer id  ',
      format: { epoch: true, peerId: undefined },
      code: 'OVPN_PROTOCOL',
      message: 'expected epochs with an AEAD cipher and a peer id, got no peer id',
    },
  ])('refuses $name, and overwrites the material', ({ format, code, message }) => {
    const block = key2();
    expect(() => codecFor('client', { ...format, key2: block })).toThrow(
      expect.objectContaining({ code, message, layer: 'datachannel' }),
    );
    expect(block).toEqual(Buffer.alloc(256));
  });
});
