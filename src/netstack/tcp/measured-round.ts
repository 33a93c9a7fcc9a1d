import type { Millis } from '../../core/machine.ts';
import type { AckRound } from './congestion.ts';
import type { Rto } from './rto.ts';

/** What congestion control learns of an acknowledgement; filled anew for each. */
export class MeasuredRound implements AckRound {
  now: Millis = 0;
  roundTripMs: Millis = -1;
  smoothedMs: Millis = 0;
  sndUna = 0;
  sndNxt = 0;

  /** @param roundTripMs what the acknowledgement measured; -1 for nothing */
  fill(sender: Acknowledged, roundTripMs: Millis, now: Millis): AckRound {
    this.now = now;
    this.roundTripMs = roundTripMs;
    this.smoothedMs = sender.rto.smoothedMs;
    this.sndUna = sender.sndUna;
    this.sndNxt = sender.sndNxt;
    return this;
  }
}

/** A sender, after the acknowledgement. */
interface Acknowledged {
  readonly rto: Rto;
  readonly sndUna: number;
  readonly sndNxt: number;
}
