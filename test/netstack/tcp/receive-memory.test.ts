import { describe, expect, test } from 'vitest';
import { Reassembly } from '../../../src/netstack/tcp/reassembly.ts';
import { ReceiveQueue } from '../../../src/netstack/tcp/receive-queue.ts';
import { heapBytes } from '../../sim/heap-bytes.ts';

const NO_LIMIT = Number.POSITIVE_INFINITY;
/** A segment as a decipher gives it: a buffer of its own, of which the payload is a part. */
function payload(packetBytes: number, bytes: number): Buffer {
  return Buffer.from(new Uint8Array(packetBytes).buffer).subarray(packetBytes - bytes);
}

const CASES = [
  { name: 'one byte of 1,400', packetBytes: 1400, bytes: 1, count: 20_000 },
  { name: '100 bytes of 1,400', packetBytes: 1400, bytes: 100, count: 20_000 },
  { name: '300 bytes of 1,400', packetBytes: 1400, bytes: 300, count: 10_000 },
  { name: '400 bytes of 1,400', packetBytes: 1400, bytes: 400, count: 10_000 },
  { name: '1,348 bytes of 1,400', packetBytes: 1400, bytes: 1348, count: 10_000 },
  { name: '1,348 bytes of 65,536', packetBytes: 65_536, bytes: 1348, count: 2000 },
];

describe('what is charged is what is held', () => {
  test.each(CASES)('unread: $name', async ({ packetBytes, bytes, count }) => {
    const queue = new ReceiveQueue();
    const before = await heapBytes();
    for (let turn = 0; turn < count; turn += 1) queue.push(payload(packetBytes, bytes));
    const held = (await heapBytes()) - before;
    expect(queue.length).toBe(count * bytes);
    expect(held).toBeLessThan(1.1 * queue.charge + 300_000);
    expect(held).toBeGreaterThan(0.6 * queue.charge - 300_000);
    while (queue.take() !== undefined);
    expect(queue.charge).toBe(0);
  });

  test.each(CASES)('ahead of a gap: $name', async ({ packetBytes, bytes, count }) => {
    const reassembly = new Reassembly();
    const before = await heapBytes();
    for (let turn = 0; turn < count; turn += 1) {
      reassembly.insert(1 + turn * bytes, payload(packetBytes, bytes), NO_LIMIT);
    }
    const held = (await heapBytes()) - before;
    expect(reassembly.payload).toBe(count * bytes);
    expect(held).toBeLessThan(1.1 * reassembly.charge + 300_000);
    expect(held).toBeGreaterThan(0.6 * reassembly.charge - 300_000);
    reassembly.release(1, new ReceiveQueue());
    expect([reassembly.charge, reassembly.payload]).toEqual([0, 0]);
  });

  test('a large chunk costs little more than its payload, tiny ones no more than three times', () => {
    const large = new ReceiveQueue();
    const tiny = new ReceiveQueue();
    for (let turn = 0; turn < 10_000; turn += 1) {
      large.push(payload(1400, 1348));
      tiny.push(payload(1400, 1));
    }
    expect(large.charge).toBeLessThan(1.25 * large.length);
    expect(tiny.charge).toBeLessThan(3 * tiny.length);
  });
});
