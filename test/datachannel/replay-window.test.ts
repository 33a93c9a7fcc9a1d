import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplayWindow } from '../../src/datachannel/replay-window.ts';

const DEFAULT = { packets: 64, ms: 15_000 };

describe('ReplayWindow', () => {
  test.each([
    { name: 'zero                       ', seen: [], id: 0, accepted: false },
    { name: 'the first                  ', seen: [], id: 1, accepted: true },
    { name: 'the first, far ahead       ', seen: [], id: 4_000_000_000, accepted: true },
    { name: 'a duplicate                ', seen: [1, 2], id: 2, accepted: false },
    { name: 'an older duplicate         ', seen: [1, 2, 3], id: 1, accepted: false },
    { name: 'late but in the window     ', seen: [1, 70], id: 7, accepted: true },
    { name: 'one behind the edge        ', seen: [1, 70], id: 6, accepted: false },
    { name: 'in the word before         ', seen: [31, 32, 33], id: 30, accepted: true },
    { name: 'skipped by a jump          ', seen: [1, 1000], id: 999, accepted: true },
    { name: 'same slot, one turn later  ', seen: [5, 133], id: 132, accepted: true },
    { name: 'far behind                 ', seen: [4_000_000_000], id: 1, accepted: false },
    { name: 'the last of all            ', seen: [0xffff_fffe], id: 0xffff_ffff, accepted: true },
    { name: 'the last of all, twice     ', seen: [0xffff_ffff], id: 0xffff_ffff, accepted: false },
    { name: 'below the last of all      ', seen: [0xffff_ffff], id: 0xffff_ffc0, accepted: true },
    { name: 'over the edge of 32 bits   ', seen: [0xffff_ffff], id: 2 ** 32, accepted: true },
    { name: 'back over the edge         ', seen: [2 ** 32 + 5], id: 0xffff_fffe, accepted: true },
    {
      name: 'over the edge, twice       ',
      seen: [0xffff_ffff, 2 ** 32],
      id: 2 ** 32,
      accepted: false,
    },
    { name: 'the same lower 32 bits     ', seen: [5], id: 2 ** 32 + 5, accepted: true },
    { name: 'and the way back           ', seen: [2 ** 32 + 5], id: 5, accepted: false },
    {
      name: 'skipped by a jump of 2³²   ',
      seen: [5, 6, 2 ** 32 + 7],
      id: 2 ** 32 + 6,
      accepted: true,
    },
    { name: 'the last of 48 bits        ', seen: [1], id: 2 ** 48 - 1, accepted: true },
    { name: 'the last of 48 bits, twice ', seen: [2 ** 48 - 1], id: 2 ** 48 - 1, accepted: false },
    { name: 'below its window           ', seen: [0xffff_ffff], id: 0xffff_ffbf, accepted: false },
  ])('$name', ({ seen, id, accepted }) => {
    const window = new ReplayWindow(DEFAULT);
    for (const earlier of seen) window.accept(earlier, 0);
    expect(window.accept(id, 0)).toBe(accepted);
  });

  test.each([
    { name: 'in time                                ', higherAt: 0, at: 15_000, accepted: true },
    { name: 'after the bound                        ', higherAt: 0, at: 15_001, accepted: false },
    { name: 'counted from the higher id, not the newest', higherAt: 9, at: 15_009, accepted: true },
  ])('a missing id $name', ({ higherAt, at, accepted }) => {
    const window = new ReplayWindow(DEFAULT);
    window.accept(1, 0);
    window.accept(3, higherAt);
    window.accept(4, at);
    expect(window.accept(2, at)).toBe(accepted);
  });

  test('an id above the old ones is accepted however old they are', () => {
    const window = new ReplayWindow(DEFAULT);
    window.accept(1, 0);
    window.accept(4, 60_000);
    expect(window.accept(3, 60_000)).toBe(true);
  });

  test('times of an earlier turn of the ring do not count', () => {
    const window = new ReplayWindow(DEFAULT);
    for (let id = 1; id <= 128; id += 1) window.accept(id, 0);
    window.accept(250, 60_000);
    expect(window.accept(240, 60_000)).toBe(true);
  });

  test.each([64, 128, 1000])('what a jump skipped is new, in a window of %i', (packets) => {
    const last = 4096;
    for (const jump of [2, 31, 32, 33, 63, 65, 128, 129, 200, 500, 999, 1025, 2017, 3000]) {
      const window = new ReplayWindow({ packets, ms: 0 });
      for (let id = 1; id <= last; id += 1) window.accept(id, 0);
      const highest = last + jump;
      window.accept(highest, 0);
      const skipped = Array.from(
        { length: Math.min(jump, packets) - 1 },
        (_, at) => highest - 1 - at,
      );
      expect(skipped.filter((id) => !window.accept(id, 0))).toEqual([]);
    }
  });

  test('without a time bound nothing is too old', () => {
    const window = new ReplayWindow({ packets: 64, ms: 0 });
    window.accept(2, 0);
    expect(window.accept(1, 1e9)).toBe(true);
  });

  test('a window of 0 takes rising ids only', () => {
    const window = new ReplayWindow({ packets: 0, ms: 0 });
    expect([1, 3, 2, 3, 4].map((id) => window.accept(id, 0))).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
  });

  test('reports the highest id', () => {
    const window = new ReplayWindow(DEFAULT);
    expect(window.highest).toBe(0);
    for (const id of [5, 3, 9, 9]) window.accept(id, 0);
    expect(window.highest).toBe(9);
  });

  test('equals a set of seen ids with their times', () => {
    const step = fc.record({
      back: fc.integer({ min: -90, max: 90 }),
      jump: fc.constantFrom(0, 0, 0, 0, 31, 32, 127, 128, 129, 200, 100_000, 2 ** 32, 2 ** 32 - 1),
      wait: fc.constantFrom(0, 0, 1, 400, 900, 3000),
    });
    const packets = fc.constantFrom(1, 8, 31, 32, 33, 64, 65, 128, 1000);
    const start = fc.constantFrom(1, 100, 0x7fff_ffc0, 0xffff_ff80, 2 ** 40 - 100);
    fc.assert(
      fc.property(packets, start, fc.array(step, { maxLength: 300 }), (size, first, steps) => {
        const window = new ReplayWindow({ packets: size, ms: 2000 });
        const model = new SetModel(size, 2000);
        let now = 0;
        for (const { back, jump, wait } of steps) {
          now += wait;
          const id = Math.max(0, Math.max(model.highest, first) + jump - back);
          if (window.accept(id, now) !== model.accept(id, now)) return false;
        }
        return true;
      }),
      { numRuns: 500 },
    );
  });
});

/** The rule in its plainest form. */
class SetModel {
  readonly #seenAt = new Map<number, number>();
  readonly #packets: number;
  readonly #ms: number;
  highest = 0;

  constructor(packets: number, ms: number) {
    this.#packets = packets;
    this.#ms = ms;
  }

  accept(id: number, now: number): boolean {
    if (id === 0 || this.#seenAt.has(id)) return false;
    if (id < this.highest) {
      if (this.highest - id >= this.#packets) return false;
      for (const [other, at] of this.#seenAt) {
        if (other > id && now - at > this.#ms) return false;
      }
    }
    this.#seenAt.set(id, now);
    this.highest = Math.max(this.highest, id);
    return true;
  }
}
