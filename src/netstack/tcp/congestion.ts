import type { Millis } from '../../core/machine.ts';

/** What an acknowledgement told beside its number. One object, filled anew for each. */
export interface AckRound {
  readonly now: Millis;
  /** Round trip that this acknowledgement measured; -1 when it measured none. */
  readonly roundTripMs: Millis;
  /** RFC 6298's smoothed round trip; 0 before the first sample. */
  readonly smoothedMs: Millis;
  /** All before this is acknowledged. */
  readonly sndUna: number;
  /** All before this was sent. */
  readonly sndNxt: number;
}

/**
 * How much may be in flight. Counts bytes, so that an acknowledgement of many segments weighs as
 * much as many acknowledgements (RFC 3465). Loss detection is not its business.
 */
export interface Congestion {
  readonly name: 'reno' | 'cubic';
  /** Congestion window. Unit: bytes. */
  readonly cwnd: number;
  /** Slow start ends here; `Infinity` before the first loss. */
  readonly ssthresh: number;
  /** `bytes` that filled the window were acknowledged, outside of loss recovery. */
  onAck(bytes: number, round: AckRound): void;
  /** Loss was detected, or ECN reported, while `inFlight` bytes were out: recovery begins. */
  onLoss(inFlight: number, now: Millis): void;
  /** During recovery: the window is `bytes` (RFC 9937), whatever was computed before. */
  holdTo(bytes: number): void;
  /** All that was lost then has arrived; `inFlight` bytes are out now. */
  onRecovered(inFlight: number, now: Millis): void;
  /** The retransmission timer fired while `inFlight` bytes were out. */
  onTimeout(inFlight: number, now: Millis): void;
  /** It fired again before anything was acknowledged. */
  onRepeatedTimeout(): void;
  /**
   * What the last `onLoss` or `onTimeout` was told turned out to be no loss: all is as before it,
   * but a window that has grown larger since stays. Does nothing when there was none, or again.
   */
  onSpurious(now: Millis): void;
  /** Nothing was sent for longer than the retransmission timeout. */
  onIdle(now: Millis): void;
  /** The handshake had to be repeated (RFC 5681 §3.1): begin with one segment. */
  onHandshakeLoss(): void;
  /** Segments have another size from now on. */
  setMss(mss: number): void;
}

/** What an idle connection keeps of its window as `ssthresh` (RFC 7661 §4.3). */
const KEPT_WHEN_IDLE = 0.75;

/** RFC 6928: ten segments, at most 14,600 bytes, at least two segments. */
export function initialWindow(mss: number): number {
  return Math.min(10 * mss, Math.max(2 * mss, 14_600));
}

/**
 * The window when recovery is over: `ssthresh` (RFC 9937), but no larger than lets an initial
 * window follow at once (RFC 6582 §3.2 warns of a burst). Slow start makes up for the rest.
 */
export function windowAfterRecovery(ssthresh: number, inFlight: number, mss: number): number {
  return Math.min(ssthresh, inFlight + initialWindow(mss));
}

/** `ssthresh` after a silence that took the window down from `cwnd` (RFC 7661 §4.3). */
export function thresholdAfterIdle(ssthresh: number, cwnd: number): number {
  return Math.max(ssthresh, KEPT_WHEN_IDLE * cwnd);
}
