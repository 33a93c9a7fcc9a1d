import { describe, expect, test } from 'vitest';
import { NO_PUSH_OPTIONS, type PushOptions } from '../../src/model/push-options.ts';
import { clientAgreement } from '../../src/tlsstate/client-agreement.ts';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';

const ALL = CLIENT_IV_PROTO;

function agree(push: Partial<PushOptions>, ivProto: number = ALL) {
  return clientAgreement(
    { ...NO_PUSH_OPTIONS, cipher: 'AES-256-GCM', peerId: 3, ...push },
    {
      ivProto,
      serverOptions: undefined,
      dataCiphers: ['AES-256-GCM', 'AES-256-CBC', 'CHACHA20-POLY1305'],
      fallback: undefined,
    },
  );
}

describe('clientAgreement', () => {
  const GRANTED = { tlsEkm: true, dynTlsCrypt: true, aeadEpoch: true };

  test.each([
    { name: 'nothing', push: {} },
    { name: 'everything', push: GRANTED },
    { name: 'everything with ChaCha', push: { ...GRANTED, cipher: 'CHACHA20-POLY1305' } },
    { name: 'the peer id 0', push: { ...GRANTED, peerId: 0 } },
    { name: 'no epochs over CBC', push: { ...GRANTED, cipher: 'AES-256-CBC', aeadEpoch: false } },
    { name: 'no epochs over DATA_V1', push: { ...GRANTED, peerId: undefined, aeadEpoch: false } },
  ])('takes over what was granted: $name', ({ push }) => {
    const { cipher, ...rest } = agree(push);
    const expected = { cipher: 'AES-256-GCM', peerId: 3, ...push };
    expect({ cipher: cipher.name, ...rest }).toEqual({
      tlsEkm: false,
      dynTlsCrypt: false,
      aeadEpoch: false,
      ...expected,
    });
  });

  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'tls-ekm unannounced',       push: { tlsEkm: true },                          ivProto: ALL & ~IvProto.TLS_KEY_EXPORT, says: /got tls-ekm/ },
    { name: 'dyn-tls-crypt unannounced', push: { dynTlsCrypt: true },                     ivProto: ALL & ~IvProto.DYN_TLS_CRYPT,  says: /got dyn-tls-crypt/ },
    { name: 'aead-epoch unannounced',    push: { aeadEpoch: true },                       ivProto: ALL & ~IvProto.AEAD_EPOCH,     says: /got aead-epoch/ },
    { name: 'anything, none announced',  push: { dynTlsCrypt: true },                     ivProto: 0,                             says: /IV_PROTO 0 / },
    { name: 'epochs over CBC',           push: { aeadEpoch: true, cipher: 'AES-256-CBC' }, ivProto: ALL,                          says: /AEAD cipher.*got AES-256-CBC/ },
    { name: 'epochs over DATA_V1',       push: { aeadEpoch: true, peerId: undefined },    ivProto: ALL,                           says: /peer-id/ },
  ])('refuses $name', ({ push, ivProto, says }) => {
    expect(() => agree(push, ivProto)).toThrow(
      expect.objectContaining({ code: 'OVPN_PUSH_INVALID', message: expect.stringMatching(says) }),
    );
  });

  test('needs a shared cipher', () => {
    expect(() => agree({ cipher: 'AES-128-CBC' })).toThrow(
      expect.objectContaining({ code: 'OVPN_NO_SHARED_CIPHER' }),
    );
  });
});
