import type { Millis } from '../../core/machine.ts';
import { PATH_MTU_AGE_MS } from '../path-mtu.ts';
import { TCP_HEADER_BYTES } from './segment.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/**
 * When full segments get no answer, the path may swallow them without a word (RFC 2923 §2.1,
 * RFC 4821 §7.7): tried after so many timeouts in a row.
 */
const BLACK_HOLE_MSS = [
  { timeouts: 2, mss: 1220 },
  { timeouts: 4, mss: 536 },
] as const;
/** An outage looks the same, so what was found this way is doubted sooner than a router's word. */
export const BLACK_HOLE_AGE_MS: Millis = 60_000;

/** The peer's SYN came: how long segments may be, and how long they are for now. */
export function beginSegmentSize(tcb: Tcb, mss: number, now: Millis): number {
  tcb.fullMss = mss;
  tcb.raiseMssAt = tcb.path.mtuKnownUntil(now);
  return tcb.payloadFor(Math.min(mss, knownMss(tcb, now)));
}

/**
 * A router says that our packet was longer than `mtu` (RFC 5927 §7): it is believed when it
 * speaks of a segment that is in flight and was that long.
 */
export function tooBig(tcb: Tcb, mtu: number, quotedSequence: number, now: Millis): void {
  const { path, sender, timers } = tcb;
  const length = sender.flight.lengthOf(quotedSequence);
  const told = tcb.payloadFor(mtu - path.ipHeaderBytes - TCP_HEADER_BYTES);
  if (length === 0 || told >= length) return;
  path.lowerMtu(mtu, now, PATH_MTU_AGE_MS);
  if (!follow(tcb, now)) return;
  timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
  path.wake();
}

/** The tunnel takes shorter packets than before, or longer ones. */
export function linkMtuChanged(tcb: Tcb, now: Millis): void {
  const { path, sender, timers } = tcb;
  if (!follow(tcb, now)) {
    tcb.raiseMssAt = now;
    return;
  }
  if (sender.inFlight > 0) timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
  path.wake();
}

/** The retransmission timer fired: full segments may be the reason. */
export function suspectBlackHole(tcb: Tcb, now: Millis): void {
  const { sender, path } = tcb;
  follow(tcb, now);
  for (const { timeouts, mss } of BLACK_HOLE_MSS) {
    if (sender.timeoutsInRow < timeouts) return;
    const payload = tcb.payloadFor(mss);
    if (sender.flight.lengthAt(0) <= payload || payload >= sender.mss) continue;
    sender.setMss(payload);
    tcb.suspectedMtu = mss + path.ipHeaderBytes + TCP_HEADER_BYTES;
  }
}

/** It was the whole path that was down: what was suspected of long segments is forgotten. */
export function trustPathAgain(tcb: Tcb, now: Millis): void {
  if (tcb.suspectedMtu === 0) return;
  tcb.suspectedMtu = 0;
  tcb.sender.setMss(tcb.payloadFor(Math.min(tcb.fullMss, knownMss(tcb, now))));
}

/** Segments arrived: shorter ones did where longer ones did not, or longer ones may be tried. */
export function reviewSegmentSize(tcb: Tcb, now: Millis): void {
  if (tcb.suspectedMtu > 0 && tcb.sender.timeoutsInRow === 0) {
    tcb.path.lowerMtu(tcb.suspectedMtu, now, BLACK_HOLE_AGE_MS);
    tcb.raiseMssAt = now + BLACK_HOLE_AGE_MS;
    tcb.suspectedMtu = 0;
  }
  if (now < tcb.raiseMssAt) return;
  const payload = tcb.payloadFor(Math.min(tcb.fullMss, knownMss(tcb, now)));
  if (payload > tcb.sender.mss) tcb.sender.setMss(payload);
  tcb.raiseMssAt = tcb.path.mtuKnownUntil(now);
}

/** Takes what is known of the path, if it is narrower; whether it was. */
function follow(tcb: Tcb, now: Millis): boolean {
  const payload = tcb.payloadFor(knownMss(tcb, now));
  if (payload >= tcb.sender.mss) return false;
  tcb.sender.setMss(payload);
  tcb.raiseMssAt = tcb.path.mtuKnownUntil(now);
  return true;
}

function knownMss({ path }: Tcb, now: Millis): number {
  return path.knownMtu(now) - path.ipHeaderBytes - TCP_HEADER_BYTES;
}
