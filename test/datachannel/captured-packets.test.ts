import { describe, expect, test } from 'vitest';
import type { RandomSource } from '../../src/core/random.ts';
import type { CipherProvider } from '../../src/datachannel/cipher-provider.ts';
import { DATA_CIPHERS } from '../../src/model/ciphers.ts';
import { DIGESTS } from '../../src/model/digests.ts';
import { type Capture, type CapturedPacket, readCaptures, readUnitVectors } from './captures.ts';
import { codecFor, openedBy, wholeOf } from './codecs.ts';
import { PROVIDERS } from './providers.ts';

interface DataVector {
  readonly capture: string;
  readonly cipher: string;
  readonly auth: string | null;
  readonly key2: string;
  readonly dir: 'C' | 'S';
  readonly packet: string;
  readonly plaintext: string;
}

const captures = readCaptures();
const vectors = readUnitVectors<{ readonly data: readonly DataVector[] }>();

describe('captured packets', () => {
  test('all formats are there', () => {
    const formats = captures.map(({ cipherName, isEpoch }) => `${cipherName} ${isEpoch}`);
    expect([...new Set(formats)].sort()).toEqual([
      'AES-128-CBC false',
      'AES-256-CBC false',
      'AES-256-GCM false',
      'AES-256-GCM true',
      'CHACHA20-POLY1305 false',
    ]);
    expect(captures.length).toBe(36);
    expect(captures.reduce((count, { packets }) => count + packets.length, 0)).toBe(414);
  });
});

describe.each(PROVIDERS)('captured packets with $name', ({ provider }) => {
  const had = captures.filter(({ cipherName, auth }) => hasBoth(provider, cipherName, auth));

  test('are all there but those of ciphers that WebCrypto has not', () => {
    const left = captures.filter((capture) => !had.includes(capture));
    const names = new Set(left.map(({ cipherName }) => cipherName));
    expect([...names]).toEqual(provider.defers ? ['CHACHA20-POLY1305'] : []);
  });

  test.each(had)('$name: every packet opens to what was recorded', async (capture) => {
    for (const run of runsOf(capture)) {
      const input = { ...inputOf(capture, run), provider };
      const codec = codecFor(run.dir === 'C' ? 'server' : 'client', input);
      for (const packet of run.packets) {
        const opened = provider.defers
          ? await openedBy(codec, bytes(packet.hex))
          : codec.open(bytes(packet.hex), 0);
        expect(opened).toEqual(bytes(packet.plaintext));
      }
    }
  });

  test.each(had)('$name: sealing the same again gives the same bytes', async (capture) => {
    for (const run of runsOf(capture)) {
      const input = { ...inputOf(capture, run), provider };
      const codec = codecFor(run.dir === 'C' ? 'client' : 'server', input);
      for (const packet of run.packets) {
        const sealed = await wholeOf(codec, bytes(packet.plaintext));
        expect(sealed.toString('hex')).toBe(packet.hex);
      }
    }
  });
});

describe.each(PROVIDERS)('unit vectors with $name', ({ provider }) => {
  const had = vectors.data.filter(({ cipher, auth }) =>
    hasBoth(provider, cipher, auth?.toUpperCase() ?? 'NONE'),
  );

  test.each(had)('$capture $dir opens', async (vector) => {
    const { cipher, auth, key2, dir, packet, plaintext } = vector;
    const codec = codecFor(dir === 'C' ? 'server' : 'client', {
      cipherName: cipher,
      auth: auth?.toUpperCase() ?? 'NONE',
      key2: bytes(key2),
      provider,
    });
    expect(await openedBy(codec, bytes(packet))).toEqual(bytes(plaintext));
  });
});

function hasBoth(provider: CipherProvider, cipherName: string, auth: string): boolean {
  return provider.has(DATA_CIPHERS.get(cipherName) ?? expect.fail(cipherName), DIGESTS.get(auth));
}

/** The packets of one key and direction, numbered from 1 without a gap. */
interface Run {
  readonly dir: 'C' | 'S';
  readonly packets: readonly CapturedPacket[];
}

function runsOf(capture: Capture): Run[] {
  const runs = new Map<string, CapturedPacket[]>();
  for (const packet of capture.packets) {
    const name = `${packet.dir} ${capture.generation(packet)}`;
    runs.set(name, [...(runs.get(name) ?? []), packet]);
  }
  return [...runs.values()].map((packets) => {
    const first = packets[0] ?? expect.fail();
    expect(packets.map(({ packet_id }) => packet_id)).toEqual(packets.map((_, at) => at + 1));
    return { dir: first.dir, packets };
  });
}

function inputOf(capture: Capture, { packets }: Run) {
  const first = packets[0] ?? expect.fail();
  return {
    cipherName: capture.cipherName,
    auth: capture.auth,
    epoch: capture.isEpoch,
    keyId: first.key_id,
    peerId: first.peer_id ?? undefined,
    key2: capture.key2(first),
    random: new RecordedRandom(packets.map(({ iv }) => iv ?? '').join('')),
  };
}

/** Gives the IVs of a capture once more. */
class RecordedRandom implements RandomSource {
  readonly #recorded: Buffer;
  #at = 0;

  constructor(recorded: string) {
    this.#recorded = bytes(recorded);
  }

  bytes(length: number): Buffer {
    return expect.fail(`no ${length} bytes were recorded`);
  }

  uint32(): number {
    this.#at += 4;
    return this.#recorded.readUInt32BE(this.#at - 4);
  }
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
