/**
 * A bounded ring between one writer and one reader. Workers use the synchronous half (`push`,
 * `take`, `full`); the outer ends (a stream, a hook, a test) may await `send` and `receive`.
 *
 *     push ─▶ [ head … tail ] ─▶ take          slots: a power of two is kept, `slots` is the limit
 */
export class Channel<T> {
  /** `<from>To<to>`, as in `stack.ts`, traces and the diagram. */
  readonly name: string;
  /** How many items fit. */
  readonly slots: number;
  readonly #ring: (T | undefined)[];
  readonly #mask: number;
  #head = 0;
  #size = 0;
  #closed = false;
  #failure: Error | undefined;
  #onItem: () => void;
  #onRoom: () => void = nothing;
  readonly #receivers: (() => void)[] = [];
  readonly #senders: (() => void)[] = [];

  /** @param onItem called when an item enters an empty channel: arms the reader's pump. */
  constructor(name: string, slots: number, onItem: () => void = nothing) {
    let capacity = 1;
    while (capacity < slots) capacity *= 2;
    this.name = name;
    this.slots = slots;
    this.#ring = new Array<T | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
    this.#onItem = onItem;
  }

  get size(): number {
    return this.#size;
  }

  get full(): boolean {
    return this.#size >= this.slots;
  }

  get empty(): boolean {
    return this.#size === 0;
  }

  /** No item will be accepted any more; what is inside may still be taken. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Names who is woken when the empty channel gets its first item. */
  set onItem(wake: () => void) {
    this.#onItem = wake;
  }

  /** Names who is woken when the full channel gets its first free slot. */
  set onRoom(wake: () => void) {
    this.#onRoom = wake;
  }

  /** Places `item`; false, and nothing placed, when the channel is full or closed. */
  push(item: T): boolean {
    if (this.#closed || this.#size >= this.slots) return false;
    this.#ring[(this.#head + this.#size) & this.#mask] = item;
    this.#size += 1;
    if (this.#size === 1) this.#onItem();
    if (this.#receivers.length > 0) this.#receivers.shift()?.();
    return true;
  }

  /** The oldest item, or undefined when there is none. */
  take(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & this.#mask;
    this.#size -= 1;
    if (this.#size === this.slots - 1) this.#onRoom();
    if (this.#senders.length > 0) this.#senders.shift()?.();
    return item;
  }

  /** Places `item` as soon as there is room. Rejects when the channel is closed or failed. */
  async send(item: T, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    while (!this.push(item)) {
      if (this.#closed) throw this.#failure ?? new Error(`channel ${this.name} is closed`);
      await this.#wait(this.#senders, signal);
    }
  }

  /** The next item; undefined when the channel is closed and drained. Rejects when it failed. */
  async receive({ signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> {
    for (;;) {
      const item = this.take();
      if (item !== undefined) return item;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#closed) return undefined;
      await this.#wait(this.#receivers, signal);
    }
  }

  /** Closes for writing and wakes everyone who waits. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const wake of this.#receivers.splice(0)) wake();
    for (const wake of this.#senders.splice(0)) wake();
    this.#onItem();
  }

  /** Closes, drops what is inside, and makes waiting and later calls reject with `error`. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#ring.fill(undefined);
    this.#size = 0;
    this.close();
  }

  #wait(queue: (() => void)[], signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const wake = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = () => {
        queue.splice(queue.indexOf(wake), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      queue.push(wake);
    });
  }
}

const nothing = (): void => {};
