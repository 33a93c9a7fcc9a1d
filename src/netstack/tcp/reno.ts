import type { Avoidance } from './avoidance.ts';
import type { AckRound } from './congestion.ts';

/** Reno's congestion avoidance, by bytes: one segment for each window (RFC 5681 §3.1). */
export class Reno implements Avoidance {
  readonly name = 'reno';
  readonly beta = 0.5;
  /** Bytes acknowledged since the window last grew. */
  #acked = 0;

  next(cwnd: number, bytes: number, _round: AckRound, mss: number): number {
    this.#acked += bytes;
    if (this.#acked < cwnd) return cwnd;
    this.#acked = Math.min(this.#acked - cwnd, cwnd);
    return cwnd + mss;
  }

  onLoss(): void {
    this.#acked = 0;
  }

  onTimeout(): void {
    this.#acked = 0;
  }

  pause(): void {}

  save(): () => void {
    const acked = this.#acked;
    return () => {
      this.#acked = acked;
    };
  }
}
