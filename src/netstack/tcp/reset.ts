import { serialAdd } from '../../core/serial.ts';
import { type BarePath, barePacket } from './bare-packet.ts';
import { Flag, Segment, segmentIsIntact } from './segment.ts';

/**
 * The RST that answers a segment nobody wants (RFC 9293 §3.10.7.1); undefined for a RST, and for
 * a segment that is malformed or damaged.
 *
 * @param path the way back: from the segment's destination to its source
 */
export function resetFor(
  packet: Buffer,
  tcpOffset: number,
  tcpLength: number,
  path: BarePath,
): Buffer | undefined {
  const asked = new Segment();
  if (!asked.read(packet, tcpOffset, tcpLength) || asked.has(Flag.RST)) return undefined;
  if (!segmentIsIntact(packet, tcpOffset, tcpLength, path.pseudoHeaderSum)) return undefined;
  const answer = new Segment();
  answer.sourcePort = asked.destinationPort;
  answer.destinationPort = asked.sourcePort;
  if (asked.has(Flag.ACK)) {
    answer.flags = Flag.RST;
    answer.sequence = asked.acknowledgment;
  } else {
    answer.flags = Flag.RST | Flag.ACK;
    answer.acknowledgment = serialAdd(asked.sequence, asked.span);
  }
  return barePacket(answer, path);
}
