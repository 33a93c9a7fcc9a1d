import { EMPTY } from '../../core/bytes.ts';
import { Drop, type Millis } from '../../core/machine.ts';
import { serialLess, serialLessOrEqual } from '../../core/serial.ts';
import { takeAcknowledgment } from './acknowledgment.ts';
import { type HalfOpen, restoreSyn } from './half-open.ts';
import { nextPacket } from './output.ts';
import { receiveText } from './receive-text.ts';
import { retransmit } from './retransmission.ts';
import { Flag } from './segment.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** A segment in SYN-SENT (RFC 9293 §3.10.7.3). */
export function arriveInSynSent(tcb: Tcb, packet: Buffer, now: Millis): Drop {
  const { incoming, sender } = tcb;
  const { acknowledgment } = incoming;
  const acknowledges = incoming.has(Flag.ACK);
  if (acknowledges) {
    const ours =
      serialLess(sender.initialSequence, acknowledgment) &&
      serialLessOrEqual(acknowledgment, sender.sndNxt);
    if (!ours) {
      if (!incoming.has(Flag.RST)) tcb.oweReset(acknowledgment, false);
      return Drop.UNEXPECTED;
    }
  }
  if (incoming.has(Flag.RST)) {
    if (!acknowledges) return Drop.UNEXPECTED;
    tcb.delete('refused');
    return Drop.NONE;
  }
  if (!incoming.has(Flag.SYN)) return Drop.UNEXPECTED;
  tcb.negotiate(now);
  if (acknowledges) {
    takeAcknowledgment(tcb, now);
    establish(tcb, 'syn-ack', now);
    tcb.acks.sendSoon();
  } else {
    tcb.step('syn');
    sender.flight.markAllLost();
  }
  receiveText(tcb, packet, now);
  return Drop.NONE;
}

/** The SYN that begins a connection of a listener (RFC 9293 §3.10.7.2). It was checked. */
export function acceptSyn(tcb: Tcb, packet: Buffer, now: Millis): void {
  tcb.passive = true;
  tcb.step('passive-open');
  tcb.step('syn');
  tcb.negotiate(now);
  receiveText(tcb, packet, now);
}

/** Does once more what was done without a connection: takes the SYN of `caller`, sends SYN-ACKs. */
export function replayHandshake(tcb: Tcb, caller: HalfOpen): void {
  restoreSyn(caller, tcb.incoming);
  acceptSyn(tcb, EMPTY, caller.answeredAt);
  nextPacket(tcb, caller.answeredAt);
  for (let resent = 0; resent < caller.resends; resent += 1) {
    retransmit(tcb, caller.answeredLastAt);
    nextPacket(tcb, caller.answeredLastAt);
  }
}

/** An acceptable acknowledgement in SYN-RECEIVED; false when it is not of our SYN. */
export function acknowledgeSyn(tcb: Tcb, now: Millis): boolean {
  const { incoming, sender } = tcb;
  const { acknowledgment } = incoming;
  const ours =
    serialLess(sender.sndUna, acknowledgment) && serialLessOrEqual(acknowledgment, sender.sndNxt);
  if (!ours) {
    tcb.oweReset(acknowledgment, false);
    return false;
  }
  takeAcknowledgment(tcb, now);
  sender.initWindow(incoming.sequence, acknowledgment, tcb.incomingWindow);
  establish(tcb, 'ack-of-syn', now);
  return true;
}

/** The peer sends its SYN again: our SYN-ACK was lost. */
export function isRepeatedSyn(tcb: Tcb): boolean {
  const { incoming, receiver } = tcb;
  return (
    tcb.state === TcpState.SYN_RECEIVED &&
    incoming.has(Flag.SYN) &&
    !incoming.has(Flag.ACK) &&
    incoming.sequence === receiver.initialSequence
  );
}

function establish(tcb: Tcb, step: 'syn-ack' | 'ack-of-syn', now: Millis): void {
  const { sender, timers } = tcb;
  tcb.step(step);
  sender.established();
  tcb.connectedPending = true;
  timers.clear(Timer.RETRANSMIT);
  if (tcb.keepAlive.enabled) timers.set(Timer.KEEPALIVE, tcb.keepAlive.deadline);
  if (sender.hasUnsent) timers.set(Timer.USER, now + tcb.settings.userTimeoutMs);
  if (tcb.finishing) tcb.step('close');
}
