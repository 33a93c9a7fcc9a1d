/** What a congestion control should reach, by the formulas of their authors. Windows are segments. */

/** RFC 9438 §4.1. */
export const CUBIC_C = 0.4;
export const CUBIC_BETA = 0.7;

/**
 * Average window of Reno at a loss rate of `p`, when it opens by a segment each round trip
 * (Mathis, Semke, Mahdavi, Ott: The Macroscopic Behavior of the TCP Congestion Avoidance Algorithm).
 */
export function renoWindow(p: number): number {
  return Math.sqrt(1.5 / p);
}

/**
 * Average window of CUBIC (RFC 9438 §5.1): the larger one of its own and of the Reno that it
 * emulates.
 */
export function cubicWindow(p: number, roundTripMs: number): number {
  const k = (CUBIC_C * (3 + CUBIC_BETA)) / (4 * (1 - CUBIC_BETA));
  return Math.max(k ** 0.25 * (roundTripMs / 1000 / p) ** 0.75, renoWindow(p));
}

/** How long CUBIC takes to come back to the window at which a loss happened (RFC 9438 §4.2). */
export function cubicRecoveryMs(maxWindow: number): number {
  return 1000 * Math.cbrt((maxWindow * (1 - CUBIC_BETA)) / CUBIC_C);
}
