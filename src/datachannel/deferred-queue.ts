import { toError } from '../core/errors.ts';
import { BATCH } from '../core/pump.ts';

/** One item and the answer to it. */
export class Deferred<Item, Answer> {
  readonly item: Item;
  settled = false;
  answer: Answer | undefined;
  /** Why there is no answer. */
  error: Error | undefined;

  constructor(item: Item) {
    this.item = item;
  }
}

/**
 * Items that wait for a promise each. They leave in the order in which they came, however the
 * promises settle, and each with its own answer: both lie in one object from the first moment.
 */
export class DeferredQueue<Item, Answer> {
  readonly #wake: () => void;
  #queue: Deferred<Item, Answer>[] = [];

  /** @param wake called when the oldest item has its answer */
  constructor(wake: () => void) {
    this.#wake = wake;
  }

  get empty(): boolean {
    return this.#queue.length === 0;
  }

  /** Whether {@link BATCH} items wait: then none may be added. */
  get full(): boolean {
    return this.#queue.length >= BATCH;
  }

  add(item: Item, answer: Answer | Promise<Answer>): void {
    const deferred = new Deferred<Item, Answer>(item);
    this.#queue.push(deferred);
    void this.#settle(deferred, answer);
  }

  /** The oldest item if it has its answer. */
  take(): Deferred<Item, Answer> | undefined {
    return this.#queue[0]?.settled ? this.#queue.shift() : undefined;
  }

  /** Forgets all items; answers that come later go nowhere. */
  clear(): void {
    this.#queue = [];
  }

  async #settle(deferred: Deferred<Item, Answer>, answer: Answer | Promise<Answer>): Promise<void> {
    try {
      deferred.answer = await answer;
    } catch (thrown) {
      deferred.error = toError(thrown);
    }
    deferred.settled = true;
    if (this.#queue[0] === deferred) this.#wake();
  }
}
