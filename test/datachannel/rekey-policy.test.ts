import { describe, expect, test } from 'vitest';
import type { KeyUsage } from '../../src/datachannel/data-codec.ts';
import { RekeyPolicy } from '../../src/datachannel/rekey-policy.ts';
import { idleKey } from './fixtures.ts';

const OFF = { renegSecMs: 0, renegBytes: 0, renegPackets: 0 };
const NEVER = Number.POSITIVE_INFINITY;
const LOW_LIMITS = {
  packetId: 0x80,
  lastPacketId: 0x90,
  gcmUsage: 2048,
  failedOpens: 32,
  maxFailedOpens: 64,
  epoch: 5,
  epochUsage: 100,
  lastEpochCounter: 100,
};
const CHACHA = 'CHACHA20-POLY1305';
const BYTES = { renegBytes: 1000 };
const PACKETS = { renegPackets: 10 };

interface UsageRow {
  readonly name: string;
  readonly options?: Partial<typeof OFF>;
  readonly cipher?: string;
  readonly usage?: Partial<KeyUsage>;
  readonly lastPacketId?: number;
  readonly epoch?: number;
  readonly reason: string | undefined;
}

describe('RekeyPolicy', () => {
  test('reneg-sec counts from when the key became active', () => {
    const policy = new RekeyPolicy({ ...OFF, renegSecMs: 3_600_000 });
    expect(policy.nextTimeout()).toBe(NEVER);
    policy.watch(idleKey(0, 0), 500);
    expect(policy.nextTimeout()).toBe(3_600_500);
    policy.onTimeout(3_600_499);
    expect(policy.takeReason()).toBeUndefined();
    policy.onTimeout(3_600_500);
    expect(policy.takeReason()).toBe('reneg-sec');
    expect(policy.nextTimeout()).toBe(NEVER);
  });

  test('reneg-sec 0 leaves it to the peer', () => {
    const policy = new RekeyPolicy(OFF);
    policy.watch(idleKey(0), 0);
    expect(policy.nextTimeout()).toBe(NEVER);
  });

  // biome-ignore format: a table, one row a line
  test.each<UsageRow>([
    { name: 'unused key              ', usage: {}, reason: undefined },
    { name: 'packet id below         ', lastPacketId: 0x7f, reason: undefined },
    { name: 'packet id at            ', lastPacketId: 0x80, reason: 'packet-id' },
    { name: 'packet id, ChaCha       ', lastPacketId: 0x80, cipher: CHACHA, reason: 'packet-id' },
    { name: 'bytes below, both ways  ', options: BYTES, usage: { sealedBytes: 500, openedBytes: 499 }, reason: undefined },
    { name: 'bytes at, both ways     ', options: BYTES, usage: { sealedBytes: 500, openedBytes: 500 }, reason: 'reneg-bytes' },
    { name: 'bytes off               ', usage: { sealedBytes: 1e15 }, reason: undefined },
    { name: 'packets below, both ways', options: PACKETS, usage: { sealedPackets: 4, openedPackets: 5 }, reason: undefined },
    { name: 'packets at, both ways   ', options: PACKETS, usage: { sealedPackets: 5, openedPackets: 5 }, reason: 'reneg-pkts' },
    { name: 'GCM usage below, each   ', usage: { sealedPackets: 47, sealedBlocks: 2000, openedPackets: 47, openedBlocks: 2000 }, reason: undefined },
    { name: 'GCM usage at, sealed    ', usage: { sealedPackets: 48, sealedBlocks: 2000 }, reason: 'aead-usage' },
    { name: 'GCM usage at, opened    ', usage: { openedPackets: 48, openedBlocks: 2000 }, reason: 'aead-usage' },
    { name: 'ChaCha has no such limit', usage: { sealedPackets: 48, sealedBlocks: 2000 }, cipher: CHACHA, reason: undefined },
    { name: 'CBC has no such limit   ', usage: { sealedPackets: 48, sealedBlocks: 2000 }, cipher: 'AES-256-CBC', reason: undefined },
    { name: 'epochs have their own   ', usage: { sealedPackets: 48, sealedBlocks: 2000 }, epoch: 4, reason: undefined },
    { name: 'epoch at                ', epoch: 5, reason: 'epoch' },
    { name: 'epoch at, ChaCha        ', epoch: 5, cipher: CHACHA, reason: 'epoch' },
    { name: 'forgeries below         ', usage: { failedOpens: 31 }, reason: undefined },
    { name: 'forgeries at            ', usage: { failedOpens: 32 }, cipher: CHACHA, reason: 'failed-decrypts' },
  ])('$name', ({ options, cipher = 'AES-256-GCM', usage = {}, lastPacketId = 0, epoch = 0, reason }) => {
    const policy = new RekeyPolicy({ ...OFF, ...options }, LOW_LIMITS);
    const key = idleKey(0, 0, cipher);
    policy.watch(key, 0);
    Object.assign(key.codec.usage, usage);
    key.codec.lastPacketId = lastPacketId;
    key.codec.epoch = epoch;
    policy.observe();
    expect(policy.takeReason()).toBe(reason);
  });

  test('fires once for a key, whatever else it reaches', () => {
    const policy = new RekeyPolicy({ ...OFF, renegSecMs: 1000, renegPackets: 1 });
    const key = idleKey(0);
    policy.watch(key, 0);
    key.codec.usage.sealedPackets = 1;
    policy.observe();
    policy.observe();
    policy.onTimeout(5000);
    expect(policy.takeReason()).toBe('reneg-pkts');
    key.codec.usage.sealedPackets = 9;
    policy.observe();
    policy.onTimeout(9000);
    expect(policy.takeReason()).toBeUndefined();
  });

  test('fires again for the next key', () => {
    const policy = new RekeyPolicy({ ...OFF, renegSecMs: 1000 });
    policy.watch(idleKey(0), 0);
    policy.onTimeout(1000);
    policy.takeReason();
    policy.watch(idleKey(1), 1200);
    policy.onTimeout(2199);
    expect(policy.takeReason()).toBeUndefined();
    policy.onTimeout(2200);
    expect(policy.takeReason()).toBe('reneg-sec');
  });

  test('a new key withdraws a reason that was not taken', () => {
    const policy = new RekeyPolicy({ ...OFF, renegSecMs: 1000 });
    policy.watch(idleKey(0), 0);
    policy.onTimeout(1000);
    policy.watch(idleKey(1), 1000);
    expect(policy.takeReason()).toBeUndefined();
  });

  test('says nothing before there is a key', () => {
    const policy = new RekeyPolicy({ ...OFF, renegPackets: 1 });
    policy.observe();
    policy.onTimeout(1e9);
    expect(policy.takeReason()).toBeUndefined();
  });
});
