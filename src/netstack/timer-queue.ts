import type { Millis } from '../core/machine.ts';

/** What a {@link TimerQueue} holds. Both fields belong to the queue. */
export interface Timed {
  /** When the queue looks at it; not later than its true deadline. */
  queuedAt: Millis;
  /** Its place in the heap; -1 while it is not queued. */
  heapIndex: number;
}

/**
 * Deadlines of many things, earliest first: a binary heap. Moving a deadline later costs one
 * comparison: the item stays where it is and whoever takes it puts it back. So a thousand
 * acknowledgements that each push a retransmission timer back cost one look, and idle items none.
 */
export class TimerQueue<T extends Timed> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest moment at which something may be due; `Infinity` when nothing is queued. */
  get nextAt(): Millis {
    return this.#heap[0]?.queuedAt ?? Number.POSITIVE_INFINITY;
  }

  /** Asks for a look at `item` not later than `at`. */
  schedule(item: T, at: Millis): void {
    if (at >= item.queuedAt) return;
    if (item.heapIndex === -1) {
      item.heapIndex = this.#heap.length;
      this.#heap.push(item);
    }
    item.queuedAt = at;
    this.#rise(item);
  }

  /** The earliest item whose look is due, taken out; undefined when there is none. */
  takeDue(now: Millis): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.queuedAt > now) return undefined;
    this.remove(first);
    return first;
  }

  /** Takes `item` out; nothing happens when it is not queued. */
  remove(item: T): void {
    const index = item.heapIndex;
    if (index === -1) return;
    const last = this.#heap.pop();
    item.heapIndex = -1;
    item.queuedAt = Number.POSITIVE_INFINITY;
    if (last === undefined || last === item) return;
    last.heapIndex = index;
    this.#heap[index] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: T): void {
    const heap = this.#heap;
    let index = item.heapIndex;
    while (index > 0) {
      const parentIndex = (index - 1) >>> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.queuedAt <= item.queuedAt) break;
      heap[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    heap[index] = item;
    item.heapIndex = index;
  }

  #sink(item: T): void {
    const heap = this.#heap;
    let index = item.heapIndex;
    for (;;) {
      const child = this.#earlierChild(index);
      if (child === undefined || child.queuedAt >= item.queuedAt) break;
      const childIndex = child.heapIndex;
      heap[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    heap[index] = item;
    item.heapIndex = index;
  }

  #earlierChild(index: number): T | undefined {
    const left = this.#heap[2 * index + 1];
    const right = this.#heap[2 * index + 2];
    return right !== undefined && left !== undefined && right.queuedAt < left.queuedAt
      ? right
      : left;
  }
}
