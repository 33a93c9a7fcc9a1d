import type { Avoidance } from './avoidance.ts';
import {
  type AckRound,
  type Congestion,
  initialWindow,
  thresholdAfterIdle,
  windowAfterRecovery,
} from './congestion.ts';
import { SlowStart } from './slow-start.ts';

const MIN_SEGMENTS = 2;

/** What {@link LossBased.onSpurious} gives back (RFC 9438 §4.9). */
interface Before {
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly repair: number;
  readonly restoreAvoidance: () => void;
}

/**
 * A window that shrinks with loss: HyStart++ (RFC 9406) in the first slow start, and congestion
 * avoidance by CUBIC (RFC 9438) or Reno (RFC 5681). It is a fraction of bytes, so that nothing is
 * lost by rounding, however small the growth by one acknowledgement.
 */
export class LossBased implements Congestion {
  readonly #slowStart = new SlowStart();
  readonly #avoidance: Avoidance;
  #mss: number;
  #cwnd: number;
  #ssthresh: number = Number.POSITIVE_INFINITY;
  #before: Before | undefined;

  /** @param mss largest payload of a segment, in bytes */
  constructor(mss: number, avoidance: Avoidance) {
    this.#avoidance = avoidance;
    this.#mss = mss;
    this.#cwnd = initialWindow(mss);
  }

  get name(): Congestion['name'] {
    return this.#avoidance.name;
  }

  get cwnd(): number {
    return this.#cwnd;
  }

  get ssthresh(): number {
    return this.#ssthresh;
  }

  onAck(bytes: number, round: AckRound): void {
    if (this.#ssthresh === Number.POSITIVE_INFINITY) {
      this.#cwnd += this.#slowStart.first(bytes, round, this.#mss);
      if (this.#slowStart.finished) this.#ssthresh = this.#cwnd;
    } else if (this.#cwnd < this.#ssthresh) {
      const opened = this.#slowStart.later(bytes, round, this.#mss);
      this.#cwnd = Math.min(this.#cwnd + opened, this.#ssthresh);
    } else {
      this.#cwnd = this.#avoidance.next(this.#cwnd, bytes, round, this.#mss);
    }
  }

  onLoss(inFlight: number): void {
    this.#reduce(inFlight);
    this.#avoidance.onLoss(this.#cwnd);
    this.#cwnd = Math.max(Math.min(this.#cwnd, this.#ssthresh), MIN_SEGMENTS * this.#mss);
  }

  holdTo(bytes: number): void {
    this.#cwnd = bytes;
  }

  onRecovered(inFlight: number): void {
    this.#cwnd = windowAfterRecovery(this.#ssthresh, inFlight, this.#mss);
  }

  onTimeout(inFlight: number): void {
    this.#reduce(inFlight);
    this.#avoidance.onTimeout(this.#cwnd);
    this.onRepeatedTimeout();
  }

  onRepeatedTimeout(): void {
    this.#cwnd = this.#mss;
    this.#slowStart.onTimeout();
  }

  onSpurious(): void {
    if (this.#before === undefined) return;
    const { cwnd, ssthresh, repair, restoreAvoidance } = this.#before;
    this.#before = undefined;
    this.#cwnd = Math.max(this.#cwnd, cwnd);
    this.#ssthresh = ssthresh;
    this.#slowStart.restore(repair);
    restoreAvoidance();
  }

  onIdle(): void {
    const restart = initialWindow(this.#mss);
    if (this.#cwnd <= restart) return;
    this.#ssthresh = thresholdAfterIdle(this.#ssthresh, this.#cwnd);
    this.#cwnd = restart;
    this.#avoidance.pause();
  }

  onHandshakeLoss(): void {
    this.onSpurious();
    this.#ssthresh = Number.POSITIVE_INFINITY;
    this.#cwnd = this.#mss;
  }

  setMss(mss: number): void {
    this.#mss = mss;
    this.#cwnd = Math.max(this.#cwnd, mss);
  }

  #reduce(inFlight: number): void {
    this.#before = {
      cwnd: this.#cwnd,
      ssthresh: this.#ssthresh,
      repair: this.#slowStart.mark,
      restoreAvoidance: this.#avoidance.save(),
    };
    this.#ssthresh = Math.max(this.#avoidance.beta * inFlight, MIN_SEGMENTS * this.#mss);
  }
}
