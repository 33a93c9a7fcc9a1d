import type { StreamConnection } from './host-connection.ts';

/** How much is taken from a connection at once. Unit: bytes. */
export const JOINED_BYTES: number = 64 * 1024;
/** From this many chunks on, joining them costs less than pushing each. */
export const JOIN_FROM = 4;

/** Takes what has arrived, up to {@link JOINED_BYTES} and a segment: few chunks as they are, many as one. */
export function readJoined(connection: StreamConnection): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let bytes = 0;
  while (bytes < JOINED_BYTES) {
    const chunk = connection.read();
    if (chunk === undefined) break;
    chunks.push(chunk);
    bytes += chunk.length;
  }
  return chunks.length < JOIN_FROM ? chunks : [Buffer.concat(chunks, bytes)];
}
