/** Counters of a client since `start()`. They only grow. */
export interface ClientStats {
  /** IP packets out of the tunnel. */
  readonly packetsIn: number;
  readonly bytesIn: number;
  /** IP packets into the tunnel. */
  readonly packetsOut: number;
  readonly bytesOut: number;
  /** Bytes on the wire, without IP and UDP or TCP headers. */
  readonly linkBytesIn: number;
  readonly linkBytesOut: number;
  /** Datagrams, and packets for the Duplex, that came while there was no room. */
  readonly overflows: number;
  /** Refused packets by layer and reason. */
  readonly drops: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export const NO_STATS: ClientStats = Object.freeze({
  packetsIn: 0,
  bytesIn: 0,
  packetsOut: 0,
  bytesOut: 0,
  linkBytesIn: 0,
  linkBytesOut: 0,
  overflows: 0,
  drops: Object.freeze({}),
});
