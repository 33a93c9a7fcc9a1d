import type { Millis } from '../../core/machine.ts';
import type { Segment } from './segment.ts';

/** The numbers that a connection of ours begins with. */
export interface Opening {
  readonly initialSequence: number;
  readonly timestampOffset: number;
}

/** A caller whose SYN we answered: all that its connection will need to know of the handshake. */
export interface HalfOpen extends Opening {
  /** When the SYN-ACK was sent first, when last, and how often again. */
  readonly answeredAt: Millis;
  readonly answeredLastAt: Millis;
  readonly resends: number;
  /** What the SYN said. */
  readonly sequence: number;
  readonly flags: number;
  readonly window: number;
  readonly mss: number;
  readonly windowScale: number;
  readonly sackPermitted: boolean;
  readonly hasTimestamps: boolean;
  readonly timestamp: number;
}

/** Makes `segment` the SYN of `caller`, without data: what it carried comes again. */
export function restoreSyn(caller: HalfOpen, segment: Segment): void {
  const { options } = segment;
  options.clear();
  segment.sequence = caller.sequence;
  segment.acknowledgment = 0;
  segment.flags = caller.flags;
  segment.window = caller.window;
  segment.payloadAt = 0;
  segment.payloadLength = 0;
  options.mss = caller.mss;
  options.windowScale = caller.windowScale;
  options.sackPermitted = caller.sackPermitted;
  options.hasTimestamps = caller.hasTimestamps;
  options.timestamp = caller.timestamp;
}
