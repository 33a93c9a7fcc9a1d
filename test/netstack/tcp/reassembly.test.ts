import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd } from '../../../src/core/serial.ts';
import { MAX_RANGES, Reassembly } from '../../../src/netstack/tcp/reassembly.ts';
import { ReceiveQueue } from '../../../src/netstack/tcp/receive-queue.ts';

const START = 0xffff_ff80;
const STREAM = Buffer.from(Array.from({ length: 400 }, (_, at) => (at * 7) & 0xff));
const NO_LIMIT = Number.POSITIVE_INFINITY;

function insert(reassembly: Reassembly, from: number, to: number, limit = NO_LIMIT): boolean {
  return reassembly.insert(serialAdd(START, from), STREAM.subarray(from, to), limit);
}

/** All that follows `from` without a gap. */
function release(reassembly: Reassembly, from: number): Buffer {
  const queue = new ReceiveQueue();
  const reached = reassembly.release(serialAdd(START, from), queue);
  const chunks: Buffer[] = [];
  for (let chunk = queue.take(); chunk !== undefined; chunk = queue.take()) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  expect((reached - START) | 0).toBe(from + bytes.length);
  return bytes;
}

/** Counts 0, 2, 1, 3, 5, 4 …: each third byte joins what lies on both its sides. */
function interleaved(turn: number): number {
  const group = Math.floor(turn / 3) * 3;
  return group + ([0, 2, 1][turn - group] ?? 0);
}

describe('Reassembly', () => {
  test('gives what a bitmap of received bytes says, for any segments in any order', () => {
    const piece = fc.tuple(fc.nat(350), fc.integer({ min: 1, max: 50 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), fc.nat(60), (pieces, from) => {
        const reassembly = new Reassembly();
        const there = new Array<boolean>(400).fill(false);
        for (const [at, length] of pieces) {
          insert(reassembly, at + 1, at + 1 + length);
          there.fill(true, at + 1, at + 1 + length);
        }
        const gaps = there.filter((is, at) => is && there[at - 1] !== true).length;
        expect(reassembly.ranges).toBe(gaps);
        there.fill(true, 0, from);
        const end = there.indexOf(false);
        expect(release(reassembly, from)).toEqual(STREAM.subarray(from, Math.max(end, from)));
        expect(reassembly.empty).toBe(there.lastIndexOf(true) < end);
      }),
      { numRuns: 500 },
    );
  });

  test('holds so many ranges and no more; what joins them still fits', () => {
    const reassembly = new Reassembly();
    const byte = Buffer.alloc(1);
    const at = (index: number) => serialAdd(START, 2 * index);
    for (let index = 1; index <= MAX_RANGES; index += 1) {
      expect(reassembly.insert(at(index), byte, NO_LIMIT)).toBe(true);
    }
    expect(reassembly.insert(at(MAX_RANGES + 5), byte, NO_LIMIT)).toBe(false);
    expect(reassembly.insert(serialAdd(at(3), 1), byte, NO_LIMIT)).toBe(true);
    expect(reassembly.ranges).toBe(MAX_RANGES - 1);
  });

  test('holds so much memory and no more, and gives it back', () => {
    const reassembly = new Reassembly();
    let held = 0;
    while (held < 1000 && insert(reassembly, 10 + held, 11 + held, 10_000)) held += 1;
    expect(held).toBeGreaterThan(10);
    expect(held).toBeLessThan(100);
    expect(reassembly.charge).toBeLessThanOrEqual(10_000);
    release(reassembly, 10);
    expect(reassembly.charge).toBe(0);
  });

  test.each([
    { name: 'from the last to the first', place: (turn: number) => 40_000 - turn },
    { name: 'from the first to the last', place: (turn: number) => 1 + turn },
    { name: 'each gap filled at once', place: (turn: number) => 1 + interleaved(turn) },
  ])('a flood of single bytes takes time in proportion to its length: $name', ({ place }) => {
    const reassembly = new Reassembly();
    const byte = Buffer.alloc(1);
    const began = performance.now();
    for (let turn = 0; turn < 40_000; turn += 1) {
      reassembly.insert(serialAdd(START, place(turn)), byte, 16 * 1024 * 1024);
    }
    // In the square of its length it would be fifteen seconds.
    expect(performance.now() - began).toBeLessThan(2000);
    expect(release(reassembly, 1)).toHaveLength(40_000);
  });

  test('forgets everything', () => {
    const reassembly = new Reassembly();
    insert(reassembly, 10, 20);
    reassembly.clear();
    expect([reassembly.empty, reassembly.charge]).toEqual([true, 0]);
  });
});
