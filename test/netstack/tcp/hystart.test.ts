import { describe, expect, test } from 'vitest';
import { HyStart } from '../../../src/netstack/tcp/hystart.ts';
import { ackRound } from './ack-round.ts';
import { sendThrough } from './bottleneck.ts';

const MSS = 1000;
const LIMIT = 8 * MSS;

/** Rounds of acknowledgements, each of `segments`. */
class Rounds {
  readonly hystart = new HyStart();
  #sndUna: number;

  constructor(sndUna = 0) {
    this.#sndUna = sndUna;
  }

  /** A round trip for each acknowledgement of one round; gives what the last one opened. */
  pass(roundTrips: readonly number[], segments = 2): number {
    const sndNxt = (this.#sndUna + roundTrips.length * segments * MSS) >>> 0;
    let opened = 0;
    for (const roundTripMs of roundTrips) {
      this.#sndUna = (this.#sndUna + segments * MSS) >>> 0;
      const round = ackRound({ roundTripMs, sndUna: this.#sndUna, sndNxt });
      opened = this.hystart.growth(segments * MSS, round, MSS, LIMIT);
    }
    return opened;
  }
}

const eight = (roundTripMs: number) => new Array<number>(8).fill(roundTripMs);

/** Rounds that have entered the conservative phase at `roundTripMs`. */
function conservative(roundTripMs: number): Rounds {
  const rounds = new Rounds();
  rounds.pass(eight(50));
  rounds.pass(eight(roundTripMs));
  return rounds;
}

describe('HyStart', () => {
  test.each([
    { name: '4 ms, of a short round trip', before: 10, after: 14, slow: true },
    { name: 'less than 4 ms', before: 10, after: 13.9, slow: false },
    { name: 'an eighth, of a longer one', before: 80, after: 90, slow: true },
    { name: 'less than an eighth', before: 80, after: 89.9, slow: false },
    { name: '16 ms, of a long one', before: 400, after: 416, slow: true },
    { name: 'less than 16 ms', before: 400, after: 415.9, slow: false },
    { name: 'nothing: it fell', before: 80, after: 20, slow: false },
  ])('the round trip grew by $name: $slow', ({ before, after, slow }) => {
    const rounds = new Rounds();
    rounds.pass(eight(before));
    expect(rounds.pass(eight(after))).toBe(slow ? 500 : 2 * MSS);
    expect(rounds.hystart.conservative).toBe(slow);
  });

  test('looks at the shortest round trip of a round', () => {
    const rounds = new Rounds();
    rounds.pass([90, 90, 50, 90, 90, 90, 90, 90]);
    rounds.pass([51, 90, 90, 90, 90, 90, 90, 90]);
    expect(rounds.hystart.conservative).toBe(false);
  });

  test('compares with the round before, not with the first', () => {
    const rounds = new Rounds();
    for (const roundTripMs of [50, 55, 60, 65, 70]) rounds.pass(eight(roundTripMs));
    expect(rounds.hystart.conservative).toBe(false);
  });

  test.each([
    { name: 'seven of two segments', count: 7, segments: 2, slow: false },
    { name: 'eight of two segments', count: 8, segments: 2, slow: true },
    { name: 'eight of one segment', count: 8, segments: 1, slow: true },
    { name: 'seven of one segment', count: 7, segments: 1, slow: false },
    { name: 'two of eight segments', count: 2, segments: 8, slow: true },
    { name: 'two of seven segments', count: 2, segments: 7, slow: false },
    { name: 'one of any number of segments', count: 1, segments: 99, slow: false },
  ])('$name are enough: $slow', ({ count, segments, slow }) => {
    const rounds = new Rounds();
    rounds.pass(eight(50));
    rounds.pass(new Array<number>(count).fill(90), segments);
    expect(rounds.hystart.conservative).toBe(slow);
  });

  test('a small round is the base of the next all the same', () => {
    const rounds = new Rounds();
    rounds.pass([50]);
    rounds.pass(eight(90));
    expect(rounds.hystart.conservative).toBe(true);
  });

  test('a round without samples leaves the base as it was', () => {
    const rounds = new Rounds();
    rounds.pass(eight(50));
    rounds.pass([-1, -1, -1]);
    rounds.pass(eight(90));
    expect(rounds.hystart.conservative).toBe(true);
  });

  test('a sample of 0 is one, -1 is none', () => {
    const rounds = new Rounds();
    rounds.pass(eight(0));
    rounds.pass([...new Array<number>(30).fill(-1), ...eight(4)]);
    expect(rounds.hystart.conservative).toBe(true);
  });

  test('the first round has nothing to compare with', () => {
    const rounds = new Rounds();
    rounds.pass(eight(500));
    expect(rounds.hystart.conservative).toBe(false);
  });

  test('counts rounds across the wrap of sequence numbers', () => {
    const rounds = new Rounds(0xffff_e000);
    rounds.pass(eight(50));
    rounds.pass(eight(90));
    expect(rounds.hystart.conservative).toBe(true);
  });

  test.each([
    { bytes: 4_000, fast: 4_000, slow: 1_000 },
    { bytes: 100_000, fast: LIMIT, slow: LIMIT / 4 },
  ])('opens by $fast for $bytes, by $slow in the conservative phase', ({ bytes, fast, slow }) => {
    const none = ackRound({ sndUna: 0, sndNxt: 0 });
    expect(new HyStart().growth(bytes, none, MSS, LIMIT)).toBe(fast);
    expect(conservative(90).hystart.growth(bytes, none, MSS, LIMIT)).toBe(slow);
  });

  test('is finished after five conservative rounds, that of the beginning included', () => {
    const rounds = conservative(90);
    const finished = [1, 2, 3, 4, 5].map(() => {
      rounds.pass(eight(90));
      return rounds.hystart.finished;
    });
    expect(finished).toEqual([false, false, false, false, true]);
  });

  test('goes back to slow start when the round trip falls again', () => {
    const rounds = conservative(90);
    expect(rounds.pass(eight(89))).toBe(2 * MSS);
    expect(rounds.hystart.conservative).toBe(false);
  });

  test('stays conservative while the round trip stays', () => {
    const rounds = conservative(90);
    expect(rounds.pass(eight(90))).toBe(500);
  });

  test('one short round trip of few is no reason to go back', () => {
    const rounds = conservative(90);
    rounds.pass([60, 60]);
    expect(rounds.hystart.conservative).toBe(true);
  });

  test('counts five rounds anew after going back', () => {
    const rounds = conservative(90);
    for (let count = 0; count < 3; count += 1) rounds.pass(eight(90));
    rounds.pass(eight(60));
    rounds.pass(eight(90));
    for (let count = 0; count < 4; count += 1) rounds.pass(eight(90));
    expect(rounds.hystart).toMatchObject({ conservative: true, finished: false });
    rounds.pass(eight(90));
    expect(rounds.hystart.finished).toBe(true);
  });

  describe('on a path with a queue of four times what the path holds', () => {
    const paths = [20, 50, 140].flatMap((roundTripMs) =>
      [1, 2, 16].map((segmentsPerAck) => ({ roundTripMs, segmentsPerAck })),
    );
    test.each(paths)(
      'leaves slow start before it overflows: $roundTripMs ms, $segmentsPerAck an ACK',
      ({ roundTripMs, segmentsPerAck }) => {
        const mss = 1400;
        const bytesPerMs = 12_500;
        const held = roundTripMs * bytesPerMs;
        const hystart = new HyStart();
        const congestion = { cwnd: 10 * mss, onAck };
        function onAck(bytes: number, round: Parameters<HyStart['growth']>[1]): void {
          congestion.cwnd += hystart.growth(bytes, round, mss, 8 * mss);
        }
        const { longestQueue } = sendThrough(
          { congestion, mss, roundTripMs, bytesPerMs, segmentsPerAck },
          () => hystart.conservative || congestion.cwnd > 20 * held,
        );
        expect(hystart.conservative).toBe(true);
        expect(longestQueue).toBeLessThan(4 * held);
        expect(congestion.cwnd).toBeGreaterThan(held);
      },
    );
  });
});
