import { createCipheriv, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { type WebCrypto, webCryptoProvider } from '../../src/datachannel/webcrypto-provider.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { cipherNamed, readUnitVectors } from './captures.ts';
import { codecFor, FORMATS, openedBy, wholeOf } from './codecs.ts';
import type { EpochVectors } from './epoch-vectors.ts';
import { HeldCrypto, WEB_CRYPTOS } from './providers.ts';

const PAYLOAD = Buffer.from('a payload of no round length');
const NONCE = Buffer.alloc(12, 3);
const AAD = Buffer.alloc(8, 4);
const { packets: epochVectors } = readUnitVectors<EpochVectors>().epoch;
const GCM = cipherNamed('AES-256-GCM');
const CBC = cipherNamed('AES-256-CBC');
const SHA1 = DIGESTS.get('SHA1') ?? expect.fail();

/** Formats of ciphers and digests that WebCrypto has. */
const HAD = FORMATS.filter(
  ({ cipherName, auth }) => cipherName !== 'CHACHA20-POLY1305' && auth !== 'SHA224',
);

describe.each(WEB_CRYPTOS)('webCryptoProvider with $name', ({ crypto }) => {
  const provider = webCryptoProvider(crypto);

  test.each(HAD)('$name: opens what node:crypto seals, and the other way round', async (format) => {
    const [web, node] = [{ ...format, provider }, format];
    for (const [from, to] of [
      [codecFor('client', web), codecFor('server', node)],
      [codecFor('client', node), codecFor('server', web)],
      [codecFor('server', web), codecFor('client', web)],
    ] as const) {
      for (const payload of [PAYLOAD, Buffer.alloc(12), Buffer.alloc(1400, 9)]) {
        expect(await openedBy(to, await wholeOf(from, payload))).toEqual(payload);
      }
    }
  });

  test.each(HAD)('$name: refuses a packet of which one byte was changed', async (format) => {
    const packet = await wholeOf(codecFor('client', format), PAYLOAD);
    const server = codecFor('server', { ...format, provider });
    const headerBytes = format.peerId === undefined ? 1 : 4;
    let failed = 0;
    for (let at = headerBytes; at < packet.length; at += 1) {
      const forged = Buffer.from(packet);
      forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
      const isForeignEpoch = format.epoch && at < headerBytes + 2;
      const opened = await openedBy(server, forged);
      if (isForeignEpoch) expect([Drop.UNKNOWN_KEY, Drop.BAD_AUTH]).toContain(opened);
      else expect(opened).toBe(Drop.BAD_AUTH);
      if (opened === Drop.BAD_AUTH) failed += 1;
    }
    expect(server.usage).toMatchObject({ failedOpens: failed, openedPackets: 0 });
    expect(await openedBy(server, packet)).toEqual(PAYLOAD);
    expect(await openedBy(server, packet)).toBe(Drop.REPLAY);
    expect(server.usage).toMatchObject({ failedOpens: failed, openedPackets: 1 });
  });

  test.each(epochVectors)('epoch $epoch, counter $counter of $capture, $dir', async (vector) => {
    const cipher = cipherNamed(vector.cipher);
    if (!provider.has(cipher, undefined)) return;
    const packet = bytes(vector.packet);
    const nonce = bytes(vector.iv);
    for (let at = 0; at < 8; at += 1) {
      nonce.writeUInt8(nonce.readUInt8(at) ^ packet.readUInt8(4 + at), at);
    }
    const tagAt = packet.length - 16;
    const key = bytes(vector.K);
    const text = await provider
      .createOpener(cipher, key)
      .open(nonce, packet.subarray(0, 12), packet.subarray(tagAt), packet.subarray(12, tagAt));
    expect(text).toEqual(bytes(vector.plaintext));
    const sealed = Buffer.from(packet).fill(0, 12);
    const sealer = provider.createSealer(cipher, key);
    await sealer.seal(nonce, packet.subarray(0, 12), bytes(vector.plaintext), sealed, tagAt, 12);
    expect(sealed).toEqual(packet);
  });

  test('key bytes, nonce, AAD, tag and text may be overwritten at once', async () => {
    const key = lent(32, 5);
    const expected = Buffer.alloc(16 + PAYLOAD.length);
    void nodeProvider.createSealer(GCM, key).seal(NONCE, AAD, PAYLOAD, expected, 0, 16);
    const [sealer, opener] = [provider.createSealer(GCM, key), provider.createOpener(GCM, key)];
    key.fill(0);
    for (let round = 0; round < 2; round += 1) {
      const lent = [NONCE, AAD, PAYLOAD].map((buffer) => Buffer.from(new Uint8Array(buffer)));
      const packet = Buffer.alloc(expected.length);
      const [nonce = NONCE, aad = AAD, text = PAYLOAD] = lent;
      const filling = sealer.seal(nonce, aad, text, packet, 0, 16);
      for (const buffer of lent) buffer.fill(0);
      await filling;
      expect(packet).toEqual(expected);

      const received = [NONCE, AAD, packet].map((buffer) => Buffer.from(new Uint8Array(buffer)));
      const [iv = NONCE, header = AAD, whole = packet] = received;
      const opened = opener.open(iv, header, whole.subarray(0, 16), whole.subarray(16));
      for (const buffer of received) buffer.fill(0);
      expect(await opened).toEqual(PAYLOAD);
    }
  });

  test('CBC and HMAC keys, HMAC and ciphertext may be overwritten at once', async () => {
    const keys = { key: lent(32, 6), digest: SHA1, macKey: lent(20, 7) };
    const [room, textAt] = [Buffer.alloc(20 + 16 + 32, 1), 20 + 16];
    const expected = Buffer.from(room);
    void nodeProvider.createCbcSealer(CBC, keys).seal(expected, 0, 20, textAt + 20);
    const [sealer, opener] = [
      provider.createCbcSealer(CBC, keys),
      provider.createCbcOpener(CBC, keys),
    ];
    keys.key.fill(0);
    keys.macKey.fill(0);
    await sealer.seal(room, 0, 20, textAt + 20);
    expect(room).toEqual(expected);
    const opened = opener.open(room.subarray(0, 20), room.subarray(20));
    room.fill(0);
    expect(await opened).toEqual(Buffer.alloc(20, 1));
  });

  test('wrong padding under a good HMAC is no plaintext', async () => {
    const [key, macKey] = [Buffer.alloc(32, 6), Buffer.alloc(20, 7)];
    const iv = Buffer.alloc(16, 8);
    const opener = provider.createCbcOpener(CBC, { key, digest: SHA1, macKey });
    for (const [last, isGood] of [
      [4, true],
      [3, false],
      [17, false],
      [0, false],
    ] as const) {
      const text = Buffer.alloc(16, 4).fill(last, 15);
      const cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
      const sealed = Buffer.concat([iv, cipher.update(text)]);
      const mac = createHmac('sha1', macKey).update(sealed).digest();
      expect(await opener.open(mac, sealed)).toEqual(isGood ? text.subarray(0, 12) : undefined);
      mac.writeUInt8(mac.readUInt8(19) ^ 1, 19);
      expect(await opener.open(mac, sealed)).toBeUndefined();
    }
  });
});

describe('webCryptoProvider', () => {
  const provider = webCryptoProvider(globalThis.crypto);

  test('says what it has', () => {
    const had = [...DATA_CIPHERS.values()].flatMap((cipher) =>
      ['NONE', 'MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512', 'SHA3-256']
        .filter((auth) => provider.has(cipher, DIGESTS.get(auth)))
        .map((auth) => `${cipher.name} ${auth}`),
    );
    const cbc = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'].flatMap((name) =>
      ['SHA1', 'SHA256', 'SHA384', 'SHA512'].map((auth) => `${name} ${auth}`),
    );
    expect(had.filter((name) => name.includes('CBC'))).toEqual(cbc);
    expect(had.filter((name) => name.endsWith('NONE'))).toEqual([
      'AES-128-GCM NONE',
      'AES-192-GCM NONE',
      'AES-256-GCM NONE',
    ]);
    expect(nodeProvider.has(cipherNamed('CHACHA20-POLY1305'), undefined)).toBe(true);
  });

  test.each([
    {
      format: { cipherName: 'CHACHA20-POLY1305' },
      message: 'a cipher that WebCrypto has, got CHACHA20-POLY1305',
    },
    {
      format: { cipherName: 'CHACHA20-POLY1305', epoch: true },
      message: 'a cipher that WebCrypto has, got CHACHA20-POLY1305',
    },
    {
      format: { cipherName: 'AES-128-CBC', auth: 'SHA224' },
      message: 'a digest that WebCrypto has, got SHA224',
    },
  ])('$message: refused when the key is made', ({ format, message }) => {
    expect(() => codecFor('client', { ...format, provider })).toThrow(
      expect.objectContaining({ code: 'OVPN_USAGE', message: `expected ${message}` }),
    );
  });

  test('refuses a runtime without `subtle`', () => {
    const insecure = {} as unknown as WebCrypto;
    expect(() => webCryptoProvider(insecure)).toThrow('expected a Crypto with `subtle`, got none');
  });

  test('opens nothing at once: a codec that is asked to throws', async () => {
    const client = codecFor('client', { provider });
    const packet = await wholeOf(client, PAYLOAD);
    const server = codecFor('server', { provider });
    expect(() => server.open(packet, 0)).toThrow('expected a cipher that answers at once');
    expect(server.usage.openedPackets).toBe(0);
  });

  test('a key that cannot be imported is an error of who uses it, and of nobody else', async () => {
    const crypto = new HeldCrypto();
    const importKey = () => Promise.reject(new Error('no such algorithm'));
    const broken = webCryptoProvider({ subtle: { ...crypto.subtle, importKey } });
    const client = codecFor('client', { provider: broken });
    await new Promise((resolve) => setImmediate(resolve));
    await expect(wholeOf(client, PAYLOAD)).rejects.toThrow('no such algorithm');
    const packet = await wholeOf(codecFor('server'), PAYLOAD);
    await expect(openedBy(client, packet)).rejects.toThrow('no such algorithm');
    expect(client.usage.failedOpens).toBe(0);
  });

  test.each([{ cipherName: 'AES-256-GCM' }, { cipherName: 'AES-256-CBC' }])(
    '$cipherName: nothing is decrypted before it is authentic',
    async (format) => {
      const crypto = new HeldCrypto();
      const asked: string[] = [];
      const decrypt: WebCrypto['subtle']['decrypt'] = (...args) => {
        asked.push('decrypt');
        return crypto.subtle.decrypt(...args);
      };
      const held = webCryptoProvider({ subtle: { ...crypto.subtle, decrypt } });
      const packet = await wholeOf(codecFor('client', format), PAYLOAD);
      packet.writeUInt8(packet.readUInt8(packet.length - 1) ^ 1, packet.length - 1);
      const opened = openedBy(codecFor('server', { ...format, provider: held }), packet);
      await crypto.holding(1);
      crypto.release();
      expect(await opened).toBe(Drop.BAD_AUTH);
      expect(asked).toEqual(format.cipherName.endsWith('GCM') ? ['decrypt'] : []);
    },
  );
});

/** As long as its ArrayBuffer: what an implementation might keep instead of a copy. */
function lent(length: number, fill: number): Buffer {
  return Buffer.from(new Uint8Array(length).fill(fill).buffer);
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
