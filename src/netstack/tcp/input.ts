import { Drop, type Millis } from '../../core/machine.ts';
import { receiveAcknowledgment } from './acknowledgment.ts';
import { acknowledgeSyn, arriveInSynSent, isRepeatedSyn } from './handshake.ts';
import { keepTimestamp, receiveText, refuseText } from './receive-text.ts';
import { Flag } from './segment.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** A segment, parsed into `tcb.incoming` and intact, in any state (RFC 9293 §3.10.7). */
export function arrive(tcb: Tcb, packet: Buffer, now: Millis): Drop {
  switch (tcb.state) {
    case TcpState.CLOSED:
    case TcpState.LISTEN:
      return Drop.UNEXPECTED;
    case TcpState.SYN_SENT:
      return arriveInSynSent(tcb, packet, now);
    default:
      return arriveSynchronized(tcb, packet, now);
  }
}

/** The checks of §3.10.7.4 in their order, timestamps first (RFC 7323 §5.3). */
function arriveSynchronized(tcb: Tcb, packet: Buffer, now: Millis): Drop {
  const { incoming, receiver } = tcb;
  if (tcb.timestamps.agreed && !incoming.has(Flag.RST)) {
    const { hasTimestamps, timestamp } = incoming.options;
    if (!hasTimestamps) return Drop.UNEXPECTED;
    if (tcb.timestamps.isOld(timestamp, now)) return refuse(tcb, now);
  }
  if (!receiver.accepts(incoming.sequence, incoming.span)) return refuse(tcb, now);
  if (incoming.has(Flag.RST)) return receiveReset(tcb, now);
  if (incoming.has(Flag.SYN)) return receiveSyn(tcb, now);
  if (!incoming.has(Flag.ACK)) return Drop.UNEXPECTED;
  tcb.keepAlive.heard(now);
  keepTimestamp(tcb, now);
  if (tcb.state === TcpState.SYN_RECEIVED) {
    if (!acknowledgeSyn(tcb, now)) return Drop.UNEXPECTED;
  } else if (!receiveAcknowledgment(tcb, now)) {
    return tcb.state === TcpState.CLOSED ? Drop.NONE : Drop.UNEXPECTED;
  }
  receiveText(tcb, packet, now);
  return Drop.NONE;
}

/**
 * First check failed: the peer learns where we are. An empty segment is answered at a limited
 * rate only, or two confused ends would answer each other for ever.
 */
function refuse(tcb: Tcb, now: Millis): Drop {
  const { incoming, challenges, acks } = tcb;
  if (incoming.has(Flag.RST)) return Drop.OUT_OF_WINDOW;
  if (tcb.state === TcpState.TIME_WAIT && incoming.has(Flag.FIN)) {
    tcb.timers.set(Timer.WAIT, now + tcb.settings.timeWaitMs);
  }
  const answered = incoming.payloadLength > 0 || incoming.has(Flag.FIN) || challenges.allows(now);
  if (!answered) return Drop.OUT_OF_WINDOW;
  if (isRepeatedSyn(tcb)) tcb.sender.flight.markAllLost();
  else if (incoming.payloadLength > 0) refuseText(tcb);
  else acks.sendSoon();
  return Drop.OUT_OF_WINDOW;
}

/** RFC 5961 §3: only the exact number resets; RFC 1337: nothing resets TIME-WAIT. */
function receiveReset(tcb: Tcb, now: Millis): Drop {
  const { incoming, receiver, state } = tcb;
  if (state === TcpState.TIME_WAIT) return Drop.UNEXPECTED;
  if (incoming.sequence !== receiver.rcvNxt) return challenge(tcb, now);
  const refused = state === TcpState.SYN_RECEIVED && !tcb.passive;
  tcb.delete(refused ? 'refused' : 'reset');
  return Drop.NONE;
}

/** RFC 5961 §4; a half-open connection of a listener goes back to LISTEN. */
function receiveSyn(tcb: Tcb, now: Millis): Drop {
  if (tcb.state === TcpState.SYN_RECEIVED && tcb.passive) {
    tcb.delete('reset');
    return Drop.UNEXPECTED;
  }
  return challenge(tcb, now);
}

function challenge(tcb: Tcb, now: Millis): Drop {
  if (!tcb.challenges.allows(now)) return Drop.RATE_LIMITED;
  tcb.acks.sendSoon();
  return Drop.UNEXPECTED;
}
