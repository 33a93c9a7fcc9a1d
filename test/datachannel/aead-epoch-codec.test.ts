import { describe, expect, test } from 'vitest';
import { Drop } from '../../src/core/machine.ts';
import { AeadEpochCodec, EPOCH_OVERHEAD_BYTES } from '../../src/datachannel/aead-epoch-codec.ts';
import type { DataCodec } from '../../src/datachannel/data-codec.ts';
import { LAST_EPOCH } from '../../src/datachannel/epoch-keys.ts';
import { EpochReceiver } from '../../src/datachannel/epoch-receiver.ts';
import { EpochSender } from '../../src/datachannel/epoch-sender.ts';
import type { KeyLimits } from '../../src/datachannel/key-limits.ts';
import { readUnitVectors } from './captures.ts';
import { codecFor, codecPair, key2, sealedBy } from './codecs.ts';
import type { EpochPacketVector, EpochVectors } from './epoch-vectors.ts';
import { ReferenceEpochs } from './reference-epochs.ts';

const EPOCH = { epoch: true };
const PAYLOAD = Buffer.from('payload');
const { packets: vectors } = readUnitVectors<EpochVectors>().epoch;

describe('AeadEpochCodec and the packets of other implementations', () => {
  test.each(vectors)('opens epoch $epoch, counter $counter of $capture, $dir', (vector) => {
    const codec = codecFor(vector.dir === 'C' ? 'server' : 'client', inputOf(vector));
    jumpTo(codec, vector, vector.dir === 'C' ? 0 : 128, vector.epoch - 1);
    expect(codec.open(bytes(vector.packet), 0)).toEqual(bytes(vector.plaintext));
    expect(codec.epoch).toBe(vector.epoch);
  });

  test.each(vectors)('seals epoch $epoch, counter $counter of $capture, $dir', (vector) => {
    const codec = codecFor(vector.dir === 'C' ? 'client' : 'server', inputOf(vector));
    jumpTo(codec, vector, vector.dir === 'C' ? 128 : 0, vector.epoch);
    for (let counter = 1; counter < vector.counter; counter += 1) codec.seal(PAYLOAD);
    expect(codec.seal(bytes(vector.plaintext))?.toString('hex')).toBe(vector.packet);
  });
});

