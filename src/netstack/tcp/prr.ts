/**
 * Proportional Rate Reduction (RFC 9937): how much may be sent for each acknowledgement during
 * loss recovery, so that what is in flight comes down to `ssthresh` evenly and not by a pause.
 *
 * | in flight         | may be sent for an acknowledgement                                       |
 * | ----------------- | ------------------------------------------------------------------------ |
 * | above `ssthresh`  | in proportion: `ssthresh` of what was in flight before (rounded up)      |
 * | up to `ssthresh`  | what was delivered (CRB), and a segment more where that is safe (SSRB),  |
 * |                   | but no more than leads to `ssthresh`                                     |
 *
 * The first retransmission is always allowed.
 */
export class Prr {
  /** RecoverFS: what was to be delivered during this recovery. */
  #recoverBytes = 1;
  #ssthresh = 0;
  #delivered = 0;
  #sent = 0;
  /** What the last acknowledgement allowed and was not sent yet. */
  #allowed = 0;

  /**
   * Recovery begins.
   * @param pipe bytes that were in flight before: sent and neither acknowledged nor selectively
   * acknowledged, except by the acknowledgement that tells of the loss; lost ones included
   * @param ssthresh where the window shall be in the end
   */
  begin(pipe: number, ssthresh: number): void {
    this.#recoverBytes = Math.max(pipe, 1);
    this.#ssthresh = ssthresh;
    this.#delivered = 0;
    this.#sent = 0;
    this.#allowed = 0;
  }

  /**
   * An acknowledgement came during recovery, or a timer found something lost.
   * @param delivered bytes that it was the first to acknowledge, selectively or not
   * @param pipe estimate of what is in flight now: neither arrived nor lost
   * @param safe it acknowledged more than the one before, and nothing more was found lost
   * @returns the congestion window, in bytes
   */
  onAck(delivered: number, pipe: number, safe: boolean, mss: number): number {
    if (delivered > 0) {
      this.#delivered += delivered;
      this.#allowed = this.#share(delivered, pipe, safe ? mss : 0);
    }
    if (this.#sent === 0) this.#allowed = Math.max(this.#allowed, mss);
    return pipe + this.#allowed;
  }

  /** `bytes` were sent, for the first time or again. */
  onSent(bytes: number): void {
    this.#sent += bytes;
    this.#allowed = Math.max(this.#allowed - bytes, 0);
  }

  #share(delivered: number, pipe: number, extra: number): number {
    if (pipe > this.#ssthresh) {
      const due = Math.ceil((this.#delivered * this.#ssthresh) / this.#recoverBytes);
      return Math.max(due - this.#sent, 0);
    }
    const conserved = Math.max(this.#delivered - this.#sent, delivered) + extra;
    return Math.min(this.#ssthresh - pipe, conserved);
  }
}
