/**
 * How much may be in flight. Counts bytes, so that an acknowledgement of many segments weighs as
 * much as many acknowledgements (RFC 3465). Loss detection is not its business.
 */
export interface Congestion {
  /** Congestion window. Unit: bytes. */
  readonly cwnd: number;
  /** Slow start ends here; `Infinity` before the first loss. */
  readonly ssthresh: number;
  /** `bytes` that filled the window were acknowledged, outside of loss recovery. */
  onAck(bytes: number): void;
  /** Loss was detected by duplicate acknowledgements while `inFlight` bytes were out. */
  onLoss(inFlight: number): void;
  /** All that was lost then has arrived; `inFlight` bytes are out now. */
  onRecovered(inFlight: number): void;
  /** The retransmission timer fired while `inFlight` bytes were out. */
  onTimeout(inFlight: number): void;
  /** It fired again before anything was acknowledged. */
  onRepeatedTimeout(): void;
  /** Nothing was sent for longer than the retransmission timeout. */
  onIdle(): void;
  /** The handshake had to be repeated (RFC 5681 §3.1): begin with one segment. */
  onHandshakeLoss(): void;
  /** Segments have another size from now on. */
  setMss(mss: number): void;
}

/** Segments by which one acknowledgement may open the window in slow start (RFC 9406 §4.3). */
const SLOW_START_LIMIT = 8;

/** RFC 6928: ten segments, at most 14,600 bytes, at least two segments. */
export function initialWindow(mss: number): number {
  return Math.min(10 * mss, Math.max(2 * mss, 14_600));
}

/** RFC 5681 with byte counting. */
export class NewReno implements Congestion {
  #mss: number;
  #cwnd: number;
  #ssthresh = Number.POSITIVE_INFINITY;
  #acked = 0;
  #afterTimeout = false;

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

  onAck(bytes: number): void {
    if (this.#cwnd < this.#ssthresh) {
      const limit = (this.#afterTimeout ? 1 : SLOW_START_LIMIT) * this.#mss;
      this.#cwnd += Math.min(bytes, limit);
      return;
    }
    this.#afterTimeout = false;
    this.#acked += bytes;
    if (this.#acked < this.#cwnd) return;
    this.#acked = Math.min(this.#acked - this.#cwnd, this.#cwnd);
    this.#cwnd += this.#mss;
  }

  onLoss(inFlight: number): void {
    this.#halve(inFlight);
    this.#cwnd = this.#ssthresh;
  }

  onRecovered(inFlight: number): void {
    this.#cwnd = Math.min(this.#ssthresh, Math.max(inFlight, this.#mss) + this.#mss);
  }

  onTimeout(inFlight: number): void {
    this.#halve(inFlight);
    this.onRepeatedTimeout();
  }

  onRepeatedTimeout(): void {
    this.#cwnd = this.#mss;
    this.#afterTimeout = true;
  }

  onIdle(): void {
    this.#cwnd = Math.min(this.#cwnd, initialWindow(this.#mss));
  }

  onHandshakeLoss(): void {
    this.#cwnd = this.#mss;
  }

  setMss(mss: number): void {
    this.#mss = mss;
    this.#cwnd = Math.max(this.#cwnd, mss);
  }

  #halve(inFlight: number): void {
    this.#ssthresh = Math.max(inFlight / 2, 2 * this.#mss);
    this.#acked = 0;
  }
}
