import { describe, expect, test } from 'vitest';
import type { CompressionFraming } from '../../src/model/push-options.ts';
import { Session } from '../../src/session/session.ts';
import { BusyPair } from '../sim/busy-pair.ts';
import type { PairOptions } from '../sim/pair.ts';

/** Bits of IV_PROTO: an old client, one that takes peer ids, one without epochs. */
const OLDEST = 0;
const DATA_V2 = 2;
const NO_EPOCHS = 926;

interface Format {
  readonly name: string;
  readonly cipher: string;
  readonly auth?: string;
  readonly compression?: CompressionFraming;
  readonly ivProto?: number;
  readonly mss: number;
}

/** 1492 less IP, UDP, the data packet's own bytes and the headers inside. */
const LARGEST = 1492 - 20 - 8 - 20 - 20;

// biome-ignore format: a table, one row a line
const FORMATS: readonly Format[] = [
  { name: 'epochs',                    cipher: 'AES-256-GCM',                                            mss: LARGEST - 28 },
  { name: 'epochs, ChaCha',            cipher: 'CHACHA20-POLY1305',                                      mss: LARGEST - 28 },
  { name: 'epochs and a framing',      cipher: 'AES-192-GCM', compression: 'comp-lzo-no',                mss: LARGEST - 28 - 1 },
  { name: 'AEAD, DATA_V2',             cipher: 'AES-128-GCM', ivProto: NO_EPOCHS,                        mss: LARGEST - 24 },
  { name: 'AEAD, DATA_V2, PRF',        cipher: 'AES-128-GCM', ivProto: DATA_V2,                          mss: LARGEST - 24 },
  { name: 'AEAD, DATA_V1',             cipher: 'AES-128-GCM', ivProto: OLDEST,                           mss: LARGEST - 21 },
  { name: 'AEAD, DATA_V2, swapped',    cipher: 'AES-128-GCM', ivProto: NO_EPOCHS, compression: 'stub',   mss: LARGEST - 24 - 1 },
  { name: 'CBC, SHA1',                 cipher: 'AES-256-CBC',                                            mss: LARGEST - (4 + 20 + 16 + 4 + 16) },
  { name: 'CBC, SHA512',               cipher: 'AES-128-CBC', auth: 'SHA512',                            mss: LARGEST - (4 + 64 + 16 + 4 + 16) },
  { name: 'CBC, SHA256, DATA_V1',      cipher: 'AES-192-CBC', auth: 'SHA256', ivProto: OLDEST,           mss: LARGEST - (1 + 32 + 16 + 4 + 16) },
];

function optionsOf({ cipher, auth = 'SHA1', compression = 'none', ivProto }: Format): PairOptions {
  const dataCiphers = [cipher];
  return {
    profile: { dataCiphers, auth },
    server: { dataCiphers, auth, compression },
    ...(ivProto !== undefined && { ivProto }),
  };
}

describe(Session.name, () => {
  test.each(FORMATS)(
    'carries packets both ways, and over a renegotiation: $name',
    async (format) => {
      const busy = await BusyPair.connected(optionsOf(format), 10);
      const { pair, up, down } = busy;
      const { cipher, mss } = format;
      expect(pair.client.info).toMatchObject({ cipher, mss, mtu: 1500 });
      expect(pair.server.session?.info).toMatchObject({ cipher, mss });
      await pair.advance(500);
      pair.client.renegotiate();
      await busy.renegotiated(1);
      await pair.advance(500);
      await busy.end();
      for (const traffic of [up, down]) {
        expect(traffic.faults).toEqual([]);
        expect(traffic.sent).toBeGreaterThan(90);
        expect(traffic.received).toBe(traffic.sent);
      }
    },
  );

  test.each<{ name: string; own: CompressionFraming; pushed: CompressionFraming }>([
    { name: 'what was pushed, before its own', own: 'stub', pushed: 'comp-lzo-no' },
    { name: 'its own, where nothing is pushed', own: 'none', pushed: 'none' },
    { name: 'a framing that only escapes', own: 'none', pushed: 'stub-v2' },
  ])('a client has the framing of $name', async ({ own, pushed }) => {
    const busy = await BusyPair.connected(
      { profile: { compression: own }, server: { compression: pushed } },
      10,
    );
    await busy.pair.advance(200);
    await busy.end();
    expect(busy.up.received).toBeGreaterThan(15);
    expect([busy.up.received, busy.down.received]).toEqual([busy.up.sent, busy.down.sent]);
  });

  test('a client that frames and a server that does not understand no packet', async () => {
    const busy = await BusyPair.connected({ profile: { compression: 'comp-lzo-no' } }, 10);
    await busy.pair.advance(200);
    await busy.end();
    expect([busy.up.received, busy.down.received]).toEqual([0, 0]);
  });
});
