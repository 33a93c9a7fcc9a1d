import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { serialAdd, serialDiff } from '../../../src/core/serial.ts';
import { HeaderOptions } from '../../../src/netstack/tcp/header-options.ts';
import { Reassembly } from '../../../src/netstack/tcp/reassembly.ts';
import { ReceiveQueue } from '../../../src/netstack/tcp/receive-queue.ts';
import { SackReport } from '../../../src/netstack/tcp/sack-report.ts';

const START = 0xffff_ff80;
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** A report with what it reports of; positions are distances from a number near the wrap. */
class Reporter {
  readonly held = new Reassembly();
  readonly report = new SackReport();
  readonly options = new HeaderOptions();

  arrive(from: number, to: number): void {
    this.held.insert(serialAdd(START, from), Buffer.alloc(to - from), NO_LIMIT);
    this.report.note(serialAdd(START, from));
  }

  repeat(from: number, to: number): void {
    this.report.noteDuplicate(serialAdd(START, from), serialAdd(START, to));
  }

  /** The blocks beside an acknowledgement of `acknowledged`, as `from-to`. */
  blocks(room = 3, acknowledged = 0): string {
    this.report.write(this.options, serialAdd(START, acknowledged), this.held, room);
    const texts: string[] = [];
    for (let block = 0; block < this.options.sackBlocks; block += 1) {
      const [from = 0, to = 0] = this.options.sackEdges.subarray(2 * block);
      texts.push(`${serialDiff(from, START)}-${serialDiff(to, START)}`);
    }
    return texts.join(' ');
  }
}

describe('SackReport', () => {
  test('the range of the newest arrival first, then those reported last', () => {
    const reporter = new Reporter();
    reporter.arrive(100, 110);
    expect(reporter.blocks()).toBe('100-110');
    reporter.arrive(200, 210);
    expect(reporter.blocks()).toBe('200-210 100-110');
    reporter.arrive(300, 310);
    expect(reporter.blocks()).toBe('300-310 200-210 100-110');
    reporter.arrive(400, 410);
    expect(reporter.blocks()).toBe('400-410 300-310 200-210');
    expect(reporter.blocks(4)).toBe('400-410 300-310 200-210 100-110');
    reporter.arrive(210, 220);
    expect(reporter.blocks()).toBe('200-220 400-410 300-310');
  });

  test('every arrival of a burst is in the first reports after it', () => {
    const reporter = new Reporter();
    for (let at = 1; at <= 8; at += 1) reporter.arrive(at * 100, at * 100 + 10);
    expect(reporter.blocks()).toBe('300-310 200-210 100-110');
    expect(reporter.blocks()).toBe('600-610 500-510 400-410');
    expect(reporter.blocks()).toBe('800-810 700-710 600-610');
  });

  test('what was missing between two ranges makes one of them', () => {
    const reporter = new Reporter();
    reporter.arrive(100, 110);
    reporter.arrive(120, 130);
    reporter.blocks();
    reporter.arrive(110, 120);
    expect(reporter.blocks()).toBe('100-130');
  });

  test('what was delivered is not reported any more', () => {
    const reporter = new Reporter();
    reporter.arrive(100, 110);
    reporter.arrive(200, 210);
    reporter.blocks();
    reporter.held.release(serialAdd(START, 100), new ReceiveQueue());
    expect(reporter.blocks(3, 110)).toBe('200-210');
  });

  test('ranges that were forgotten fill what room is left, from the top', () => {
    const reporter = new Reporter();
    for (const at of [100, 200, 300, 400, 500, 600]) {
      reporter.arrive(at, at + 10);
      reporter.blocks(1);
    }
    reporter.arrive(605, 620);
    expect(reporter.blocks(4)).toBe('600-620 500-510 400-410 300-310');
    for (const at of [510, 410, 310]) reporter.arrive(at, at + 90);
    expect(reporter.blocks(4)).toBe('300-620 200-210 100-110');
  });

  test.each([
    { name: 'below the acknowledgement', from: 10, to: 20, blocks: '10-20 100-110' },
    { name: 'inside a range: that follows', from: 103, to: 105, blocks: '103-105 100-110' },
    { name: 'not below, nor in a range: not yet', from: 50, to: 70, blocks: '100-110' },
  ])('what came twice is first, and reported once: $name', ({ from, to, blocks }) => {
    const reporter = new Reporter();
    reporter.arrive(100, 110);
    reporter.repeat(from, to);
    expect(reporter.blocks(3, 60)).toBe(blocks);
    expect(reporter.blocks(3, 60)).toBe('100-110');
  });

  test('what came twice is reported without anything else, too', () => {
    const reporter = new Reporter();
    expect(reporter.report.hasDuplicate).toBe(false);
    reporter.repeat(10, 20);
    expect(reporter.report.hasDuplicate).toBe(true);
    expect(reporter.blocks(0, 60)).toBe('');
    expect(reporter.blocks(1, 60)).toBe('10-20');
    expect(reporter.report.hasDuplicate).toBe(false);
  });

  test('neighbours that came twice are one block; only so many others are kept', () => {
    const reporter = new Reporter();
    reporter.repeat(10, 20);
    reporter.repeat(20, 30);
    for (let at = 100; at < 1000; at += 100) reporter.repeat(at, at + 10);
    const reports = [0, 1, 2, 3, 4].map(() => reporter.blocks(3, 2000));
    expect(reports).toEqual(['10-30', '100-110', '200-210', '300-310', '']);
  });

  test('a flood of arrivals that nobody could report holds no more than the last', () => {
    const reporter = new Reporter();
    for (let at = 0; at < 1000; at += 1) reporter.report.note(serialAdd(START, 5));
    reporter.arrive(100, 110);
    for (let at = 0; at < 30; at += 1) reporter.blocks();
    expect(reporter.blocks()).toBe('100-110');
  });

  test('forgets everything', () => {
    const reporter = new Reporter();
    reporter.arrive(100, 110);
    reporter.repeat(10, 20);
    reporter.report.clear();
    reporter.held.clear();
    expect(reporter.blocks(3, 60)).toBe('');
  });

  test('says exactly what is held, no range twice, and as many as there is room for', () => {
    const step = fc.record({
      from: fc.integer({ min: 1, max: 350 }),
      length: fc.integer({ min: 1, max: 30 }),
      room: fc.nat(4),
      released: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const reporter = new Reporter();
        const there = new Array<boolean>(400).fill(false);
        let next = 0;
        for (const { from, length, room, released } of steps) {
          if (from > next) {
            reporter.arrive(from, from + length);
            there.fill(true, from, from + length);
          }
          if (released) {
            there[next] = true;
            reporter.held.release(serialAdd(START, next + 1), new ReceiveQueue());
            next = there.indexOf(false);
            there.fill(false, 0, next);
            there.fill(true, 0, next);
          }
          const said = reporter
            .blocks(room, next)
            .split(' ')
            .filter((text) => text !== '');
          expect(new Set(said).size).toBe(said.length);
          expect(said).toHaveLength(Math.min(room, reporter.held.ranges));
          for (const text of said) {
            const [start = 0, end = 0] = text.split('-').map(Number);
            expect(there.slice(start, end).every(Boolean)).toBe(true);
            expect([there[start - 1], there[end]]).toEqual([false, false]);
            expect(start).toBeGreaterThan(next);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
