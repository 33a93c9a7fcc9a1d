import type { Millis } from '../../core/machine.ts';

/** What a connection stands on: its tuple, and the IP layer that wraps its segments. */
export interface TcpPath {
  readonly localPort: number;
  readonly remotePort: number;
  /** Room that a segment leaves in front for the IP header: 20 or 40. */
  readonly ipHeaderBytes: number;
  /** Largest IP packet of the tunnel. Unit: bytes. */
  readonly mtu: number;
  /** Largest MSS that `mssfix` allows; `Infinity` where it is off. */
  readonly mssLimit: number;
  /** Unfolded sum of both addresses and the protocol number; the length is added per segment. */
  readonly pseudoHeaderSum: number;
  /** Writes the IP header into the first `ipHeaderBytes` of `packet`, which is the whole packet. */
  finish(packet: Buffer): void;
  /** Largest packet that gets to the peer, as far as is known: `mtu` or less. Unit: bytes. */
  knownMtu(now: Millis): number;
  /** When a larger one may be tried again; `Infinity` where `knownMtu` is `mtu`. */
  mtuKnownUntil(now: Millis): Millis;
  /** Packets longer than `mtu` do not get to the peer; that holds for `age`. */
  lowerMtu(mtu: number, now: Millis, age: Millis): void;
  /** The connection has something to send, or its deadline may have changed: ask it in the next round. */
  wake(): void;
}
