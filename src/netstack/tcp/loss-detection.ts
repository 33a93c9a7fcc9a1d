import type { Millis } from '../../core/machine.ts';
import { serialAdd } from '../../core/serial.ts';
import { Phase } from './recovery.ts';
import type { Tcb } from './tcb.ts';
import { Timer } from './timers.ts';

const NO_TIMESTAMP = -1;
const NEVER: Millis = Number.POSITIVE_INFINITY;

/**
 * An acknowledgement was taken: `acknowledged` bytes by its number, the rest is in
 * `sender.delivery`. Finds what is lost, and what was not after all; recovery begins and ends.
 *
 *     undone? ──▶ what is lost? ──▶ recovery over? ──▶ recovery begins? ──▶ how much may go?
 *
 * @param bare it is a duplicate: it says nothing that was not said before
 * @param duplicate its first SACK block reports what came twice
 */
export function detectLoss(
  tcb: Tcb,
  acknowledged: number,
  bare: boolean,
  duplicate: boolean,
  now: Millis,
): void {
  const { sender } = tcb;
  const { flight, recovery, delivery, rack } = sender;
  const probeArrivedToo = duplicate && takeDuplicateReport(tcb, now);
  judgeRecovery(tcb, acknowledged > 0, bare, now);
  rack.onDelivery(delivery, sender.sndUna, now);
  const lostBefore = flight.lostBytes;
  if (tcb.sackAgreed) findOvertaken(tcb, now);
  else countDuplicate(tcb, acknowledged, bare);
  recovery.onProgress(sender.sndUna);
  settleRecovery(tcb, acknowledged, flight.lostBytes > lostBefore, now);
  if (sender.probe.onAck(sender.sndUna, probeArrivedToo)) reduce(tcb, 0, now);
}

/** The reordering window has passed: what is still missing is lost (RFC 8985 §6.3). */
export function detectLossByTime(tcb: Tcb, now: Millis): void {
  const { flight, delivery } = tcb.sender;
  const lostBefore = flight.lostBytes;
  delivery.begin(now);
  findOvertaken(tcb, now);
  settleRecovery(tcb, 0, flight.lostBytes > lostBefore, now);
}

/**
 * The path is full, and nothing waits to be repaired (RFC 3168 §6.1.2, RFC 8985 §7.4).
 * @param ahead what the acknowledgement that says so acknowledges, where it was not taken yet
 */
export function reduce(tcb: Tcb, ahead: number, now: Millis): void {
  const { recovery, sndUna, sndNxt, windowInUse } = tcb.sender;
  if (recovery.reduce(serialAdd(sndUna, ahead), sndNxt, windowInUse, now)) tcb.ecn.reduced();
}

/** True: it is the loss probe that came beside the original. */
function takeDuplicateReport(tcb: Tcb, now: Millis): boolean {
  const { sender, incoming } = tcb;
  const { recovery, rack, probe, sndNxt } = sender;
  const left = incoming.options.sackEdges[0] ?? 0;
  const right = incoming.options.sackEdges[1] ?? 0;
  if (probe.isDuplicate(left, right)) return true;
  if (sender.duplicatesReported >= sender.retransmits) return false;
  sender.duplicatesReported += 1;
  rack.onDuplicate(sndNxt);
  if (recovery.spurious.onDuplicate(left, right)) undoRecovery(tcb, now);
  return false;
}

function judgeRecovery(tcb: Tcb, advanced: boolean, bare: boolean, now: Millis): void {
  const { sender, incoming } = tcb;
  const { recovery, delivery } = sender;
  const sackedNew = delivery.selectiveOnce;
  if (recovery.phase === Phase.NONE || !(advanced || sackedNew || bare)) return;
  const { hasTimestamps, echo } = incoming.options;
  const echoed = tcb.timestamps.agreed && hasTimestamps ? echo : NO_TIMESTAMP;
  const { spurious } = recovery;
  const probed = spurious.probesWithNewData;
  const verdict = spurious.onAck(incoming.acknowledgment, echoed, advanced, sackedNew);
  if (verdict === 'spurious') undoRecovery(tcb, now);
  else if (verdict === 'genuine' && probed) recovery.resume();
}

/** What was held for lost was late: windows and timeout are what they were before. */
function undoRecovery(tcb: Tcb, now: Millis): void {
  const { flight, recovery, rack, rto } = tcb.sender;
  if (recovery.phase === Phase.TIMEOUT) rto.undoBackOff();
  if (recovery.phase !== Phase.NONE) flight.unmarkLost();
  recovery.undo(now);
  rack.onSpurious();
}

function findOvertaken(tcb: Tcb, now: Millis): void {
  const { sender, timers } = tcb;
  const { rack, flight, recovery, rto } = sender;
  const windowMs = rack.windowMs(flight, recovery.phase !== Phase.NONE, rto.smoothedMs);
  const next = rack.markLost(flight, windowMs, now);
  if (next === NEVER) timers.clear(Timer.REORDER);
  else timers.set(Timer.REORDER, next);
}

/** The peer does not SACK: three duplicates, and each partial acknowledgement (RFC 6582 §3.2). */
function countDuplicate(tcb: Tcb, acknowledged: number, bare: boolean): void {
  const { sender } = tcb;
  const { flight, recovery, sndUna, mss } = sender;
  const { duplicates } = recovery;
  const recovering = recovery.phase === Phase.LOSS;
  if (acknowledged > 0 && recovering && !recovery.isOver(sndUna)) {
    duplicates.onPartialAck(sndUna, acknowledged, mss);
    flight.markFirstLost();
  } else if (acknowledged > 0) {
    duplicates.onFullAck(sndUna);
  } else if (bare && duplicates.onDuplicate(sndUna, flight.size, recovering)) {
    flight.markFirstLost();
  }
}

function settleRecovery(tcb: Tcb, acknowledged: number, found: boolean, now: Millis): void {
  const { sender } = tcb;
  const { flight, recovery, rack, delivery, sndUna } = sender;
  const over = recovery.isOver(sndUna);
  if (over) {
    recovery.end(sender.pipe, now);
    rack.onRecovered();
  }
  if (recovery.phase === Phase.NONE && (found || over) && flight.lostBytes > 0) {
    sender.probe.clear();
    tcb.timers.clear(Timer.LOSS_PROBE);
    const { sndNxt, undelivered, windowInUse } = sender;
    recovery.begin(tcb.sackAgreed, sndUna, sndNxt, undelivered, windowInUse, now);
    tcb.ecn.reduced();
  }
  recovery.pace(delivery.bytes, sender.pipe, acknowledged > 0 && !found, sender.mss);
}
