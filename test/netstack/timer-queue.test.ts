import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Timed, TimerQueue } from '../../src/netstack/timer-queue.ts';

function item(): Timed {
  return { queuedAt: Number.POSITIVE_INFINITY, heapIndex: -1 };
}

describe('TimerQueue', () => {
  test('gives the earliest first and nothing before its time', () => {
    const queue = new TimerQueue<Timed>();
    const [early, late] = [item(), item()];
    queue.schedule(late, 20);
    queue.schedule(early, 10);
    expect(queue.nextAt).toBe(10);
    expect(queue.takeDue(9)).toBeUndefined();
    expect(queue.takeDue(20)).toBe(early);
    expect(queue.takeDue(20)).toBe(late);
    expect(queue.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('an earlier deadline moves an item forward, a later one leaves it where it is', () => {
    const queue = new TimerQueue<Timed>();
    const only = item();
    queue.schedule(only, 50);
    queue.schedule(only, 90);
    expect(queue.nextAt).toBe(50);
    queue.schedule(only, 30);
    expect(queue.nextAt).toBe(30);
    expect(queue.size).toBe(1);
  });

  test('does not queue what is never due', () => {
    const queue = new TimerQueue<Timed>();
    queue.schedule(item(), Number.POSITIVE_INFINITY);
    expect(queue.size).toBe(0);
  });

  test('equals a sorted list under any scheduling and removal', () => {
    const action = fc.record({
      at: fc.nat(100),
      index: fc.nat(19),
      kind: fc.constantFrom('schedule', 'schedule', 'remove', 'take'),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const queue = new TimerQueue<Timed>();
        const items = Array.from({ length: 20 }, item);
        const model = new Map<Timed, number>();
        for (const { at, index, kind } of actions) {
          const chosen = items[index] ?? item();
          if (kind === 'schedule') {
            queue.schedule(chosen, at);
            model.set(chosen, Math.min(at, model.get(chosen) ?? at));
          } else if (kind === 'remove') {
            queue.remove(chosen);
            model.delete(chosen);
          } else {
            const due = queue.takeDue(at);
            const earliest = Math.min(...model.values());
            expect(due === undefined ? Number.POSITIVE_INFINITY : model.get(due)).toBe(
              earliest <= at ? earliest : Number.POSITIVE_INFINITY,
            );
            if (due !== undefined) model.delete(due);
          }
          expect(queue.size).toBe(model.size);
          expect(queue.nextAt).toBe(Math.min(...model.values()));
        }
      }),
    );
  });
});
