import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AckQueue } from '../../src/reliable/ack-queue.ts';
import { MAX_OWED_ACKS } from '../../src/reliable/constants.ts';

describe('AckQueue', () => {
  test.each([
    { name: 'nothing received', owed: [], limit: 4, taken: [] },
    { name: 'one id', owed: [0], limit: 4, taken: [0] },
    { name: 'newest first', owed: [0, 1, 2], limit: 4, taken: [2, 1, 0] },
    { name: 'one id is owed once', owed: [3, 3, 3], limit: 4, taken: [3] },
    { name: 'the oldest that fit', owed: [1, 2, 3, 4, 5], limit: 4, taken: [4, 3, 2, 1] },
    { name: 'out of order, as it was received', owed: [2, 1], limit: 8, taken: [1, 2] },
  ])('$name', ({ owed, limit, taken }) => {
    const acks = new AckQueue();
    for (const packetId of owed) acks.owe(packetId);
    expect(acks.take(limit)).toEqual(taken);
  });

  test('repeats the most recent ids in every packet, and owes nothing by that', () => {
    const acks = new AckQueue();
    for (const packetId of [0, 1, 2]) acks.owe(packetId);
    acks.take(8);
    expect(acks.owing).toBe(false);
    expect(acks.take(4)).toEqual([2, 1, 0]);
    expect(acks.take(2)).toEqual([2, 1]);
    acks.owe(3);
    expect(acks.owing).toBe(true);
    expect(acks.take(4)).toEqual([3, 2, 1, 0]);
  });

  test('what did not fit is still owed and comes in the next packet', () => {
    const acks = new AckQueue();
    for (const packetId of [1, 2, 3, 4, 5]) acks.owe(packetId);
    acks.take(4);
    expect(acks.owing).toBe(true);
    expect(acks.take(4)).toEqual([5, 4, 3, 2]);
    expect(acks.owing).toBe(false);
  });

  test('an id that is owed again moves to the front', () => {
    const acks = new AckQueue();
    for (const packetId of [0, 1, 2]) acks.owe(packetId);
    acks.take(8);
    acks.owe(0);
    expect(acks.take(8)).toEqual([0, 2, 1]);
  });

  test('remembers no more than eight ids', () => {
    const acks = new AckQueue();
    for (let packetId = 0; packetId < 100; packetId += 1) {
      acks.owe(packetId);
      acks.take(1);
    }
    expect(acks.take(1000)).toEqual([99, 98, 97, 96, 95, 94, 93, 92]);
  });

  test('owes no more than its limit, whatever is asked for', () => {
    const acks = new AckQueue();
    for (let packetId = 0; packetId < 1000; packetId += 1) acks.owe(packetId);
    expect(acks.full).toBe(true);
    for (let at = 0; at < MAX_OWED_ACKS; at += 1) {
      expect(acks.owing).toBe(true);
      expect(acks.take(1)).toEqual([at]);
    }
    expect([acks.owing, acks.full]).toEqual([false, false]);
  });
});

interface CapturedPacket {
  readonly dir: 'C' | 'S';
  readonly op: string;
  readonly key_id: number;
  readonly session_id: string;
  readonly acks?: readonly number[];
}

const VECTORS = new URL('../vectors/', import.meta.url);
const captures = readdirSync(VECTORS).filter((name) => /^\d/.test(name));

/**
 * Replays one side of one key id: whatever it acknowledges for the first time was owed then. The
 * limit of a P_ACK_V1 goes from 4 to 8 at most once: without a wrap, when tls-ekm is agreed on.
 */
function expectSameAcks(packets: readonly CapturedPacket[]): number {
  let ackV1Limit = 4;
  const acks = new AckQueue();
  const known = new Set<number>();
  let compared = 0;
  for (const { op, acks: captured = [] } of packets) {
    for (const packetId of captured.toReversed()) {
      if (!known.has(packetId)) acks.owe(packetId);
      known.add(packetId);
    }
    if (captured.length > ackV1Limit) ackV1Limit = 8;
    expect(acks.take(op === 'ACK_V1' ? ackV1Limit : 4)).toEqual(captured);
    compared += captured.length;
  }
  return compared;
}

describe('AckQueue beside real peers', () => {
  function controlPackets(capture: string): CapturedPacket[] {
    const file = new URL(`${capture}/packets.json`, VECTORS);
    const { packets } = JSON.parse(readFileSync(file, 'utf8')) as { packets: CapturedPacket[] };
    return packets.filter(({ op }) => !op.startsWith('DATA'));
  }

  test('the client of capture 01 shows the pattern: newest first, filled up to four', () => {
    const patterns = controlPackets('01-plain-udp-aes256gcm')
      .filter(({ dir }) => dir === 'C')
      .map(({ acks = [] }) => acks.join());
    expect(patterns).toEqual(['', '0', '1,0', '2,1,0', '2,1,0', '3,2,1,0', '4,3,2,1', '5,4,3,2']);
  });

  test.each(captures)('acknowledges what both ends do in %s', (capture) => {
    // A UDP server answers the first reset before it has any state, so that one does not count.
    const stateless = capture.includes('tcp') ? '' : 'HARD_RESET_SERVER_V2';
    const packets = controlPackets(capture).filter(({ op }) => op !== stateless);
    const stateOf = ({ session_id, key_id }: CapturedPacket) => `${session_id} ${key_id}`;
    let compared = 0;
    for (const state of new Set(packets.map(stateOf))) {
      const side = packets.filter((packet) => stateOf(packet) === state);
      compared += expectSameAcks(side);
    }
    expect(compared).toBeGreaterThan(0);
  });
});
