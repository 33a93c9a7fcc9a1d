import type { Millis } from '../../core/machine.ts';
import { serialDiff } from '../../core/serial.ts';
import { Flag } from './segment.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/**
 * The acknowledgement number of a segment in a synchronized state (RFC 9293 §3.10.7.4, fifth
 * check; RFC 5961 §5); false when the segment must not be looked at further.
 */
export function receiveAcknowledgment(tcb: Tcb, now: Millis): boolean {
  const { incoming, sender } = tcb;
  const { acknowledgment } = incoming;
  const ahead = serialDiff(acknowledgment, sender.sndUna);
  if (ahead > sender.inFlight || ahead < -Math.max(sender.maxSndWnd, 1)) {
    if (tcb.challenges.allows(now)) tcb.acks.sendSoon();
    return false;
  }
  const window = tcb.incomingWindow;
  if (ahead > 0) {
    sender.acknowledge(acknowledgment);
    sampleRoundTrip(tcb, now);
    restartTimers(tcb, now);
  } else if (ahead === 0 && isDuplicate(tcb, window)) {
    sender.recovery.onDuplicateAck(sender.sndUna, sender.sndNxt);
  }
  if (ahead >= 0) sender.updateWindow(incoming.sequence, acknowledgment, window);
  if (sender.finAcknowledged) finAcknowledged(tcb, now);
  return tcb.state !== TcpState.CLOSED;
}

/**
 * Feeds the retransmission timeout with what was just acknowledged. Where that was sent more than
 * once, only an echo of the last time counts (Karn): an echo of an earlier time may have come late
 * because acknowledgements were lost, and says nothing about the way.
 */
export function sampleRoundTrip(tcb: Tcb, now: Millis): void {
  const { rto, flight } = tcb.sender;
  const { acknowledgedSentAt, acknowledgedResentAt } = flight;
  if (acknowledgedSentAt < 0) return;
  if (acknowledgedResentAt < 0) {
    rto.sample(now - acknowledgedSentAt);
    return;
  }
  const { hasTimestamps, echo } = tcb.incoming.options;
  if (!tcb.timestamps.agreed || !hasTimestamps) return;
  const roundTrip = tcb.timestamps.roundTrip(echo, now);
  const sinceResent = tcb.timestamps.roundTrip(tcb.timestamps.value(acknowledgedResentAt), now);
  if (roundTrip >= 0 && roundTrip <= sinceResent) rto.sample(roundTrip);
}

/** RFC 5681 §2: nothing new at all, while something is in flight. */
function isDuplicate(tcb: Tcb, window: number): boolean {
  const { incoming, sender } = tcb;
  return (
    sender.flight.size > 0 &&
    incoming.payloadLength === 0 &&
    !incoming.has(Flag.FIN) &&
    window === sender.sndWnd
  );
}

/** RFC 6298 §5.2, §5.3; the user timeout runs from the last progress. */
function restartTimers(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  if (sender.flight.size === 0) timers.clear(Timer.RETRANSMIT);
  else timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
  if (sender.flight.size === 0 && !sender.hasUnsent) timers.clear(Timer.USER);
  else timers.set(Timer.USER, now + tcb.settings.userTimeoutMs);
}

function finAcknowledged(tcb: Tcb, now: Millis): void {
  const { state } = tcb;
  if (state === TcpState.FIN_WAIT_1) {
    tcb.step('ack-of-fin');
  } else if (state === TcpState.CLOSING) {
    tcb.step('ack-of-fin');
    tcb.enterTimeWait(now);
  } else if (state === TcpState.LAST_ACK) {
    tcb.step('ack-of-fin');
    tcb.release();
    tcb.tellClosed(undefined);
  }
}
