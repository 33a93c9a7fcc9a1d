import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceiveQueue, unpinned } from '../../../src/netstack/tcp/receive-queue.ts';

function takeAll(queue: ReceiveQueue): Buffer[] {
  const chunks: Buffer[] = [];
  for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) chunks.push(chunk);
  return chunks;
}

/** A buffer of its own, as a decipher gives it. */
function own(length: number, fill = 1): Buffer {
  return Buffer.from(new Uint8Array(length).fill(fill).buffer);
}

describe('ReceiveQueue', () => {
  test('gives the bytes that were put in, in order', () => {
    const action = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constant(0));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const queue = new ReceiveQueue();
        const put: Buffer[] = [];
        const taken: Buffer[] = [];
        for (const [index, length] of actions.entries()) {
          if (length > 0) {
            put.push(own(length, index));
            queue.push(own(length, index));
          } else {
            const chunk = queue.take();
            if (chunk !== undefined) taken.push(chunk);
          }
        }
        taken.push(...takeAll(queue));
        expect(Buffer.concat(taken)).toEqual(Buffer.concat(put));
        expect(queue.length).toBe(0);
      }),
    );
  });

  test('keeps a large chunk as it is', () => {
    const queue = new ReceiveQueue();
    const packet = own(1400);
    queue.push(packet.subarray(52));
    expect(queue.take()?.buffer).toBe(packet.buffer);
  });

  test('puts small chunks together, so that none costs more than it holds', () => {
    const queue = new ReceiveQueue();
    for (let count = 0; count < 100_000; count += 1) queue.push(own(3));
    const chunks = takeAll(queue);
    expect(chunks.length).toBeLessThan(100);
    expect(Buffer.concat(chunks)).toHaveLength(300_000);
  });

  test('does not touch a chunk that was taken', () => {
    const queue = new ReceiveQueue();
    queue.push(own(3, 1));
    queue.push(own(3, 2));
    const chunk = queue.take();
    queue.push(own(3, 9));
    expect(chunk).toEqual(Buffer.from([1, 1, 1, 2, 2, 2]));
  });

  test('forgets everything', () => {
    const queue = new ReceiveQueue();
    queue.push(own(500));
    queue.clear();
    expect([queue.length, queue.take()]).toEqual([0, undefined]);
  });
});

test('unpinned copies a small part of a large buffer, and nothing else', () => {
  const large = own(10_000);
  expect(unpinned(large.subarray(0, 2499)).buffer).not.toBe(large.buffer);
  expect(unpinned(large.subarray(0, 2500)).buffer).toBe(large.buffer);
});
