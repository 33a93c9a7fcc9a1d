import { describe, expect, test } from 'vitest';
import { cubic } from '../../../src/netstack/tcp/congestion-choice.ts';
import type { LossBased } from '../../../src/netstack/tcp/loss-based.ts';
import { ackRound } from './ack-round.ts';

const MSS = 1000;
const ROUND = ackRound();

/** A window that fell to `segments` and is in congestion avoidance. */
function avoiding(segments: number): LossBased {
  const congestion = cubic(MSS);
  congestion.holdTo(2 * segments * MSS);
  congestion.onLoss((segments / 0.7) * MSS);
  return congestion;
}

/** Acknowledges whole windows for `seconds`, one each 100 ms. */
function pass(congestion: LossBased, seconds: number, from = 0): void {
  for (let now = from; now <= from + seconds * 1000; now += 100) {
    congestion.onAck(congestion.cwnd, ackRound({ now, smoothedMs: 100 }));
  }
}

describe('CUBIC', () => {
  test('tells its name and begins with the initial window', () => {
    const congestion = cubic(1460);
    expect(congestion).toMatchObject({ name: 'cubic', cwnd: 14_600 });
    expect(congestion.ssthresh).toBe(Number.POSITIVE_INFINITY);
  });

  test('doubles in slow start, by eight segments an acknowledgement at most', () => {
    const congestion = cubic(MSS);
    for (let count = 0; count < 5; count += 1) congestion.onAck(2 * MSS, ROUND);
    expect(congestion.cwnd).toBe(20 * MSS);
    congestion.onAck(100 * MSS, ROUND);
    expect(congestion.cwnd).toBe(28 * MSS);
  });

  test('slow start ends exactly at ssthresh', () => {
    const congestion = avoiding(20);
    congestion.holdTo(19 * MSS);
    congestion.onAck(5 * MSS, ROUND);
    expect(congestion.cwnd).toBeCloseTo(20 * MSS, 6);
  });

  test('leaves the first slow start when the round trip stays grown', () => {
    const congestion = cubic(MSS);
    let sndUna = 0;
    for (let round = 0; round < 8; round += 1) {
      const sndNxt = sndUna + 20 * MSS;
      for (let count = 0; count < 20; count += 1) {
        sndUna += MSS;
        const roundTripMs = round < 2 ? 50 : 90;
        congestion.onAck(MSS, ackRound({ roundTripMs, sndUna, sndNxt }));
      }
    }
    expect(congestion.cwnd).toBeGreaterThanOrEqual(congestion.ssthresh);
    expect(congestion.ssthresh).toBeLessThan(100 * MSS);
  });

  test('grows flat first, then ever faster, after a slow start without loss', () => {
    const congestion = cubic(MSS);
    congestion.holdTo(10_000 * MSS);
    congestion.onLoss((10_000 / 0.7) * MSS);
    congestion.onTimeout((1000 / 0.7) * MSS);
    congestion.holdTo(1000 * MSS);
    pass(congestion, 2);
    const early = congestion.cwnd - 1000 * MSS;
    pass(congestion, 8, 2100);
    expect(early).toBeLessThan(20 * MSS);
    expect(congestion.cwnd).toBeGreaterThan(1300 * MSS);
  });

  test.each([
    {
      name: 'falls to 0.7 of what is in flight',
      cwnd: 100,
      inFlight: 100,
      after: 70,
      ssthresh: 70,
    },
    { name: 'to two segments at least', cwnd: 20, inFlight: 1, after: 2, ssthresh: 2 },
    { name: 'and never grows by it', cwnd: 5, inFlight: 100, after: 5, ssthresh: 70 },
    { name: 'nor stays below two segments', cwnd: 1, inFlight: 100, after: 2, ssthresh: 70 },
  ])('at loss it $name', ({ cwnd, inFlight, after, ssthresh }) => {
    const congestion = cubic(MSS);
    congestion.holdTo(cwnd * MSS);
    congestion.onLoss(inFlight * MSS);
    expect(congestion).toMatchObject({ cwnd: after * MSS, ssthresh: ssthresh * MSS });
  });

  test('is back at the window of the loss after K', () => {
    const congestion = cubic(MSS);
    congestion.holdTo(1000 * MSS);
    congestion.onLoss(1000 * MSS);
    congestion.onRecovered(700 * MSS);
    const k = Math.cbrt(300 / 0.4);
    pass(congestion, k / 2);
    expect(congestion.cwnd / MSS).toBeGreaterThan(950);
    expect(congestion.cwnd / MSS).toBeLessThan(975);
    pass(congestion, k / 2, 1000 * (k / 2));
    expect(congestion.cwnd / MSS).toBeGreaterThan(995);
    expect(congestion.cwnd / MSS).toBeLessThan(1001);
  });

  test('makes no burst after recovery', () => {
    const congestion = avoiding(100);
    congestion.holdTo(3 * MSS);
    congestion.onRecovered(3 * MSS);
    expect(congestion.cwnd).toBe(13 * MSS);
    congestion.onRecovered(200 * MSS);
    expect(congestion.cwnd).toBeCloseTo(100 * MSS, 6);
  });

  test('falls to one segment at a timeout, and again at the next', () => {
    const congestion = cubic(MSS);
    congestion.onTimeout(20 * MSS);
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 14 * MSS });
    congestion.onAck(10 * MSS, ackRound({ sndUna: 10, sndNxt: 20 }));
    expect(congestion.cwnd).toBe(2 * MSS);
    congestion.onRepeatedTimeout();
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 14 * MSS });
  });

  describe('when it was no loss', () => {
    test('goes on as if nothing had been', () => {
      const disturbed = avoiding(500);
      const other = avoiding(500);
      pass(disturbed, 3);
      pass(other, 3);
      disturbed.onLoss(disturbed.cwnd);
      disturbed.holdTo(400 * MSS);
      disturbed.onSpurious();
      expect(disturbed).toMatchObject({ cwnd: other.cwnd, ssthresh: other.ssthresh });
      pass(disturbed, 3, 3100);
      pass(other, 3, 3100);
      expect(disturbed.cwnd).toBe(other.cwnd);
    });

    test('goes back before the first of several timeouts', () => {
      const congestion = avoiding(40);
      const { ssthresh } = congestion;
      congestion.onTimeout(40 * MSS);
      congestion.onRepeatedTimeout();
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: ssthresh, ssthresh });
      congestion.holdTo(20 * MSS);
      congestion.onAck(4 * MSS, ROUND);
      expect(congestion.cwnd).toBe(24 * MSS);
    });

    test('is in the first slow start again', () => {
      const congestion = cubic(MSS);
      congestion.onLoss(10 * MSS);
      congestion.onSpurious();
      congestion.onAck(5 * MSS, ROUND);
      expect(congestion).toMatchObject({ cwnd: 15 * MSS, ssthresh: Number.POSITIVE_INFINITY });
    });

    test('undoes the last one only, and that once', () => {
      const congestion = cubic(MSS);
      congestion.holdTo(100 * MSS);
      congestion.onLoss(100 * MSS);
      congestion.onTimeout(50 * MSS);
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 70 * MSS, ssthresh: 70 * MSS });
      congestion.holdTo(5 * MSS);
      congestion.onSpurious();
      expect(congestion.cwnd).toBe(5 * MSS);
    });

    test('keeps what the window has grown to since', () => {
      const congestion = cubic(MSS);
      congestion.onLoss(10 * MSS);
      congestion.holdTo(12 * MSS);
      congestion.onSpurious();
      expect(congestion.cwnd).toBe(12 * MSS);
    });

    test('means nothing where there was none', () => {
      const congestion = cubic(MSS);
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: Number.POSITIVE_INFINITY });
    });
  });

  test('comes back from silence with the initial window, and remembers', () => {
    const congestion = avoiding(20);
    congestion.holdTo(100 * MSS);
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 75 * MSS });
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 75 * MSS });
  });

  test('silence is no time of the curve', () => {
    const congestion = avoiding(500);
    pass(congestion, 1);
    congestion.onIdle();
    congestion.holdTo(congestion.ssthresh);
    const { cwnd } = congestion;
    congestion.onAck(cwnd, ackRound({ now: 3_600_000, smoothedMs: 100 }));
    expect(congestion.cwnd / cwnd).toBeLessThan(1.1);
  });

  test('neither is time in which the application had nothing to send', () => {
    const congestion = avoiding(500);
    pass(congestion, 1);
    const { cwnd } = congestion;
    congestion.onAck(cwnd, ackRound({ now: 3_600_000, smoothedMs: 100 }));
    expect(congestion.cwnd / cwnd).toBeLessThan(1.1);
  });

  test('silence changes nothing at the initial window', () => {
    const congestion = cubic(MSS);
    congestion.onLoss(2 * MSS);
    congestion.holdTo(10 * MSS);
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 2 * MSS });
  });

  test('begins anew with one segment after a lost SYN', () => {
    const congestion = cubic(MSS);
    congestion.onTimeout(1);
    congestion.onHandshakeLoss();
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: Number.POSITIVE_INFINITY });
    congestion.onAck(MSS, ROUND);
    expect(congestion.cwnd).toBe(2 * MSS);
    congestion.onSpurious();
    expect(congestion.cwnd).toBe(2 * MSS);
  });

  test('holds one segment at least when they become longer', () => {
    const congestion = cubic(MSS);
    congestion.onTimeout(20 * MSS);
    congestion.setMss(1500);
    expect(congestion.cwnd).toBe(1500);
    congestion.setMss(500);
    expect(congestion.cwnd).toBe(1500);
  });
});
