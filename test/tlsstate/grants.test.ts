import { afterEach, describe, expect, test } from 'vitest';
import { CLIENT_IV_PROTO, IvProto } from '../../src/tlsstate/peer-info.ts';
import { ServerHandshake } from '../../src/tlsstate/server-handshake.ts';
import { TlsStateService } from '../../src/tlsstate/service.ts';
import { createClient, createServer, identityOf, Pair, pki } from './pair.ts';

const ALL = CLIENT_IV_PROTO;
const BOTH = { dynTlsCrypt: true, aeadEpoch: true };
const NEITHER = { dynTlsCrypt: false, aeadEpoch: false };

let pair: Pair;
afterEach(() => pair.stop());

async function connected(ivProto: number, grants = BOTH, cipher = 'AES-256-GCM'): Promise<void> {
  pair = new Pair(
    createClient({ ivProto, dataCiphers: [cipher] }),
    createServer({ handshake: { grants }, dataCiphers: [cipher] }),
  );
  pair.begin();
  await pair.settle();
  expect(pair.client.errors).toEqual([]);
  expect(pair.server.errors).toEqual([]);
}

describe(ServerHandshake.name, () => {
  // biome-ignore format: a table, one row a line
  test.each([
    { name: 'all to who knows all',            ivProto: ALL,                           grants: BOTH,                           cipher: 'AES-256-GCM',       dyn: true,  epoch: true  },
    { name: 'both over ChaCha',                ivProto: ALL,                           grants: BOTH,                           cipher: 'CHACHA20-POLY1305', dyn: true,  epoch: true  },
    { name: 'no epochs over CBC',              ivProto: ALL,                           grants: BOTH,                           cipher: 'AES-256-CBC',       dyn: true,  epoch: false },
    { name: 'no epochs over DATA_V1',          ivProto: ALL & ~IvProto.DATA_V2,        grants: BOTH,                           cipher: 'AES-256-GCM',       dyn: true,  epoch: false },
    { name: 'no epochs unannounced',           ivProto: ALL & ~IvProto.AEAD_EPOCH,     grants: BOTH,                           cipher: 'AES-256-GCM',       dyn: true,  epoch: false },
    { name: 'no dyn-tls-crypt unannounced',    ivProto: ALL & ~IvProto.DYN_TLS_CRYPT,  grants: BOTH,                           cipher: 'AES-256-GCM',       dyn: false, epoch: true  },
    { name: 'nothing without protocol-flags',  ivProto: ALL & ~IvProto.CC_EXIT_NOTIFY, grants: BOTH,                           cipher: 'AES-256-GCM',       dyn: false, epoch: false },
    { name: 'nothing where it grants nothing', ivProto: ALL,                           grants: NEITHER,                        cipher: 'AES-256-GCM',       dyn: false, epoch: false },
    { name: 'only dyn-tls-crypt',              ivProto: ALL,                           grants: { ...NEITHER, dynTlsCrypt: true }, cipher: 'AES-256-GCM',    dyn: true,  epoch: false },
    { name: 'only epochs',                     ivProto: ALL,                           grants: { ...NEITHER, aeadEpoch: true },   cipher: 'AES-256-GCM',    dyn: false, epoch: true  },
  ])('grants $name', async ({ ivProto, grants, cipher, dyn, epoch }) => {
    await connected(ivProto, grants, cipher);
    for (const { keys, controlKeys, keysEstablished } of [pair.client, pair.server]) {
      expect(keys[0]?.epoch).toBe(epoch);
      expect(keysEstablished[0]?.facts.epoch).toBe(epoch);
      expect(controlKeys.map(({ exported }) => exported?.length)).toEqual([dyn ? 256 : undefined]);
    }
  });
});

describe(TlsStateService.name, () => {
  test.each(['1.2', '1.3'] as const)(
    'TLS %s: both ends get the same control key, once and before key id 0 is established',
    async (version) => {
      const versions = { tlsVersionMin: version, tlsVersionMax: version };
      pair = new Pair(
        createClient({ identity: identityOf(pki.client, versions) }),
        createServer({ identity: identityOf(pki.server, versions) }),
      );
      pair.begin();
      await pair.settle();
      const [ofClient] = pair.client.controlKeys;
      expect(ofClient?.exported?.some((byte) => byte !== 0)).toBe(true);
      expect(pair.server.controlKeys).toEqual([ofClient]);
      expect(ofClient?.keysBefore).toBe(0);
      const material = pair.client.keys[0]?.material;
      expect(ofClient?.exported?.equals(material as Buffer)).toBe(false);

      pair.renegotiate(1);
      await pair.settle();
      expect(pair.client.keyIds).toEqual([0, 1]);
      expect(pair.client.controlKeys).toHaveLength(1);
      expect(pair.server.controlKeys).toHaveLength(1);
      expect(pair.client.keys.map(({ epoch }) => epoch)).toEqual([true, true]);
    },
  );

  test('the first piece of key id 0, and only that, is the shorter one', async () => {
    pair = new Pair(createClient({ firstChunkBytes: 30, maxChunkBytes: 100 }), createServer());
    const lengths: number[] = [];
    const { tlsToControl } = pair.client.ports;
    const push = tlsToControl.push.bind(tlsToControl);
    tlsToControl.push = (chunk) => {
      lengths.push(chunk.bytes.length);
      return push(chunk);
    };
    pair.begin();
    await pair.settle();
    pair.renegotiate(1);
    await pair.settle();
    expect(pair.client.keyIds).toEqual([0, 1]);
    expect(lengths.slice(0, 2)).toEqual([30, 100]);
    expect(lengths.filter((length) => length === 100).length).toBeGreaterThan(4);
    expect(Math.max(...lengths)).toBe(100);
  });
});
