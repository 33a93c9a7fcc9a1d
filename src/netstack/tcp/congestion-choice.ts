import type { Congestion } from './congestion.ts';
import { Cubic } from './cubic.ts';
import { NewReno } from './reno.ts';

/** Makes the congestion control of one connection; `mss` is the largest payload of a segment. */
export type MakeCongestion = (mss: number) => Congestion;

/** `cubic`: RFC 9438 with HyStart++. `reno`: RFC 5681. A function: one's own. */
export type CongestionChoice = 'cubic' | 'reno' | MakeCongestion;

export function makeCongestion(choice: CongestionChoice): MakeCongestion {
  if (choice === 'cubic') return cubic;
  return choice === 'reno' ? reno : choice;
}

function cubic(mss: number): Congestion {
  return new Cubic(mss);
}

function reno(mss: number): Congestion {
  return new NewReno(mss);
}
