import { expect, test } from 'vitest';
import { KEY_LIMITS } from '../../src/datachannel/key-limits.ts';

test('KEY_LIMITS are OpenVPN 2.7’s', () => {
  expect(KEY_LIMITS).toEqual({
    packetId: 4_278_190_080,
    lastPacketId: 4_294_967_295,
    gcmUsage: 60_129_542_144,
    failedOpens: 34_359_738_368,
    maxFailedOpens: 68_719_476_736,
    epoch: 61_440,
    epochUsage: 68_719_476_735,
    lastEpochCounter: 281_474_976_710_655,
  });
});
