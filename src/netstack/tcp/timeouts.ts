import type { Millis } from '../../core/machine.ts';
import { probeLoss, reorderTimeout, retransmit } from './retransmission.ts';
import { trustPathAgain } from './segment-size.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** Does what is due at `now`. */
export function runTimers(tcb: Tcb, now: Millis): void {
  const { timers, acks } = tcb;
  if (timers.take(Timer.WAIT, now)) {
    waitIsOver(tcb);
    return;
  }
  if (timers.take(Timer.USER, now)) {
    tcb.abort(tcb.softFailure ?? 'timed-out');
    return;
  }
  timers.take(Timer.PACE, now);
  if (timers.take(Timer.DELAYED_ACK, now)) acks.sendSoon();
  if (timers.take(Timer.PERSIST, now)) probeWindow(tcb);
  if (timers.take(Timer.KEEPALIVE, now)) keepAlive(tcb, now);
  if (timers.take(Timer.LOSS_PROBE, now)) probeLoss(tcb, now);
  if (timers.take(Timer.REORDER, now)) reorderTimeout(tcb, now);
  if (timers.take(Timer.RETRANSMIT, now)) retransmit(tcb, now);
}

/**
 * The path was down and is back. Timeouts meanwhile said nothing of the path's speed or of its
 * narrow places: the oldest segment goes again at once, and the next timeout is a first one.
 */
export function resumeAfterOutage(tcb: Tcb, now: Millis): void {
  const { timers, sender, settings } = tcb;
  if (timers.isSet(Timer.USER)) timers.set(Timer.USER, now + settings.userTimeoutMs);
  if (timers.isSet(Timer.PERSIST)) timers.set(Timer.PERSIST, now);
  trustPathAgain(tcb, now);
  if (!timers.isSet(Timer.RETRANSMIT)) return;
  sender.rto.undoBackOff();
  // One is kept: the window is not cut again.
  sender.timeoutsInRow = Math.min(sender.timeoutsInRow, 1);
  timers.set(Timer.RETRANSMIT, now);
}

function waitIsOver(tcb: Tcb): void {
  if (tcb.state !== TcpState.TIME_WAIT) {
    tcb.abort('timed-out');
    return;
  }
  tcb.step('time-wait-over');
  tcb.release();
}

/** Asks for the window by a segment that must be answered; a small window is used up. */
function probeWindow(tcb: Tcb): void {
  const { sender } = tcb;
  tcb.persistBackoffs += 1;
  if (sender.sndWnd > sender.inFlight) sender.forced = true;
  else tcb.probeOwed = true;
}

function keepAlive(tcb: Tcb, now: Millis): void {
  const { timers, sender } = tcb;
  const { keepAlive: schedule } = tcb;
  if (!schedule.enabled) return;
  if (schedule.deadline <= now && sender.flight.size === 0) {
    if (!schedule.probe()) {
      tcb.abort('timed-out');
      return;
    }
    tcb.probeOwed = true;
  }
  timers.set(Timer.KEEPALIVE, schedule.next(now));
}
