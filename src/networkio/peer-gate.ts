import type { Drop, Millis } from '../core/machine.ts';
import type { SessionIds } from '../model/tls-chunk.ts';
import type { Link } from './link.ts';

/**
 * What a gate makes of a packet from somebody without a session. `memory` is what it wants to see
 * again: with the next packet of the same connection, and by whoever takes the accepted peer.
 */
export type GateVerdict =
  | { readonly kind: 'drop'; readonly drop: Drop }
  | { readonly kind: 'reply'; readonly packet: Buffer; readonly memory?: Buffer | undefined }
  | { readonly kind: 'accept'; readonly ids: SessionIds; readonly memory?: Buffer | undefined };

/**
 * Decides who gets a link. A listener knows nothing of packets itself, and keeps nothing about a
 * client before its gate accepts it, but for a connection's last `memory`.
 */
export interface PeerGate {
  /** Whether a packet that came from where session `ids` lives is of that session. */
  belongsTo(packet: Buffer, ids: SessionIds): boolean;
  /**
   * @param remote the client's address and port, spelled the same for the same client
   * @param memory of the last reply on this connection; never for datagrams
   */
  onPacket(packet: Buffer, remote: string, now: Millis, memory?: Buffer): GateVerdict;
}

/** Takes an accepted peer. `firstPacket` comes through `link` too, as soon as it is opened. */
export type OnPeer = (
  link: Link,
  ids: SessionIds,
  firstPacket: Buffer,
  memory: Buffer | undefined,
) => void;

/** Where a listener listens. */
export interface ListenOptions {
  /** An address of this machine, or a name with an IPv4 one. Explicit: nothing listens everywhere by accident. */
  readonly host: string;
  /** 0 … 65535; 0 takes a free one. */
  readonly port: number;
  /** Whether an IPv6 socket refuses IPv4 clients. Default: false. */
  readonly ipv6Only?: boolean;
}

/** Accepted peers at a time where no other number is given. */
export const DEFAULT_MAX_PEERS = 1_024;

/** A client's address as a key. */
export function peerName(address: string, port: number): string {
  return `${address} ${port}`;
}
