import type { Millis } from '../../core/machine.ts';

/** Before the first sample (RFC 6298 §2.1). */
export const INITIAL_RTO_MS: Millis = 1_000;
/**
 * The least that is allowed beside the smoothed round trip. RFC 6298 §2.4 asks for a timeout of a
 * second; all hosts use this, which delayed acknowledgements need.
 */
export const MIN_RTO_MS: Millis = 200;
export const MAX_RTO_MS: Millis = 60_000;
/** After a repeated handshake without a sample (RFC 6298 §5.7). */
export const RTO_AFTER_SYN_LOSS_MS: Millis = 3_000;

/** The retransmission timeout of RFC 6298, from samples of the round-trip time. */
export class Rto {
  #smoothed: Millis = 0;
  #variation: Millis = 0;
  #base: Millis = INITIAL_RTO_MS;
  #backoffs = 0;

  /** 0 before the first sample. */
  get smoothedMs(): Millis {
    return this.#smoothed;
  }

  get variationMs(): Millis {
    return this.#variation;
  }

  /** Timeouts since the last sample. */
  get backoffs(): number {
    return this.#backoffs;
  }

  /** The timeout as it is now, back-off included. */
  get valueMs(): Millis {
    return Math.min(this.#base * 2 ** this.#backoffs, MAX_RTO_MS);
  }

  /** Takes a round trip of a segment that was certainly answered by what came (Karn). */
  sample(roundTrip: Millis): void {
    if (this.#smoothed === 0) {
      this.#smoothed = Math.max(roundTrip, Number.MIN_VALUE);
      this.#variation = roundTrip / 2;
    } else {
      this.#variation += (Math.abs(this.#smoothed - roundTrip) - this.#variation) / 4;
      this.#smoothed += (roundTrip - this.#smoothed) / 8;
    }
    const timeout = this.#smoothed + Math.max(4 * this.#variation, MIN_RTO_MS);
    this.#base = Math.min(timeout, MAX_RTO_MS);
    this.#backoffs = 0;
  }

  /** The timer fired (RFC 6298 §5.5). */
  backOff(): void {
    if (this.valueMs < MAX_RTO_MS) this.#backoffs += 1;
  }

  /** The timer fired, but nothing was lost. */
  undoBackOff(): void {
    this.#backoffs = 0;
  }

  /** The SYN was sent more than once and gave no sample. */
  afterSynLoss(): void {
    if (this.#smoothed === 0) this.#base = RTO_AFTER_SYN_LOSS_MS;
    this.#backoffs = 0;
  }
}
