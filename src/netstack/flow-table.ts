import type { FlowKey } from './flow-key.ts';

/** What a {@link FlowTable} holds. */
export interface Keyed<T> {
  readonly key: FlowKey;
  /** Another with the same hash; belongs to the table. */
  nextInBucket: T | undefined;
}

/**
 * Tuple → flow, by a hash of integers. A burst mostly belongs to one flow, so the last one found
 * is asked first.
 */
export class FlowTable<T extends Keyed<T>> {
  readonly #seed: number;
  readonly #buckets = new Map<number, T>();
  #last: T | undefined;
  #size = 0;

  /** @param seed random, so that a peer cannot choose tuples that collide */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get size(): number {
    return this.#size;
  }

  find(key: FlowKey): T | undefined {
    if (this.#last?.key.equals(key)) return this.#last;
    let flow = this.#buckets.get(key.hash(this.#seed));
    while (flow !== undefined && !flow.key.equals(key)) flow = flow.nextInBucket;
    if (flow !== undefined) this.#last = flow;
    return flow;
  }

  /** Enters a flow whose key is not there. */
  add(flow: T): void {
    const hash = flow.key.hash(this.#seed);
    flow.nextInBucket = this.#buckets.get(hash);
    this.#buckets.set(hash, flow);
    this.#size += 1;
  }

  /** Takes a flow out; nothing happens when it is not there. */
  remove(flow: T): void {
    if (this.#last === flow) this.#last = undefined;
    const hash = flow.key.hash(this.#seed);
    const first = this.#buckets.get(hash);
    if (first === flow) {
      if (flow.nextInBucket === undefined) this.#buckets.delete(hash);
      else this.#buckets.set(hash, flow.nextInBucket);
    } else if (!unlink(first, flow)) {
      return;
    }
    flow.nextInBucket = undefined;
    this.#size -= 1;
  }

  /** All flows, as they are now. */
  all(): T[] {
    const flows: T[] = [];
    for (const first of this.#buckets.values()) {
      for (let flow: T | undefined = first; flow !== undefined; flow = flow.nextInBucket) {
        flows.push(flow);
      }
    }
    return flows;
  }
}

function unlink<T extends Keyed<T>>(first: T | undefined, flow: T): boolean {
  for (let before = first; before !== undefined; before = before.nextInBucket) {
    if (before.nextInBucket !== flow) continue;
    before.nextInBucket = flow.nextInBucket;
    return true;
  }
  return false;
}
