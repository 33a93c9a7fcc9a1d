import { serialLess, serialLessOrEqual } from '../../core/serial.ts';
import type { Tcb } from './tcb.ts';

/**
 * Takes the SACK blocks of `incoming`: what they tell for the first time goes to
 * `sender.delivery`. Blocks that no honest peer sends are passed over. True: the first block is no
 * SACK but reports what came twice (RFC 2883 §4).
 */
export function takeSackBlocks(tcb: Tcb): boolean {
  const { sender, incoming } = tcb;
  const { scoreboard, flight, delivery, sndUna, sndNxt } = sender;
  const { sackBlocks, sackEdges } = incoming.options;
  const duplicate = reportsDuplicate(tcb);
  for (let block = duplicate ? 1 : 0; block < sackBlocks; block += 1) {
    const left = sackEdges[2 * block] ?? 0;
    const right = sackEdges[2 * block + 1] ?? 0;
    const valid =
      serialLess(sndUna, left) && serialLess(left, right) && serialLessOrEqual(right, sndNxt);
    if (!valid) continue;
    while (scoreboard.add(left, right)) {
      flight.sack(scoreboard.newLeft, scoreboard.newRight, scoreboard, delivery);
    }
  }
  return duplicate;
}

/** The first block lies below the acknowledgement number, or within the second block. */
function reportsDuplicate(tcb: Tcb): boolean {
  const { incoming } = tcb;
  const { sackBlocks, sackEdges } = incoming.options;
  if (sackBlocks === 0) return false;
  const left = sackEdges[0] ?? 0;
  const right = sackEdges[1] ?? 0;
  if (!serialLess(left, right)) return false;
  if (serialLessOrEqual(right, incoming.acknowledgment)) return true;
  if (sackBlocks === 1) return false;
  return serialLessOrEqual(sackEdges[2] ?? 0, left) && serialLessOrEqual(right, sackEdges[3] ?? 0);
}
