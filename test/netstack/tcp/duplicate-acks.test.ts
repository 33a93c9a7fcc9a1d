import { describe, expect, test } from 'vitest';
import { DuplicateAcks } from '../../../src/netstack/tcp/duplicate-acks.ts';

const START = 0xffff_ff00;
const NEXT = 0x0000_0100;

/** The answers to `times` duplicates. */
function repeat(duplicates: DuplicateAcks, times: number, segments = 10, recovering = false) {
  return Array.from({ length: times }, () => duplicates.onDuplicate(START, segments, recovering));
}

describe('DuplicateAcks', () => {
  test('the third means loss', () => {
    expect(repeat(new DuplicateAcks(START), 3)).toEqual([false, false, true]);
  });

  test('there are no more than segments that can have arrived', () => {
    const duplicates = new DuplicateAcks(START);
    expect(repeat(duplicates, 100, 3)).not.toContain(true);
    expect(duplicates.count).toBe(2);
    repeat(duplicates, 100, 10, true);
    expect(duplicates.count).toBe(9);
  });

  test('a partial acknowledgement takes away what it covers but the repaired hole', () => {
    const duplicates = new DuplicateAcks(START);
    repeat(duplicates, 7);
    duplicates.onPartialAck(START, 400, 100);
    expect(duplicates.count).toBe(4);
  });

  test('a full one forgets all', () => {
    const duplicates = new DuplicateAcks(START);
    repeat(duplicates, 2);
    duplicates.onFullAck(START);
    expect(duplicates.count).toBe(0);
  });

  test('what was in flight at a timeout makes none', () => {
    const duplicates = new DuplicateAcks(START);
    duplicates.onTimeout(NEXT);
    expect(repeat(duplicates, 9)).not.toContain(true);
    duplicates.onFullAck(NEXT + 1);
    const after = [1, 2, 3].map(() => duplicates.onDuplicate(NEXT + 1, 10, false));
    expect(after).toEqual([false, false, true]);
  });
});
