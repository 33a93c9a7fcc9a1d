import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialLess } from '../../core/serial.ts';
import { Arrival } from './receiver.ts';
import { Flag } from './segment.ts';
import { mayReceive, TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/**
 * Payload and FIN of an acceptable segment (RFC 9293 §3.10.7.4, seventh and eighth check). Urgent
 * data stays in line. In SYN-RECEIVED they are kept, and wait for the handshake.
 */
export function receiveText(tcb: Tcb, packet: Buffer, now: Millis): void {
  const { incoming, receiver, acks, state } = tcb;
  if (incoming.payloadLength > 0) {
    if (!mayReceive(state) && state !== TcpState.SYN_RECEIVED) {
      acks.sendSoon();
      return;
    }
    if (tcb.orphaned && isNew(tcb)) {
      tcb.abort('aborted');
      return;
    }
    receivePayload(tcb, packet, now);
  }
  if (incoming.has(Flag.FIN)) {
    const first = incoming.has(Flag.SYN) ? 1 : 0;
    receiver.noteFin(serialAdd(incoming.sequence, first + incoming.payloadLength));
    acks.sendSoon();
  }
  if (receiver.finReached) receiveFin(tcb, now);
}

/** Whether the payload reaches beyond what has arrived. */
function isNew({ incoming, receiver }: Tcb): boolean {
  return serialLess(receiver.rcvNxt, serialAdd(incoming.sequence, incoming.payloadLength));
}

/** Steps over the peer's FIN, once the handshake is over. */
function receiveFin(tcb: Tcb, now: Millis): void {
  const { state, receiver } = tcb;
  if (!mayReceive(state)) return;
  receiver.passFin();
  tcb.readablePending = true;
  tcb.step('fin');
  if (tcb.state === TcpState.TIME_WAIT) tcb.enterTimeWait(now);
}

function receivePayload(tcb: Tcb, packet: Buffer, now: Millis): void {
  const { incoming, receiver, acks, sackAgreed } = tcb;
  const first = incoming.has(Flag.SYN) ? serialAdd(incoming.sequence, 1) : incoming.sequence;
  const before = receiver.rcvNxt;
  if (tcb.ecn.onData(incoming.flags, packet)) acks.sendSoon();
  const arrival = receiver.take(packet, first, incoming.payloadAt, incoming.payloadLength);
  switch (arrival) {
    case Arrival.IN_ORDER:
      acks.onSegment(before, incoming.payloadLength, tcb.sender.rto.valueMs, now);
      tcb.readablePending = true;
      break;
    case Arrival.FILLED_GAP:
      acks.onGapFill(before, incoming.payloadLength);
      tcb.readablePending = true;
      break;
    case Arrival.AHEAD:
      acks.onReport(before, sackAgreed);
      break;
    case Arrival.NOTHING:
      acks.sendSoon();
      break;
  }
  if (sackAgreed && arrival !== Arrival.AHEAD && receiver.hasDuplicate) {
    acks.onReport(receiver.rcvNxt, true);
  }
  measureRoundTrip(tcb, now);
}

/** A segment with payload that lies outside of the window: what of it had come is reported. */
export function refuseText(tcb: Tcb): void {
  const { incoming, receiver, acks } = tcb;
  receiver.noteDuplicate(incoming.sequence, incoming.payloadLength);
  if (tcb.sackAgreed && receiver.hasDuplicate) acks.onReport(receiver.rcvNxt, true);
  else acks.sendSoon();
}

function measureRoundTrip({ incoming, receiver, timestamps }: Tcb, now: Millis): void {
  const { echo } = incoming.options;
  if (timestamps.agreed) receiver.onEcho(echo, timestamps.roundTrip(echo, now));
  else receiver.onProgress(now);
}

/** RFC 7323 §4.3: keeps the timestamp of the segment that stands where we acknowledged last. */
export function keepTimestamp(tcb: Tcb, now: Millis): void {
  const { incoming, timestamps } = tcb;
  if (!timestamps.agreed || !incoming.options.hasTimestamps) return;
  const { timestamp } = incoming.options;
  if (serialLess(tcb.lastAckSent, incoming.sequence)) return;
  if (!timestamps.isOld(timestamp, now)) timestamps.keep(timestamp, now);
}

/** The delayed acknowledgement's timer, and what the owner is told at the end of a burst. */
export function endBurst(tcb: Tcb, now: Millis): void {
  const { acks, timers, sender, receiver } = tcb;
  if (acks.endOfBurst(receiver.peerMss)) {
    if (!timers.isSet(Timer.DELAYED_ACK)) {
      timers.set(Timer.DELAYED_ACK, now + tcb.settings.delayedAckMs);
    }
  }
  if (tcb.state !== TcpState.SYN_RECEIVED) tcb.tellReadable();
  receiver.tune(sender.rto.smoothedMs, now);
  if (tcb.writerWaits && sender.buffer.charge < sender.mark) {
    tcb.writerWaits = false;
    tcb.events.writable();
  }
}
