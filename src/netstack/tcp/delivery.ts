import type { Millis } from '../../core/machine.ts';
import { serialLess } from '../../core/serial.ts';

/**
 * What one acknowledgement says has arrived, by its number and by its SACK blocks: each segment
 * counts once. One object, filled anew for each acknowledgement.
 */
export class Delivery {
  /** Payload that has arrived, as far as we know since now. */
  bytes = 0;
  /** The part of `bytes` that SACK blocks told. */
  selectiveBytes = 0;
  /** SACK blocks told of a segment that was sent once. */
  selectiveOnce = false;
  /** One of the segments was sent more than once. */
  anyResent = false;
  /** The one sent last, without those whose answer may be to an earlier sending; -1 for none. */
  newestSentAt: Millis = -1;
  newestEnd = 0;
  /** The same among those that were sent again and that the number acknowledges. */
  newestResentAt: Millis = -1;
  /** Ends of the first and the last of the segments; the first among those sent once. */
  anyOnce = false;
  lowestOnceEnd = 0;
  any = false;
  highestEnd = 0;
  #resentLimit: Millis = 0;
  #selective = false;

  /** @param resentLimit what was sent again later than this may have been answered for earlier */
  begin(resentLimit: Millis): void {
    this.#selective = false;
    this.bytes = 0;
    this.selectiveBytes = 0;
    this.selectiveOnce = false;
    this.anyResent = false;
    this.newestSentAt = -1;
    this.newestEnd = 0;
    this.newestResentAt = -1;
    this.anyOnce = false;
    this.lowestOnceEnd = 0;
    this.any = false;
    this.highestEnd = 0;
    this.#resentLimit = resentLimit;
  }

  /**
   * What follows is told by SACK blocks. The echo beside them is that of what came in order before
   * (RFC 7323 §4.3): it tells nothing of these segments, so they measure nothing either (Karn).
   */
  beginSelective(resentLimit: Millis): void {
    this.#selective = true;
    this.#resentLimit = resentLimit;
  }

  /** A segment that ends before `end` has arrived. */
  take(end: number, length: number, sentAt: Millis, resent: boolean): void {
    this.bytes += length;
    if (!this.any || serialLess(this.highestEnd, end)) this.highestEnd = end;
    this.any = true;
    if (resent) {
      this.anyResent = true;
      if (sentAt > this.#resentLimit) return;
      if (!this.#selective && sentAt > this.newestResentAt) this.newestResentAt = sentAt;
    } else if (!this.anyOnce || serialLess(end, this.lowestOnceEnd)) {
      this.anyOnce = true;
      this.lowestOnceEnd = end;
    }
    const later = sentAt === this.newestSentAt && serialLess(this.newestEnd, end);
    if (sentAt > this.newestSentAt || later) {
      this.newestSentAt = sentAt;
      this.newestEnd = end;
    }
  }
}
