import { type Segment, sealSegment } from './segment.ts';
import type { TcpPath } from './tcp-path.ts';

/** The part of a path that a packet needs which belongs to no connection. */
export type BarePath = Pick<TcpPath, 'ipHeaderBytes' | 'pseudoHeaderSum' | 'finish'>;

/** The whole packet of a segment without payload. */
export function barePacket(segment: Segment, path: BarePath): Buffer {
  const packet = Buffer.allocUnsafe(path.ipHeaderBytes + segment.headerBytes);
  segment.write(packet, path.ipHeaderBytes);
  sealSegment(packet, path.ipHeaderBytes, path.pseudoHeaderSum);
  path.finish(packet);
  return packet;
}
