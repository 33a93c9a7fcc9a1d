import type { Stack } from './stack.ts';

/** Counters of one session. They only grow. */
export interface SessionStats {
  /** IP packets out of the tunnel. */
  readonly packetsIn: number;
  readonly bytesIn: number;
  /** IP packets into the tunnel. */
  readonly packetsOut: number;
  readonly bytesOut: number;
  /** Bytes on the wire, without IP and UDP or TCP headers. */
  readonly linkBytesIn: number;
  readonly linkBytesOut: number;
  /** Datagrams that came while there was no room. */
  readonly overflows: number;
  /** Refused packets by layer and reason. */
  readonly drops: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export function sessionStats({
  networkio,
  packetmuxer,
  reliable,
  datachannel,
}: Stack): SessionStats {
  const link = networkio.counters;
  const data = datachannel.stats;
  return {
    packetsIn: data.packetsUp,
    bytesIn: data.bytesUp,
    packetsOut: data.packetsDown,
    bytesOut: data.bytesDown,
    linkBytesIn: link.bytesRead,
    linkBytesOut: link.bytesWritten,
    overflows: link.overflows,
    drops: {
      packetmuxer: packetmuxer.drops,
      reliable: reliable.drops.snapshot(),
      datachannel: data.drops,
    },
  };
}
