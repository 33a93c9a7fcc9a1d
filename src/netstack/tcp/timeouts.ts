import type { Millis } from '../../core/machine.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** When full segments get no answer, the path may swallow them: tried after 2 and 4 timeouts. */
const BLACK_HOLE_MSS = [
  { timeouts: 2, mss: 1220 },
  { timeouts: 4, mss: 536 },
] as const;

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
  if (timers.take(Timer.DELAYED_ACK, now)) acks.sendSoon();
  if (timers.take(Timer.PERSIST, now)) probeWindow(tcb);
  if (timers.take(Timer.KEEPALIVE, now)) keepAlive(tcb, now);
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

function retransmit(tcb: Tcb, now: Millis): void {
  const { sender, timers, settings, state } = tcb;
  if (sender.flight.size === 0) return;
  if (state === TcpState.SYN_SENT || state === TcpState.SYN_RECEIVED) {
    const retries = tcb.passive ? settings.synAckRetries : settings.synRetries;
    if (sender.timeoutsInRow >= retries) {
      tcb.abort(tcb.softFailure ?? 'timed-out');
      return;
    }
  } else {
    suspectBlackHole(tcb);
  }
  sender.onTimeout();
  timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
}

function suspectBlackHole(tcb: Tcb): void {
  const { sender } = tcb;
  for (const { timeouts, mss } of BLACK_HOLE_MSS) {
    const payload = tcb.payloadFor(mss);
    if (sender.timeoutsInRow >= timeouts && sender.flight.lengthAt(0) > payload) {
      sender.setMss(payload);
    }
  }
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
