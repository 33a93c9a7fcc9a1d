import type { AckRound, Congestion } from './congestion.ts';

/**
 * Congestion avoidance: how the window grows between two losses, and how much of it one leaves.
 * All that tells CUBIC from Reno.
 */
export interface Avoidance {
  readonly name: Congestion['name'];
  /** What a loss leaves of the window. */
  readonly beta: number;
  /** The window after `bytes` were acknowledged at `cwnd`; never less than `cwnd`. Sizes in bytes. */
  next(cwnd: number, bytes: number, round: AckRound, mss: number): number;
  /** Loss was found at `cwnd`. */
  onLoss(cwnd: number): void;
  /** The timer fired at `cwnd`. */
  onTimeout(cwnd: number): void;
  /** Congestion avoidance is left for a while. */
  pause(): void;
  /** Gives what makes all as it is now. */
  save(): () => void;
}