describe('AeadEpochCodec.open', () => {
  test.each([
    { name: 'no epoch                  ', epoch: 0, drop: Drop.UNKNOWN_KEY },
    { name: 'four ahead                ', epoch: 7, drop: undefined },
    { name: 'five ahead                ', epoch: 8, drop: Drop.UNKNOWN_KEY },
    { name: 'far ahead                 ', epoch: 300, drop: Drop.UNKNOWN_KEY },
    { name: 'the present               ', epoch: 3, drop: undefined },
    { name: 'the retiring one          ', epoch: 1, drop: undefined },
    { name: 'one that was skipped      ', epoch: 2, drop: Drop.UNKNOWN_KEY },
  ])('after a jump from 1 to 3: $name', ({ epoch, drop }) => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    client.open(server.seal(1, 1, PAYLOAD), 0);
    client.open(server.seal(3, 1, PAYLOAD), 0);
    const before = { ...client.usage };
    expect(client.open(server.seal(epoch, 2, PAYLOAD), 0)).toEqual(drop ?? PAYLOAD);
    if (drop !== undefined) expect({ ...client.usage }).toEqual(before);
    expect(client.epoch).toBe(drop === undefined ? Math.max(epoch, 3) : 3);
  });

  test('forgets an epoch when the next but one comes', () => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    for (const epoch of [1, 2, 3]) client.open(server.seal(epoch, 1, PAYLOAD), 0);
    expect(client.open(server.seal(1, 2, PAYLOAD), 0)).toBe(Drop.UNKNOWN_KEY);
    expect(client.open(server.seal(2, 2, PAYLOAD), 0)).toEqual(PAYLOAD);
  });

  test('keeps the retiring epoch while packets of the present one come', () => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    client.open(server.seal(1, 1, PAYLOAD), 0);
    for (const counter of [1, 2, 3]) client.open(server.seal(2, counter, PAYLOAD), 0);
    expect(client.open(server.seal(1, 2, PAYLOAD), 0)).toEqual(PAYLOAD);
  });

  test('a forgery under a future epoch moves nothing', () => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    const forged = server.seal(4, 1, PAYLOAD);
    forged.writeUInt8(forged.readUInt8(20) ^ 1, 20);
    expect(client.open(forged, 0)).toBe(Drop.BAD_AUTH);
    expect(client.epoch).toBe(1);
    expect(client.open(server.seal(1, 1, PAYLOAD), 0)).toEqual(PAYLOAD);
  });

  test('counter 0 is refused, and moves nothing either', () => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    expect(client.open(server.seal(2, 0, PAYLOAD), 0)).toBe(Drop.REPLAY);
    expect(client.epoch).toBe(1);
    expect(client.usage.openedPackets).toBe(0);
  });

  test('every epoch has a replay window of its own', () => {
    const client = codecFor('client', EPOCH);
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    for (const [epoch, counter, opened] of [
      [1, 9, PAYLOAD],
      [2, 9, PAYLOAD],
      [2, 9, Drop.REPLAY],
      [1, 9, Drop.REPLAY],
      [1, 8, PAYLOAD],
      [2, 8, PAYLOAD],
    ] as const) {
      expect(client.open(server.seal(epoch, counter, PAYLOAD), 0)).toEqual(opened);
    }
  });

  test.each([0xffff_ffff, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 5, 2 ** 48 - 1])(
    'takes counter %i, its neighbours and no replay',
    (counter) => {
      const client = codecFor('client', EPOCH);
      const server = new ReferenceEpochs(key2().subarray(128, 160));
      const open = (number: number) => client.open(server.seal(1, number, PAYLOAD), 0);
      expect(open(counter)).toEqual(PAYLOAD);
      expect(open(counter)).toBe(Drop.REPLAY);
      expect(open(counter - 1)).toEqual(PAYLOAD);
      expect(open(counter - 63)).toEqual(PAYLOAD);
      expect(open(counter - 64)).toBe(Drop.REPLAY);
      expect(open(1)).toBe(Drop.REPLAY);
    },
  );

  test('refuses DATA_V1, an empty text and what is too short', () => {
    const { client, server } = codecPair(EPOCH);
    expect(server.open(Buffer.alloc(80, 0x30), 0)).toBe(Drop.MALFORMED);
    expect(server.open(sealedBy(client, ''), 0)).toBe(Drop.MALFORMED);
    expect(server.open(Buffer.alloc(EPOCH_OVERHEAD_BYTES, 0x48), 0)).toBe(Drop.MALFORMED);
    expect(server.usage.failedOpens).toBe(0);
  });
});

