import { serialLess } from '../../core/serial.ts';
import { Flag, type Segment } from './segment.ts';

/** What is remembered of a connection in TIME-WAIT. */
export interface Earlier {
  readonly rcvNxt: number;
  readonly timestampsAgreed: boolean;
  /** The peer's last timestamp. */
  readonly recentTimestamp: number;
}

/** The same, and what an answer in its name needs. */
export interface Resting extends Earlier {
  readonly sndNxt: number;
  readonly timestampOffset: number;
}

/**
 * Whether a SYN that comes in TIME-WAIT certainly begins a new connection (RFC 6191 §2, RFC 9293
 * §3.10.7.4), so that the earlier one may be forgotten.
 */
export function isNewerSyn(syn: Segment, earlier: Earlier): boolean {
  if ((syn.flags & (Flag.SYN | Flag.ACK | Flag.RST | Flag.FIN)) !== Flag.SYN) return false;
  const { hasTimestamps, timestamp } = syn.options;
  if (hasTimestamps) {
    if (!earlier.timestampsAgreed) return true;
    if (timestamp !== earlier.recentTimestamp) {
      return serialLess(earlier.recentTimestamp, timestamp);
    }
  }
  return serialLess(earlier.rcvNxt, syn.sequence);
}
