import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ControlReplay } from '../../src/packetmuxer/control-replay.ts';

const T = 1_800_000_000;

describe('ControlReplay', () => {
  test.each([
    { name: 'the first packet', seen: [], next: [T, 1], accepted: true },
    { name: 'id 0', seen: [], next: [T, 0], accepted: false },
    { name: 'a repeated id', seen: [[T, 1]], next: [T, 1], accepted: false },
    { name: 'the next id', seen: [[T, 1]], next: [T, 2], accepted: true },
    { name: 'a gap', seen: [[T, 1]], next: [T, 1000], accepted: true },
    {
      name: 'late but in the window',
      seen: [
        [T, 1],
        [T, 70],
      ],
      next: [T, 7],
      accepted: true,
    },
    {
      name: 'one behind the edge',
      seen: [
        [T, 1],
        [T, 70],
      ],
      next: [T, 6],
      accepted: false,
    },
    { name: '50 back', seen: [[T, 100]], next: [T, 50], accepted: true },
    { name: '70 back', seen: [[T, 100]], next: [T, 30], accepted: false },
    {
      name: 'late and seen',
      seen: [
        [T, 3],
        [T, 5],
      ],
      next: [T, 3],
      accepted: false,
    },
    {
      name: 'the one before the highest, again',
      seen: [
        [T, 5],
        [T, 6],
      ],
      next: [T, 5],
      accepted: false,
    },
    {
      name: 'late, where an id was noted that has left the window',
      seen: [
        [T, 1],
        [T, 66],
      ],
      next: [T, 65],
      accepted: true,
    },
    { name: 'an older time', seen: [[T, 1]], next: [T - 1, 2], accepted: false },
    { name: 'a newer time, same id', seen: [[T, 5]], next: [T + 1, 5], accepted: true },
    { name: 'a newer time, lower id', seen: [[T, 5]], next: [T + 1, 1], accepted: true },
    {
      name: 'the old time after a new',
      seen: [
        [T, 5],
        [T + 1, 1],
      ],
      next: [T, 6],
      accepted: false,
    },
    { name: 'id 0 with a newer time', seen: [[T, 5]], next: [T + 1, 0], accepted: false },
    { name: 'the highest id', seen: [[T, 1]], next: [T, 0xffff_ffff], accepted: true },
    { name: 'any time, our clock aside', seen: [], next: [0, 1], accepted: true },
  ])('$name', ({ seen, next: [netTime = 0, packetId = 0], accepted }) => {
    const replay = new ControlReplay();
    for (const [time = 0, id = 0] of seen) expect(replay.accept(time, id, T)).toBe(true);
    expect(replay.accept(netTime, packetId, T)).toBe(accepted);
  });

  test('a late id is refused once a later one came more than 15 seconds ago', () => {
    const replay = new ControlReplay();
    replay.accept(T, 1, T);
    replay.accept(T, 10, T);
    replay.accept(T, 20, T + 10);
    expect(replay.accept(T, 5, T + 15)).toBe(true);
    expect(replay.accept(T, 6, T + 16)).toBe(false);
    expect(replay.accept(T, 15, T + 16)).toBe(true);
    expect(replay.accept(T, 16, T + 26)).toBe(false);
    expect(replay.accept(T, 21, T + 100)).toBe(true);
  });

  test('id 0 with a newer time does not move the window', () => {
    const replay = new ControlReplay();
    replay.accept(T, 5, T);
    replay.accept(T + 1, 0, T);
    expect(replay.accept(T, 6, T)).toBe(true);
  });

  test('a window of no packets takes rising ids only', () => {
    const replay = new ControlReplay({ packets: 0, ms: 15_000 });
    expect(replay.accept(T, 2, T)).toBe(true);
    expect(replay.accept(T, 2, T)).toBe(false);
    expect(replay.accept(T, 1, T)).toBe(false);
    expect(replay.accept(T, 3, T)).toBe(true);
  });

  test('accepts what a set of seen ids would', () => {
    const step = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (ids) => {
        const replay = new ControlReplay();
        const seen = new Set<number>();
        let highest = 0;
        for (const id of ids) {
          const fresh = !seen.has(id) && id > highest - 64;
          expect(replay.accept(T, id, T)).toBe(fresh);
          if (fresh) seen.add(id);
          highest = Math.max(highest, id);
        }
      }),
    );
  });
});
