import { describe, expect, test } from 'vitest';
import type { CbcKeys, CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import { nodeProvider } from '../../src/datachannel/node-provider.ts';
import { codecFor, FORMATS, key2, sealedBy } from './codecs.ts';
import { ReferenceEpochs } from './reference-epochs.ts';

const AEAD = FORMATS.filter(({ auth }) => auth === 'NONE');

describe('nonces', () => {
  test.each(AEAD)('never return under the same key: $name', (format) => {
    const spy = new SpyProvider();
    const limits = { epochUsage: 60, lastEpochCounter: 50 };
    const peer = new ReferenceEpochs(key2().subarray(128, 160));
    let packets = 0;
    for (const seed of [0, 1]) {
      const block = key2().map((byte) => byte ^ seed);
      const input = { ...format, limits, provider: spy, key2: Buffer.from(block) };
      const codec = codecFor('client', input);
      for (let round = 0; round < 200; round += 1) {
        sealedBy(codec, 'payload');
        packets += 1;
        // An epoch that the peer begins, in the middle of ours.
        if (format.epoch && seed === 0 && round === 20) codec.open(peer.seal(5, 1, key2()), 0);
      }
    }
    expect(spy.nonces.length).toBe(packets);
    expect(new Set(spy.nonces).size).toBe(packets);
  });
});

describe('key material', () => {
  test.each(FORMATS)('is overwritten once it is imported: $name', (format) => {
    const spy = new SpyProvider();
    const block = key2();
    const codec = codecFor('client', {
      ...format,
      limits: { epochUsage: 3 },
      provider: spy,
      key2: block,
    });
    for (let packet = 0; packet < 10; packet += 1) sealedBy(codec, 'payload');
    expect(spy.lent.length).toBeGreaterThanOrEqual(2);
    for (const bytes of [...spy.lent, block]) expect(bytes).toEqual(Buffer.alloc(bytes.length));
  });
});

/** Notes which keys it was lent, and which nonces were used with which. */
class SpyProvider implements CipherProvider {
  readonly name = 'spy';
  readonly defers = false;
  readonly has = nodeProvider.has;
  readonly lent: Buffer[] = [];
  readonly nonces: string[] = [];

  createSealer: CipherProvider['createSealer'] = (cipher, key) => {
    this.lent.push(key);
    const name = key.toString('hex');
    const sealer = nodeProvider.createSealer(cipher, key);
    return {
      seal: (nonce, aad, plaintext, packet, tagAt, textAt) => {
        this.nonces.push(`${name} ${nonce.toString('hex')}`);
        return sealer.seal(nonce, aad, plaintext, packet, tagAt, textAt);
      },
    };
  };

  createOpener: CipherProvider['createOpener'] = (cipher, key) => {
    this.lent.push(key);
    return nodeProvider.createOpener(cipher, key);
  };

  createCbcSealer: CipherProvider['createCbcSealer'] = (cipher, keys) => {
    this.#noteCbc(keys);
    return nodeProvider.createCbcSealer(cipher, keys);
  };

  createCbcOpener: CipherProvider['createCbcOpener'] = (cipher, keys) => {
    this.#noteCbc(keys);
    return nodeProvider.createCbcOpener(cipher, keys);
  };

  #noteCbc({ key, macKey }: CbcKeys): void {
    this.lent.push(key, macKey);
  }
}
