import type { Millis } from '../core/machine.ts';

/**
 * When the peer was last heard and last written to. The muxer and the data channel write it, once
 * a packet has proved authentic or has been sent; keepalive reads it.
 */
export class LinkActivity {
  /** Last authentic control or data packet. */
  receivedAt: Millis;
  /** Last packet of ours, of any kind. */
  sentAt: Millis;

  constructor(now: Millis) {
    this.receivedAt = now;
    this.sentAt = now;
  }
}
