import {
  type AckRound,
  type Congestion,
  initialWindow,
  thresholdAfterIdle,
  windowAfterRecovery,
} from './congestion.ts';
import { CUBIC_BETA, CubicCurve } from './cubic-curve.ts';
import { SlowStart } from './slow-start.ts';

const MIN_SEGMENTS = 2;

/** What {@link Cubic.onSpurious} gives back (RFC 9438 §4.9). */
interface Before {
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly repair: number;
  readonly curve: ReturnType<CubicCurve['save']>;
}

/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406) in the first slow start. The window is a fraction of
 * bytes, so that nothing is lost by rounding, however small the growth by one acknowledgement.
 */
export class Cubic implements Congestion {
  readonly name = 'cubic';
  readonly #slowStart = new SlowStart();
  readonly #curve = new CubicCurve();
  #mss: number;
  #cwnd: number;
  #ssthresh: number = Number.POSITIVE_INFINITY;
  #before: Before | undefined;

  /** @param mss largest payload of a segment, in bytes */
  constructor(mss: number) {
    this.#mss = mss;
    this.#cwnd = initialWindow(mss);
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
      this.#cwnd = this.#curve.next(this.#cwnd, bytes, round, this.#mss);
    }
  }

  onLoss(inFlight: number): void {
    this.#reduce(inFlight);
    this.#curve.onLoss(this.#cwnd);
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
    this.#curve.onTimeout(this.#cwnd);
    this.onRepeatedTimeout();
  }

  onRepeatedTimeout(): void {
    this.#cwnd = this.#mss;
    this.#slowStart.onTimeout();
  }

  onSpurious(): void {
    if (this.#before === undefined) return;
    const { cwnd, ssthresh, repair, curve } = this.#before;
    this.#before = undefined;
    this.#cwnd = Math.max(this.#cwnd, cwnd);
    this.#ssthresh = ssthresh;
    this.#slowStart.restore(repair);
    this.#curve.restore(curve);
  }

  onIdle(): void {
    const restart = initialWindow(this.#mss);
    if (this.#cwnd <= restart) return;
    this.#ssthresh = thresholdAfterIdle(this.#ssthresh, this.#cwnd);
    this.#cwnd = restart;
    this.#curve.pause();
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
      curve: this.#curve.save(),
    };
    this.#ssthresh = Math.max(CUBIC_BETA * inFlight, MIN_SEGMENTS * this.#mss);
  }
}
