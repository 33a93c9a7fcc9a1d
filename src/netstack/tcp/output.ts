import type { Millis } from '../../core/machine.ts';
import { serialAdd, serialLess } from '../../core/serial.ts';
import { markCapable } from './ecn.ts';
import { OUR_WINDOW_SHIFT } from './receiver.ts';
import { scheduleProbe } from './retransmission.ts';
import { MAX_RTO_MS } from './rto.ts';
import { Flag, sealSegment } from './segment.ts';
import { Choice } from './sender.ts';
import { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

/** The next packet of a connection; undefined when nothing may be sent now. */
export function nextPacket(tcb: Tcb, now: Millis): Buffer | undefined {
  if (tcb.resetOwed) return resetPacket(tcb, now);
  switch (tcb.state) {
    case TcpState.CLOSED:
    case TcpState.LISTEN:
      return undefined;
    case TcpState.SYN_SENT:
    case TcpState.SYN_RECEIVED:
      return handshakePacket(tcb, now);
    default:
      return establishedPacket(tcb, now);
  }
}

function establishedPacket(tcb: Tcb, now: Millis): Buffer | undefined {
  const { acks, sender, receiver } = tcb;
  const point = acks.takePoint();
  if (point >= 0) return emptyPacket(tcb, sender.sndNxt, point, now);
  const choice = sender.choose(now);
  if (choice === Choice.NEW || choice === Choice.RESEND) return dataPacket(tcb, choice, now);
  if (tcb.probeOwed) {
    tcb.probeOwed = false;
    return emptyPacket(tcb, serialAdd(sender.sndNxt, -1), receiver.rcvNxt, now);
  }
  if (acks.due) return emptyPacket(tcb, sender.sndNxt, receiver.rcvNxt, now);
  if (choice === Choice.LATER) tcb.timers.set(Timer.PACE, sender.pacing.nextAt);
  else watchWindow(tcb, now);
  watchOrphan(tcb, now);
  return undefined;
}

/** Data waits, nothing is in flight, and the window is too small: ask again after a while. */
function watchWindow(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  if (!sender.hasUnsent || sender.flight.size > 0) {
    tcb.persistBackoffs = 0;
    timers.clear(Timer.PERSIST);
  } else if (!timers.isSet(Timer.PERSIST)) {
    const delay = Math.min(sender.rto.valueMs * 2 ** tcb.persistBackoffs, MAX_RTO_MS);
    timers.set(Timer.PERSIST, now + delay);
    startUserTimeout(tcb, now);
  }
}

/** Nobody reads any more: the peer's FIN is not awaited for ever. */
function watchOrphan(tcb: Tcb, now: Millis): void {
  const { state, timers, settings } = tcb;
  if (!tcb.orphaned || state !== TcpState.FIN_WAIT_2 || timers.isSet(Timer.WAIT)) return;
  timers.set(Timer.WAIT, now + settings.finWaitMs);
}

function startUserTimeout(tcb: Tcb, now: Millis): void {
  const { timers, settings } = tcb;
  if (!timers.isSet(Timer.USER)) timers.set(Timer.USER, now + settings.userTimeoutMs);
}

function handshakePacket(tcb: Tcb, now: Millis): Buffer | undefined {
  const { sender, receiver, acks } = tcb;
  const choice = sender.chooseSyn();
  if (choice === Choice.NOTHING) {
    if (!acks.due || tcb.state === TcpState.SYN_SENT) return undefined;
    return emptyPacket(tcb, sender.sndNxt, receiver.rcvNxt, now);
  }
  prepare(tcb, sender.initialSequence, receiver.rcvNxt, now);
  const { outgoing } = tcb;
  const answers = tcb.state === TcpState.SYN_RECEIVED;
  outgoing.flags = answers ? Flag.SYN | Flag.ACK : Flag.SYN;
  if (answers) outgoing.flags |= tcb.ecn.synAckFlags;
  else if (choice === Choice.NEW) outgoing.flags |= tcb.ecn.synFlags;
  outgoing.window = receiver.windowField(receiver.rcvNxt, 0, tcb.localMss);
  outgoing.options.mss = tcb.localMss;
  outgoing.options.windowScale = tcb.scaling ? OUR_WINDOW_SHIFT : -1;
  outgoing.options.sackPermitted = tcb.sackAgreed;
  if (!answers) outgoing.acknowledgment = 0;
  const packet = allocate(tcb, 0);
  sent(tcb, choice, now);
  return seal(tcb, packet);
}

function dataPacket(tcb: Tcb, choice: Choice, now: Millis): Buffer {
  const { sender, receiver, outgoing } = tcb;
  const { chosenSequence, chosenLength } = sender;
  const end = serialAdd(chosenSequence, chosenLength);
  const hasFin = serialLess(sender.buffer.end, end);
  const bytes = hasFin ? chosenLength - 1 : chosenLength;
  prepare(tcb, chosenSequence, receiver.rcvNxt, now);
  outgoing.flags = Flag.ACK | tcb.ecn.echoFlags;
  if (tcb.sackAgreed) reportSack(tcb, sender.mss - bytes);
  if (hasFin) outgoing.flags |= Flag.FIN;
  if (bytes > 0 && !serialLess(end, sender.buffer.end)) outgoing.flags |= Flag.PSH;
  const packet = allocate(tcb, bytes);
  sender.buffer.copy(chosenSequence, packet, packet.length - bytes, bytes);
  const isNew = choice === Choice.NEW && bytes > 0;
  if (isNew) sender.bytesSent += bytes;
  startUserTimeout(tcb, now);
  sent(tcb, choice, now);
  if (!isNew) return seal(tcb, packet);
  outgoing.flags |= tcb.ecn.takeReductionFlags();
  seal(tcb, packet);
  if (tcb.ecnAgreed) markCapable(packet, tcb.path.ipHeaderBytes);
  return packet;
}

/** What arrived ahead of a gap or twice, where the segment has room for it. */
function reportSack({ receiver, outgoing }: Tcb, roomBytes: number): void {
  receiver.reportSack(outgoing.options, outgoing.acknowledgment, roomBytes);
}

/** A segment without data: an acknowledgement, a probe. */
function emptyPacket(tcb: Tcb, sequence: number, acknowledgment: number, now: Millis): Buffer {
  prepare(tcb, sequence, acknowledgment, now);
  tcb.outgoing.flags = Flag.ACK | tcb.ecn.echoFlags;
  if (tcb.sackAgreed) reportSack(tcb, tcb.sender.mss);
  return seal(tcb, allocate(tcb, 0));
}

function resetPacket(tcb: Tcb, now: Millis): Buffer {
  const { outgoing, receiver } = tcb;
  tcb.resetOwed = false;
  prepare(tcb, tcb.resetSequence, receiver.rcvNxt, now);
  outgoing.flags = tcb.resetAcknowledges ? Flag.RST | Flag.ACK : Flag.RST;
  outgoing.window = 0;
  if (!tcb.resetAcknowledges) {
    outgoing.acknowledgment = 0;
    outgoing.options.clear();
  }
  return seal(tcb, allocate(tcb, 0));
}

/** Fills in what every segment has; settles what an acknowledgement settles. */
function prepare(tcb: Tcb, sequence: number, acknowledgment: number, now: Millis): void {
  const { outgoing, receiver, timestamps, path } = tcb;
  outgoing.sourcePort = path.localPort;
  outgoing.destinationPort = path.remotePort;
  outgoing.sequence = sequence;
  outgoing.acknowledgment = acknowledgment;
  outgoing.window = receiver.windowField(acknowledgment, receiver.windowShift, tcb.localMss);
  outgoing.options.mss = -1;
  outgoing.options.windowScale = -1;
  outgoing.options.sackPermitted = false;
  outgoing.options.sackBlocks = 0;
  outgoing.options.hasTimestamps = timestamps.agreed;
  outgoing.options.timestamp = timestamps.value(now);
  outgoing.options.echo = timestamps.recent;
  if (serialLess(tcb.lastAckSent, acknowledgment)) tcb.lastAckSent = acknowledgment;
  if (acknowledgment !== receiver.rcvNxt) return;
  tcb.acks.sent();
  tcb.timers.clear(Timer.DELAYED_ACK);
}

function allocate(tcb: Tcb, payloadBytes: number): Buffer {
  const { path, outgoing, settings } = tcb;
  const bytes = path.ipHeaderBytes + outgoing.headerBytes + payloadBytes;
  return settings.slab === undefined ? Buffer.allocUnsafe(bytes) : settings.slab.allocate(bytes);
}

function seal(tcb: Tcb, packet: Buffer): Buffer {
  const { path, outgoing } = tcb;
  outgoing.write(packet, path.ipHeaderBytes);
  sealSegment(packet, path.ipHeaderBytes, path.pseudoHeaderSum);
  path.finish(packet);
  tcb.segmentsSent += 1;
  return packet;
}

/** What the sender chose is on its way: the retransmission timer runs (RFC 6298 §5.1). */
function sent(tcb: Tcb, choice: Choice, now: Millis): void {
  const { sender, timers, timestamps, outgoing } = tcb;
  sender.sent(choice, timestamps.agreed ? outgoing.options.timestamp : -1, now);
  timers.clear(Timer.PERSIST);
  if (!timers.isSet(Timer.RETRANSMIT)) timers.set(Timer.RETRANSMIT, now + sender.rto.valueMs);
  scheduleProbe(tcb, now);
}
