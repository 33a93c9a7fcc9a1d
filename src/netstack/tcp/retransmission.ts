import type { Millis } from '../../core/machine.ts';
import { detectLossByTime } from './loss-detection.ts';
import { Phase } from './recovery.ts';
import { suspectBlackHole } from './segment-size.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** The retransmission timer fired (RFC 6298 §5.4 to §5.7). */
export function retransmit(tcb: Tcb, now: Millis): void {
  const { sender, timers, settings, state } = tcb;
  if (sender.flight.size === 0) return;
  if (state === TcpState.SYN_SENT || state === TcpState.SYN_RECEIVED) {
    const retries = tcb.passive ? settings.synAckRetries : settings.synRetries;
    if (sender.timeoutsInRow >= retries) {
      tcb.abort(tcb.softFailure ?? 'timed-out');
      return;
    }
  } else {
    suspectBlackHole(tcb, now);
  }
  sender.onTimeout(tcb.sackAgreed, now);
  timers.clear(Timer.LOSS_PROBE);
  timers.clear(Timer.REORDER);
  timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
}

/** The tail of the flight was not acknowledged in time (RFC 8985 §7.3). */
export function probeLoss(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  if (!maySendProbe(tcb)) return;
  sender.probe.owed = true;
  timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
}

/** Something was sent or acknowledged: the time until the tail is probed runs anew (§7.2). */
export function scheduleProbe(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  if (!maySendProbe(tcb)) {
    timers.clear(Timer.LOSS_PROBE);
    return;
  }
  const fullSegments = Math.floor(sender.inFlight / sender.mss);
  const delay = sender.probe.delayMs(sender.rto.smoothedMs, fullSegments);
  timers.set(Timer.LOSS_PROBE, Math.min(now + delay, timers.at(Timer.RETRANSMIT)));
}

/** The reordering window of RACK has passed (RFC 8985 §6.3). */
export function reorderTimeout(tcb: Tcb, now: Millis): void {
  detectLossByTime(tcb, now);
}

function maySendProbe(tcb: Tcb): boolean {
  const { flight, recovery, probe } = tcb.sender;
  return (
    tcb.sackAgreed &&
    flight.size > 0 &&
    flight.sackedBytes === 0 &&
    recovery.phase === Phase.NONE &&
    !probe.outstanding &&
    tcb.state !== TcpState.SYN_SENT &&
    tcb.state !== TcpState.SYN_RECEIVED
  );
}
