import type { Drop, Millis } from '../core/machine.ts';
import type { NegotiationState } from './negotiation-state.ts';
import type { ControlPacket } from './packet.ts';

/** Between whom a session's outer packets go. */
export interface TracedLink {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/**
 * Sees what a session does, called directly at the place where it happens; every method is
 * optional and absent by default. A tracer must not keep or change what it is given, and must not
 * throw.
 */
export interface Tracer {
  /** A session begins on a link with these addresses. */
  linkOpened?(link: TracedLink): void;
  /** The negotiation of `keyId` moved on. */
  stateChanged?(state: NegotiationState, keyId: number, now: Millis): void;
  /** A control packet was unwrapped. */
  controlIn?(packet: ControlPacket, now: Millis): void;
  /** A control packet is about to be wrapped and sent. */
  controlOut?(packet: ControlPacket, now: Millis): void;
  /** An outer packet was refused by `layer`; `byte0` is its first byte, or -1. */
  dropped?(layer: string, reason: Drop, byte0: number, size: number, now: Millis): void;
  /** An outer packet arrived or left, as on the wire. */
  datagramIn?(packet: Uint8Array, now: Millis): void;
  datagramOut?(packet: Uint8Array, now: Millis): void;
}
