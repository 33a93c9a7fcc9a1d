import {
  type AckRound,
  type Congestion,
  initialWindow,
  thresholdAfterIdle,
  windowAfterRecovery,
} from './congestion.ts';
import { SlowStart } from './slow-start.ts';

const BETA = 0.5;
const MIN_SEGMENTS = 2;

interface Before {
  readonly cwnd: number;
  readonly ssthresh: number;
  readonly acked: number;
  readonly repair: number;
}

/** NewReno: RFC 5681 with byte counting. */
export class NewReno implements Congestion {
  readonly name = 'reno';
  readonly #slowStart = new SlowStart();
  #mss: number;
  #cwnd: number;
  #ssthresh: number = Number.POSITIVE_INFINITY;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #acked = 0;
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
      this.#avoid(bytes);
    }
  }

  onLoss(inFlight: number): void {
    this.#reduce(inFlight);
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
    this.onRepeatedTimeout();
  }

  onRepeatedTimeout(): void {
    this.#cwnd = this.#mss;
    this.#slowStart.onTimeout();
  }

  onSpurious(): void {
    if (this.#before === undefined) return;
    const { cwnd, ssthresh, acked, repair } = this.#before;
    this.#before = undefined;
    this.#cwnd = Math.max(this.#cwnd, cwnd);
    this.#ssthresh = ssthresh;
    this.#acked = acked;
    this.#slowStart.restore(repair);
  }

  onIdle(): void {
    const restart = initialWindow(this.#mss);
    if (this.#cwnd <= restart) return;
    this.#ssthresh = thresholdAfterIdle(this.#ssthresh, this.#cwnd);
    this.#cwnd = restart;
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

  /** One segment for each window (RFC 5681 §3.1). */
  #avoid(bytes: number): void {
    this.#acked += bytes;
    if (this.#acked < this.#cwnd) return;
    this.#acked = Math.min(this.#acked - this.#cwnd, this.#cwnd);
    this.#cwnd += this.#mss;
  }

  #reduce(inFlight: number): void {
    this.#before = {
      cwnd: this.#cwnd,
      ssthresh: this.#ssthresh,
      acked: this.#acked,
      repair: this.#slowStart.mark,
    };
    this.#ssthresh = Math.max(BETA * inFlight, MIN_SEGMENTS * this.#mss);
    this.#acked = 0;
  }
}
