import type { Congestion } from './congestion.ts';
import { CubicCurve } from './cubic-curve.ts';
import { LossBased } from './loss-based.ts';
import { Reno } from './reno.ts';

/** Makes the congestion control of one connection; `mss` is the largest payload of a segment. */
export type MakeCongestion = (mss: number) => Congestion;

/** `cubic`: RFC 9438 with HyStart++. `reno`: RFC 5681. A function: one's own. */
export type CongestionChoice = 'cubic' | 'reno' | MakeCongestion;

export function makeCongestion(choice: CongestionChoice): MakeCongestion {
  if (choice === 'cubic') return cubic;
  return choice === 'reno' ? newReno : choice;
}

export function cubic(mss: number): LossBased {
  return new LossBased(mss, new CubicCurve());
}

export function newReno(mss: number): LossBased {
  return new LossBased(mss, new Reno());
}
