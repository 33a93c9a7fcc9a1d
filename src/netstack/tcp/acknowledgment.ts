import type { Millis } from '../../core/machine.ts';
import { serialDiff } from '../../core/serial.ts';
import { detectLoss, reduce } from './loss-detection.ts';
import { Phase } from './recovery.ts';
import { scheduleProbe } from './retransmission.ts';
import { takeSackBlocks } from './sack-blocks.ts';
import { Flag } from './segment.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** Timestamps count milliseconds: an echo tells of a time until just before the next one. */
const LAST_OF_A_MILLISECOND: Millis = 0.999_999;

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
  if (tcb.ecnAgreed && incoming.has(Flag.ECE)) reduce(tcb, Math.max(ahead, 0), now);
  takeAcknowledgment(tcb, now);
  if (ahead > 0) restartTimers(tcb, now);
  if (ahead >= 0) sender.updateWindow(incoming.sequence, acknowledgment, window);
  if (sender.finAcknowledged) finAcknowledged(tcb, now);
  return tcb.state !== TcpState.CLOSED;
}

/** Takes an acknowledgement number that we can have provoked, and the SACK blocks beside it. */
export function takeAcknowledgment(tcb: Tcb, now: Millis): void {
  const { sender, incoming } = tcb;
  const { delivery, recovery, congestion } = sender;
  const before = sender.sndUna;
  const acknowledged = Math.max(serialDiff(incoming.acknowledgment, before), 0);
  const bare = acknowledged === 0 && isDuplicate(tcb);
  const reports = tcb.sackAgreed && incoming.options.sackBlocks > 0;
  if (acknowledged === 0 && !bare && !reports) return;
  const grows = sender.isLimited && recovery.mayGrow(before);
  const fastest = now - sender.rack.minRtt.valueMs;
  delivery.begin(Math.min(fastest, echoedUntil(tcb, now)));
  if (acknowledged > 0) sender.release(incoming.acknowledgment);
  delivery.beginSelective(fastest);
  const duplicate = reports && takeSackBlocks(tcb);
  const roundTrip = roundTripOf(tcb, now);
  if (roundTrip >= 0) sender.rto.sample(roundTrip);
  detectLoss(tcb, acknowledged, bare, duplicate, now);
  if (acknowledged === 0 || !grows || recovery.phase === Phase.LOSS) return;
  congestion.onAck(acknowledged, sender.round.fill(sender, roundTrip, now));
}

/**
 * What was sent again later than this is not what the peer echoes: it was answered for an earlier
 * sending, as it was where the answer came faster than any (RFC 8985 §6.2 step 2).
 */
function echoedUntil({ timestamps, incoming }: Tcb, now: Millis): Millis {
  const { hasTimestamps, echo } = incoming.options;
  if (!timestamps.agreed || !hasTimestamps) return Number.POSITIVE_INFINITY;
  return Math.floor(now) - timestamps.roundTrip(echo, now) + LAST_OF_A_MILLISECOND;
}

/**
 * The round trip that this acknowledgement measured, by the time of sending; -1 for none. Where it
 * covers what was sent more than once, only the echo of a timestamp can tell (Karn): the rest may
 * have waited at the peer for that.
 */
function roundTripOf(tcb: Tcb, now: Millis): Millis {
  const { anyResent, newestResentAt, newestSentAt } = tcb.sender.delivery;
  if (!anyResent) return newestSentAt < 0 ? -1 : now - newestSentAt;
  return tcb.timestamps.agreed && newestResentAt >= 0 ? now - newestResentAt : -1;
}

/** RFC 5681 §2: nothing new at all, while something is in flight. */
function isDuplicate(tcb: Tcb): boolean {
  const { incoming, sender } = tcb;
  return (
    sender.flight.size > 0 &&
    incoming.payloadLength === 0 &&
    !incoming.has(Flag.FIN) &&
    tcb.incomingWindow === sender.sndWnd &&
    incoming.acknowledgment === sender.sndUna
  );
}

/** RFC 6298 §5.2, §5.3; the user timeout runs from the last progress. */
function restartTimers(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  if (sender.flight.size === 0) timers.clear(Timer.RETRANSMIT);
  else timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
  scheduleProbe(tcb, now);
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
