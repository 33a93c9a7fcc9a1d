import { describe, expect, test } from 'vitest';
import { type PacketSource, QUANTUM_BYTES, RoundRobin } from '../../src/netstack/round-robin.ts';

class Source implements PacketSource {
  nextInTurn: PacketSource | undefined;
  inTurn = false;
  asked = 0;
  readonly #size: number;
  #left: number;

  constructor(size: number, count: number) {
    this.#size = size;
    this.#left = count;
  }

  takeDown(): Buffer | undefined {
    this.asked += 1;
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return Buffer.alloc(this.#size);
  }
}

describe('RoundRobin', () => {
  test('a bulk source lets a small one in after one quantum', () => {
    const senders = new RoundRobin();
    senders.wake(new Source(1500, 1000));
    senders.wake(new Source(40, 1));
    const sizes = Array.from({ length: 6 }, () => senders.take(0)?.length);
    expect(sizes).toEqual([1500, 1500, 1500, 1500, 40, 1500]);
    expect(QUANTUM_BYTES).toBe(6000);
  });

  test('shares the bytes between many bulk sources', () => {
    const senders = new RoundRobin();
    const sources = Array.from({ length: 10 }, () => new Source(1500, 1000));
    for (const source of sources) senders.wake(source);
    for (let taken = 0; taken < 400; taken += 1) senders.take(0);
    expect(sources.map((source) => source.asked)).toEqual(Array(10).fill(40));
  });

  test('a source with nothing leaves the turn until it wakes', () => {
    const senders = new RoundRobin();
    const source = new Source(100, 0);
    senders.wake(source);
    expect(senders.take(0)).toBeUndefined();
    expect(senders.take(0)).toBeUndefined();
    expect(source.asked).toBe(1);
    expect(senders.idle).toBe(true);
    senders.wake(source);
    senders.take(0);
    expect(source.asked).toBe(2);
  });

  test('waking twice gives one turn, and clear empties it', () => {
    const senders = new RoundRobin();
    const source = new Source(7000, 3);
    senders.wake(source);
    senders.wake(source);
    expect(senders.take(0)?.length).toBe(7000);
    senders.clear();
    expect(senders.take(0)).toBeUndefined();
    expect(source.inTurn).toBe(false);
  });
});