describe('AeadEpochCodec.seal', () => {
  test.each<{ name: string; limits: Partial<KeyLimits>; cipherName: string; epochs: number[] }>([
    {
      name: 'when packets and blocks are up ',
      limits: { epochUsage: 4 },
      cipherName: 'AES-128-GCM',
      epochs: [1, 1, 2, 2, 3, 3, 4],
    },
    {
      name: 'not so with ChaCha20-Poly1305  ',
      limits: { epochUsage: 4 },
      cipherName: 'CHACHA20-POLY1305',
      epochs: [1, 1, 1, 1, 1, 1, 1],
    },
    {
      name: 'when the counters are up       ',
      limits: { lastEpochCounter: 3 },
      cipherName: 'CHACHA20-POLY1305',
      epochs: [1, 1, 1, 2, 2, 2, 3],
    },
  ])('goes on with the next epoch $name', ({ limits, cipherName, epochs }) => {
    const { client, server } = codecPair({ ...EPOCH, limits, cipherName });
    const packets = epochs.map(() => sealedBy(client, PAYLOAD));
    expect(packets.map((packet) => packet.readUInt16BE(4))).toEqual(epochs);
    const starts = packets.filter((packet) => packet.readUIntBE(6, 6) === 1);
    expect(starts.length).toBe(new Set(epochs).size);
    for (const packet of packets) expect(server.open(packet, 0)).toEqual(PAYLOAD);
    expect(server.epoch).toBe(epochs.at(-1));
  });

  test('goes on when the peer’s epoch is worn out, once until the peer follows', () => {
    const limits = { epochUsage: 20 };
    const { client } = codecPair({ ...EPOCH, limits });
    const server = new ReferenceEpochs(key2().subarray(128, 160));
    for (let counter = 1; counter <= 10; counter += 1) {
      expect(client.epoch).toBe(1);
      client.open(server.seal(1, counter, PAYLOAD), 0);
    }
    const epochs = [1, 2, 3].map(() => sealedBy(client, PAYLOAD).readUInt16BE(4));
    expect(epochs).toEqual([2, 2, 2]);
    for (let counter = 1; counter <= 10; counter += 1) {
      client.open(server.seal(2, counter, PAYLOAD), 0);
    }
    expect(sealedBy(client, PAYLOAD).readUInt16BE(4)).toBe(3);
  });

  test('goes on when too many forgeries came, once until the peer follows', () => {
    const { client, server } = codecPair({ ...EPOCH, limits: { failedOpens: 3 } });
    const forged = sealedBy(server, PAYLOAD);
    forged.writeUInt8(forged.readUInt8(30) ^ 1, 30);
    for (const epoch of [1, 1, 2, 2]) {
      expect(client.open(forged, 0)).toBe(Drop.BAD_AUTH);
      expect(sealedBy(client, PAYLOAD).readUInt16BE(4)).toBe(epoch);
    }
    server.open(sealedBy(client, PAYLOAD), 0);
    expect(server.epoch).toBe(2);
    expect(client.open(sealedBy(server, PAYLOAD), 0)).toEqual(PAYLOAD);
    expect(sealedBy(client, PAYLOAD).readUInt16BE(4)).toBe(2);
  });

  test('stops at the last counter of the last epoch', () => {
    const limits = { usage: 2 ** 36, lastCounter: 2, failedOpens: 2 ** 35 };
    const sender = new EpochSender({ keyOf: idleKey }, limits);
    const codec = new AeadEpochCodec({
      keyId: 0,
      peerId: 0,
      sender,
      receiver: new EpochReceiver({ keyOf: idleKey }),
      limits,
      replayWindow: { packets: 64, ms: 0 },
    });
    sender.moveTo(LAST_EPOCH);
    const packets = [codec.seal(PAYLOAD), codec.seal(PAYLOAD)];
    expect(packets.map((packet) => packet?.readUIntBE(4, 6))).toEqual([
      0xffff_0000_0000, 0xffff_0000_0000,
    ]);
    expect(packets.map((packet) => packet?.readUInt16BE(10))).toEqual([1, 2]);
    expect(codec.exhausted).toBe(true);
    expect(codec.seal(PAYLOAD)).toBeUndefined();
    expect(codec.usage.sealedPackets).toBe(2);
  });

  test('names no packet id: counters start again', () => {
    const { client } = codecPair(EPOCH);
    sealedBy(client, PAYLOAD);
    expect(client).toMatchObject({ lastPacketId: 0, epoch: 1, exhausted: false });
  });
});

/** A key that leaves texts as they are. */
function idleKey(epoch: number) {
  const cipher = { seal: () => undefined, open: () => undefined };
  return { epoch, cipher, iv: Buffer.alloc(12) };
}

function inputOf({ cipher, key2: block }: EpochPacketVector) {
  return { ...EPOCH, cipherName: cipher, key2: bytes(block) };
}

/** Makes a codec follow its peer, whose secret stands at `at` of the key block, up to `epoch`. */
function jumpTo(codec: DataCodec, vector: EpochPacketVector, at: number, epoch: number): void {
  const peer = new ReferenceEpochs(bytes(vector.key2).subarray(at, at + 32));
  for (let step = 3; step <= epoch; step += 4) {
    expect(codec.open(peer.seal(step, 1, PAYLOAD), 0)).toEqual(PAYLOAD);
  }
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
