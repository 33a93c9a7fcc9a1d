import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { MAX_SACKED_RANGES, Scoreboard } from '../../../src/netstack/tcp/scoreboard.ts';

const START = 0xffff_ff80;

type Block = readonly [left: number, right: number];

/** Adds a block to the end; what of it was new, as distances. */
function add(scoreboard: Scoreboard, [left, right]: Block): Block[] {
  const parts: Block[] = [];
  while (scoreboard.add(serialAdd(START, left), serialAdd(START, right))) {
    parts.push([distance(scoreboard.newLeft), distance(scoreboard.newRight)]);
  }
  return parts;
}

function distance(sequence: number): number {
  return (sequence - START) | 0;
}

describe('Scoreboard', () => {
  test.each<{ name: string; held: Block[]; block: Block; news: Block[]; ranges: number }>([
    { name: 'the first', held: [], block: [10, 20], news: [[10, 20]], ranges: 1 },
    { name: 'a repetition', held: [[10, 20]], block: [10, 20], news: [], ranges: 1 },
    { name: 'a part', held: [[10, 20]], block: [12, 18], news: [], ranges: 1 },
    { name: 'more above', held: [[10, 20]], block: [10, 30], news: [[20, 30]], ranges: 1 },
    { name: 'what follows', held: [[10, 20]], block: [20, 30], news: [[20, 30]], ranges: 1 },
    { name: 'more below', held: [[10, 20]], block: [5, 20], news: [[5, 10]], ranges: 1 },
    { name: 'what precedes', held: [[10, 20]], block: [5, 10], news: [[5, 10]], ranges: 1 },
    {
      name: 'both sides',
      held: [[10, 20]],
      block: [5, 30],
      news: [
        [5, 10],
        [20, 30],
      ],
      ranges: 1,
    },
    { name: 'apart', held: [[10, 20]], block: [30, 40], news: [[30, 40]], ranges: 2 },
    {
      name: 'the gap between two',
      held: [
        [10, 20],
        [30, 40],
      ],
      block: [20, 30],
      news: [[20, 30]],
      ranges: 1,
    },
    {
      name: 'across three',
      held: [
        [10, 20],
        [30, 40],
        [50, 60],
      ],
      block: [15, 70],
      news: [
        [20, 30],
        [40, 50],
        [60, 70],
      ],
      ranges: 1,
    },
  ])('finds what is new: $name', ({ held, block, news, ranges }) => {
    const scoreboard = new Scoreboard();
    for (const earlier of held) add(scoreboard, earlier);
    expect(add(scoreboard, block)).toEqual(news);
    expect(scoreboard.size).toBe(ranges);
  });

  test('tells the whole range that a new part belongs to', () => {
    const scoreboard = new Scoreboard();
    add(scoreboard, [10, 20]);
    add(scoreboard, [30, 40]);
    scoreboard.add(serialAdd(START, 20), serialAdd(START, 30));
    expect(distance(scoreboard.rangeLeft)).toBe(10);
    expect(distance(scoreboard.rangeRight)).toBe(40);
  });

  test('remembers no more ranges than the limit, the larger ones', () => {
    const scoreboard = new Scoreboard();
    add(scoreboard, [0, 2]);
    for (let index = 1; index < 10 * MAX_SACKED_RANGES; index += 1) {
      add(scoreboard, [10 * index, 10 * index + 3]);
    }
    expect(scoreboard.size).toBe(MAX_SACKED_RANGES);
    expect(add(scoreboard, [0, 2])).toEqual([[0, 2]]);
  });

  test('equals a set of numbers, whatever is added and released', () => {
    const block = fc.record({ at: fc.nat(300), length: fc.integer({ min: 1, max: 60 }) });
    const command = fc.record({ block, release: fc.boolean() });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const scoreboard = new Scoreboard();
        const held = new Set<number>();
        let una = 0;
        for (const { block: added, release } of commands) {
          if (release) {
            una = Math.max(una, Math.min(added.at, una + added.length));
            scoreboard.release(serialAdd(START, una));
            for (const number of held) if (number < una) held.delete(number);
            continue;
          }
          const left = una + 1 + added.at;
          const news: number[] = [];
          for (let number = left; number < left + added.length; number += 1) {
            if (!held.has(number)) news.push(number);
            held.add(number);
          }
          const parts = add(scoreboard, [left, left + added.length]);
          expect(parts.flatMap(([from, to]) => range(from, to))).toEqual(news);
        }
      }),
    );
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
