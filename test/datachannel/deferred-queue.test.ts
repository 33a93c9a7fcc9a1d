import { describe, expect, test } from 'vitest';
import { BATCH } from '../../src/core/pump.ts';
import { DeferredQueue } from '../../src/datachannel/deferred-queue.ts';
import { turn } from './providers.ts';

describe('DeferredQueue', () => {
  test('gives items in order, each with its own answer, and wakes for the oldest only', async () => {
    let woken = 0;
    const queue = new DeferredQueue<string, number>(() => {
      woken += 1;
    });
    const answer: ((value: number) => void)[] = [];
    for (const item of ['a', 'b']) {
      queue.add(item, new Promise<number>((resolve) => answer.push(resolve)));
    }
    answer[1]?.(2);
    await turn();
    expect(queue.take()).toBeUndefined();
    expect(woken).toBe(0);
    answer[0]?.(1);
    await turn();
    expect(woken).toBe(1);
    expect(queue.take()).toMatchObject({ item: 'a', answer: 1, error: undefined });
    expect(queue.take()).toMatchObject({ item: 'b', answer: 2, error: undefined });
    expect(queue.take()).toBeUndefined();
    expect(queue.empty).toBe(true);
  });

  test('an answer that was there, one that fails', async () => {
    const queue = new DeferredQueue<string, number>(() => {});
    queue.add('a', 1);
    queue.add('b', Promise.reject(new Error('broken')));
    expect(queue.take()).toBeUndefined();
    await turn();
    expect(queue.take()).toMatchObject({ item: 'a', answer: 1 });
    const failed = queue.take();
    expect(failed?.error?.message).toBe('broken');
    expect(failed?.answer).toBeUndefined();
  });

  test('is full with a batch', () => {
    const queue = new DeferredQueue<number, number>(() => {});
    for (let item = 0; item < BATCH; item += 1) {
      expect(queue.full).toBe(false);
      queue.add(item, item);
    }
    expect(queue.full).toBe(true);
  });

  test('what comes after `clear` goes nowhere', async () => {
    let woken = 0;
    const queue = new DeferredQueue<string, number>(() => {
      woken += 1;
    });
    queue.add('a', 1);
    queue.add('b', Promise.reject(new Error('broken')));
    queue.clear();
    expect(queue.empty).toBe(true);
    await turn();
    expect(queue.take()).toBeUndefined();
    expect(woken).toBe(0);
  });
});
