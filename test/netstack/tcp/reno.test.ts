import { describe, expect, test } from 'vitest';
import { newReno } from '../../../src/netstack/tcp/congestion-choice.ts';
import type { LossBased } from '../../../src/netstack/tcp/loss-based.ts';
import { ackRound } from './ack-round.ts';

const MSS = 1000;
const ROUND = ackRound();

/** A window of `segments` in congestion avoidance. */
function avoiding(segments: number): LossBased {
  const congestion = newReno(MSS);
  congestion.holdTo(2 * segments * MSS);
  congestion.onLoss(2 * segments * MSS);
  return congestion;
}

describe('NewReno', () => {
  test('tells its name', () => {
    expect(newReno(MSS).name).toBe('reno');
  });

  test('doubles in slow start, by bytes', () => {
    const congestion = newReno(MSS);
    for (let count = 0; count < 5; count += 1) congestion.onAck(2 * MSS, ROUND);
    expect(congestion.cwnd).toBe(20 * MSS);
  });

  test('slow start ends exactly at ssthresh', () => {
    const congestion = avoiding(10);
    congestion.holdTo(9_500);
    congestion.onAck(3 * MSS, ROUND);
    expect(congestion.cwnd).toBe(10 * MSS);
  });

  test('leaves the first slow start when the round trip grows', () => {
    const congestion = newReno(MSS);
    let sndUna = 0;
    for (let round = 0; round < 9; round += 1) {
      const sndNxt = sndUna + 20 * MSS;
      for (let count = 0; count < 20; count += 1) {
        sndUna += MSS;
        const roundTripMs = round < 2 ? 50 : 90;
        congestion.onAck(MSS, ackRound({ roundTripMs, sndUna, sndNxt }));
      }
    }
    expect(congestion.ssthresh).toBeLessThan(100 * MSS);
    expect(congestion.cwnd).toBeLessThan(congestion.ssthresh + 2 * MSS);
  });

  test('grows by one segment a window in congestion avoidance', () => {
    const congestion = avoiding(10);
    for (let bytes = 0; bytes < 9; bytes += 1) congestion.onAck(MSS, ROUND);
    expect(congestion.cwnd).toBe(10 * MSS);
    congestion.onAck(MSS, ROUND);
    expect(congestion.cwnd).toBe(11 * MSS);
  });

  test('many small acknowledgements do not make it grow faster', () => {
    const congestion = avoiding(10);
    for (let bytes = 0; bytes < 9_999; bytes += 1) congestion.onAck(1, ROUND);
    expect(congestion.cwnd).toBe(10 * MSS);
  });

  test('one acknowledgement of many windows opens by one segment, and keeps one window', () => {
    const congestion = avoiding(10);
    congestion.onAck(1_000_000, ROUND);
    expect(congestion.cwnd).toBe(11 * MSS);
    congestion.onAck(999, ROUND);
    expect(congestion.cwnd).toBe(11 * MSS);
    congestion.onAck(1, ROUND);
    expect(congestion.cwnd).toBe(12 * MSS);
  });

  test.each([
    { name: 'halves what is in flight', cwnd: 20, inFlight: 20, after: 10, ssthresh: 10 },
    { name: 'to two segments at least', cwnd: 20, inFlight: 1, after: 2, ssthresh: 2 },
    { name: 'and never grows by it', cwnd: 5, inFlight: 80, after: 5, ssthresh: 40 },
  ])('at loss it $name', ({ cwnd, inFlight, after, ssthresh }) => {
    const congestion = newReno(MSS);
    congestion.holdTo(cwnd * MSS);
    congestion.onLoss(inFlight * MSS);
    expect(congestion).toMatchObject({ cwnd: after * MSS, ssthresh: ssthresh * MSS });
  });

  test('makes no burst after recovery', () => {
    const congestion = avoiding(100);
    congestion.holdTo(3 * MSS);
    congestion.onRecovered(3 * MSS);
    expect(congestion.cwnd).toBe(13 * MSS);
  });

  test('is at ssthresh after a recovery that kept the pipe full', () => {
    const congestion = avoiding(100);
    congestion.holdTo(180 * MSS);
    congestion.onRecovered(96 * MSS);
    expect(congestion.cwnd).toBe(100 * MSS);
  });

  test('falls to one segment at a timeout', () => {
    const congestion = newReno(MSS);
    congestion.onTimeout(20 * MSS);
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 10 * MSS });
    congestion.onAck(10 * MSS, ackRound({ sndUna: 10, sndNxt: 20 }));
    expect(congestion.cwnd).toBe(2 * MSS);
    congestion.onRepeatedTimeout();
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 10 * MSS });
  });

  describe('when it was no loss', () => {
    test('has the window and the threshold of before', () => {
      const congestion = newReno(MSS);
      congestion.holdTo(60 * MSS);
      congestion.onLoss(60 * MSS);
      congestion.holdTo(35 * MSS);
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 60 * MSS, ssthresh: Number.POSITIVE_INFINITY });
    });

    test('counts on in congestion avoidance where it was', () => {
      const congestion = avoiding(10);
      for (let count = 0; count < 9; count += 1) congestion.onAck(MSS, ROUND);
      congestion.onLoss(10 * MSS);
      congestion.onSpurious();
      congestion.onAck(MSS, ROUND);
      expect(congestion).toMatchObject({ cwnd: 11 * MSS, ssthresh: 10 * MSS });
    });

    test('goes back before the first of several timeouts', () => {
      const congestion = avoiding(40);
      congestion.onTimeout(40 * MSS);
      congestion.onRepeatedTimeout();
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 40 * MSS, ssthresh: 40 * MSS });
    });

    test('opens as fast as before a timeout', () => {
      const congestion = avoiding(40);
      congestion.holdTo(10 * MSS);
      congestion.onTimeout(10 * MSS);
      congestion.onSpurious();
      congestion.onAck(4 * MSS, ROUND);
      expect(congestion.cwnd).toBe(14 * MSS);
    });

    test('undoes the last one only, and that once', () => {
      const congestion = avoiding(40);
      congestion.onLoss(40 * MSS);
      congestion.onTimeout(20 * MSS);
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 20 * MSS, ssthresh: 20 * MSS });
      congestion.holdTo(5 * MSS);
      congestion.onSpurious();
      expect(congestion.cwnd).toBe(5 * MSS);
    });

    test('keeps what the window has grown to since', () => {
      const congestion = newReno(MSS);
      congestion.onLoss(20 * MSS);
      congestion.holdTo(12 * MSS);
      congestion.onSpurious();
      expect(congestion.cwnd).toBe(12 * MSS);
    });

    test('means nothing where there was none', () => {
      const congestion = newReno(MSS);
      congestion.onSpurious();
      expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: Number.POSITIVE_INFINITY });
    });
  });

  test.each([
    { name: 'the initial window, and remembers', segments: 100, cwnd: 10, ssthresh: 100 },
    { name: 'a window that is smaller', segments: 10, cwnd: 10, ssthresh: 10 },
    { name: 'a small window', segments: 3, cwnd: 3, ssthresh: 3 },
  ])('comes back from silence with $name', ({ segments, cwnd, ssthresh }) => {
    const congestion = avoiding(segments);
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: cwnd * MSS, ssthresh: ssthresh * MSS });
  });

  test('remembers three quarters of a window that had grown far', () => {
    const congestion = avoiding(20);
    congestion.holdTo(100 * MSS);
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 75 * MSS });
  });

  test('silence changes nothing at the initial window', () => {
    const congestion = newReno(MSS);
    congestion.onLoss(2 * MSS);
    congestion.holdTo(10 * MSS);
    congestion.onIdle();
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 2 * MSS });
  });

  test('begins anew with one segment after a lost SYN', () => {
    const congestion = newReno(MSS);
    congestion.onTimeout(1);
    congestion.onHandshakeLoss();
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: Number.POSITIVE_INFINITY });
    congestion.onSpurious();
    expect(congestion.cwnd).toBe(MSS);
  });

  test('holds one segment at least when they become longer', () => {
    const congestion = newReno(MSS);
    congestion.onTimeout(20 * MSS);
    congestion.setMss(1500);
    expect(congestion.cwnd).toBe(1500);
  });
});
