import { describe, expect, test } from 'vitest';
import { initialWindow, NewReno } from '../../../src/netstack/tcp/congestion.ts';

const MSS = 1000;

/** A window that has left slow start at `segments`. */
function avoiding(segments: number): NewReno {
  const congestion = new NewReno(MSS);
  congestion.onLoss(2 * segments * MSS);
  return congestion;
}

test.each([
  { mss: 536, bytes: 5360 },
  { mss: 1348, bytes: 13_480 },
  { mss: 1460, bytes: 14_600 },
  { mss: 2000, bytes: 14_600 },
  { mss: 9000, bytes: 18_000 },
])('the initial window at $mss is $bytes (RFC 6928)', ({ mss, bytes }) => {
  expect(initialWindow(mss)).toBe(bytes);
  expect(new NewReno(mss).cwnd).toBe(bytes);
});

describe('NewReno', () => {
  test('doubles in slow start, by bytes', () => {
    const congestion = new NewReno(MSS);
    for (let count = 0; count < 5; count += 1) congestion.onAck(2 * MSS);
    expect(congestion.cwnd).toBe(20 * MSS);
  });

  test('one acknowledgement counts for eight segments at most', () => {
    const congestion = new NewReno(MSS);
    congestion.onAck(1_000_000);
    expect(congestion.cwnd).toBe(18 * MSS);
  });

  test('grows by one segment a window in congestion avoidance', () => {
    const congestion = avoiding(10);
    for (let bytes = 0; bytes < 9; bytes += 1) congestion.onAck(MSS);
    expect(congestion.cwnd).toBe(10 * MSS);
    congestion.onAck(MSS);
    expect(congestion.cwnd).toBe(11 * MSS);
  });

  test('many small acknowledgements do not make it grow faster', () => {
    const congestion = avoiding(10);
    for (let bytes = 0; bytes < 9_999; bytes += 1) congestion.onAck(1);
    expect(congestion.cwnd).toBe(10 * MSS);
  });

  test('halves at loss, to two segments at least', () => {
    const congestion = new NewReno(MSS);
    congestion.onLoss(20 * MSS);
    expect(congestion).toMatchObject({ cwnd: 10 * MSS, ssthresh: 10 * MSS });
    congestion.onLoss(MSS);
    expect(congestion).toMatchObject({ cwnd: 2 * MSS, ssthresh: 2 * MSS });
  });

  test('makes no burst after recovery', () => {
    const congestion = avoiding(10);
    congestion.onRecovered(3 * MSS);
    expect(congestion.cwnd).toBe(4 * MSS);
    const full = avoiding(10);
    full.onRecovered(50 * MSS);
    expect(full.cwnd).toBe(10 * MSS);
  });

  test('falls to one segment at a timeout, and climbs one at a time', () => {
    const congestion = new NewReno(MSS);
    congestion.onTimeout(20 * MSS);
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 10 * MSS });
    congestion.onAck(10 * MSS);
    expect(congestion.cwnd).toBe(2 * MSS);
    congestion.onRepeatedTimeout();
    expect(congestion).toMatchObject({ cwnd: MSS, ssthresh: 10 * MSS });
  });

  test('comes back from silence with the initial window', () => {
    const large = avoiding(100);
    large.onIdle();
    expect(large.cwnd).toBe(10 * MSS);
    const small = avoiding(3);
    small.onIdle();
    expect(small.cwnd).toBe(3 * MSS);
  });

  test('begins with one segment after a lost SYN', () => {
    const congestion = new NewReno(MSS);
    congestion.onHandshakeLoss();
    expect(congestion.cwnd).toBe(MSS);
  });

  test('holds one segment at least when they become longer', () => {
    const congestion = new NewReno(MSS);
    congestion.onTimeout(20 * MSS);
    congestion.setMss(1500);
    expect(congestion.cwnd).toBe(1500);
  });
});
