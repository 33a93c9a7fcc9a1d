import type { Millis } from '../../core/machine.ts';
import { probeLoss, reorderTimeout, retransmit } from './retransmission.ts';
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
