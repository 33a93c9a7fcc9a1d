import type { Millis } from '../../core/machine.ts';
import type { Avoidance } from './avoidance.ts';
import type { AckRound } from './congestion.ts';

/** RFC 9438 §5: how fast the window comes back. Unit: segments per cubic second. */
export const CUBIC_C = 0.4;
/** What is left of the window after a loss (RFC 9438 §4.6). */
export const CUBIC_BETA = 0.7;

/** What fast convergence leaves of the highest window to a flow that got less (§4.7). */
const CONVERGED = (1 + CUBIC_BETA) / 2;
/** Segments a round trip that make the estimate of Reno equal to Reno's average (§4.3). */
const RENO_ALPHA = (3 * (1 - CUBIC_BETA)) / (1 + CUBIC_BETA);
/** By how much the window may grow in a round trip (§4.2). */
const MAX_TARGET = 1.5;
/** Acknowledgements further apart than this many round trips have a pause between them. */
const LONGEST_GAP_ROUNDS = 2;
/** … or than this, where the round trip is shorter than acknowledgements are delayed. */
const SHORTEST_PAUSE_MS: Millis = 50;

const NO_EPOCH: Millis = -1;

/** Everything the curve remembers. Sizes in bytes. */
interface CurveState {
  /** W_max: where the curve is flat. */
  wMax: number;
  /** cwnd_prior: the window before the last reduction. */
  prior: number;
  /** W_est: the window that Reno would have. */
  wEst: number;
  /** When the curve began; -1 before the first acknowledgement of congestion avoidance. */
  epochStart: Millis;
  /** K: when it is flat. Unit: seconds. */
  k: number;
  lastAckAt: Millis;
}

/**
 * The window of CUBIC in congestion avoidance (RFC 9438 §4.2 to §4.5), as a function of time.
 *
 *     cwnd                          ╱    W_cubic(t) = C (t - K)³ + W_max
 *          W_max ┄┄┄┄┄┄┄┄ ╭────────╯     concave before K, convex after it
 *     β · W_max  ╭───────╯
 *                0        K          t
 *
 * Time in which the application and not the window held the sender back does not count (§5.8):
 * there is no acknowledgement of a full window then, and the epoch begins that much later.
 */
export class CubicCurve implements Avoidance {
  readonly name = 'cubic';
  readonly beta: number = CUBIC_BETA;
  #state: CurveState = {
    wMax: 0,
    prior: 0,
    wEst: 0,
    epochStart: NO_EPOCH,
    k: 0,
    lastAckAt: 0,
  };

  get state(): Readonly<CurveState> {
    return this.#state;
  }

  save(): () => void {
    const state = { ...this.#state };
    return () => {
      this.#state = state;
    };
  }

  onLoss(cwnd: number): void {
    const { wMax } = this.#state;
    this.#state.wMax = cwnd < wMax ? cwnd * CONVERGED : cwnd;
    this.#state.prior = cwnd;
    this.pause();
  }

  /** The curve begins flat where slow start ends (§4.8). */
  onTimeout(cwnd: number): void {
    this.#state.wMax = 0;
    this.#state.prior = cwnd;
    this.pause();
  }

  /** A new epoch begins with the next acknowledgement. */
  pause(): void {
    this.#state.epochStart = NO_EPOCH;
  }

  next(cwnd: number, bytes: number, round: AckRound, mss: number): number {
    const state = this.#state;
    if (state.epochStart === NO_EPOCH) this.#begin(cwnd, round.now, mss);
    else this.#skipPause(round);
    state.lastAckAt = round.now;
    const share = Math.min(bytes / cwnd, 1);
    const alpha = state.wEst < state.prior ? RENO_ALPHA : 1;
    state.wEst += alpha * share * mss;
    const elapsed = round.now - state.epochStart;
    if (this.#at(elapsed, mss) < state.wEst) return Math.max(cwnd, state.wEst);
    const target = this.#at(elapsed + round.smoothedMs, mss);
    return cwnd + (Math.min(Math.max(target, cwnd), MAX_TARGET * cwnd) - cwnd) * share;
  }

  #begin(cwnd: number, now: Millis, mss: number): void {
    const state = this.#state;
    state.wMax = Math.max(state.wMax, cwnd);
    state.k = Math.cbrt((state.wMax - cwnd) / mss / CUBIC_C);
    state.wEst = cwnd;
    state.epochStart = now;
  }

  #skipPause({ now, smoothedMs }: AckRound): void {
    const longest = Math.max(LONGEST_GAP_ROUNDS * smoothedMs, SHORTEST_PAUSE_MS);
    this.#state.epochStart += Math.max(now - this.#state.lastAckAt - longest, 0);
  }

  /** W_cubic after `elapsed`, in bytes. */
  #at(elapsed: Millis, mss: number): number {
    const { k, wMax } = this.#state;
    return CUBIC_C * (elapsed / 1000 - k) ** 3 * mss + wMax;
  }
}
