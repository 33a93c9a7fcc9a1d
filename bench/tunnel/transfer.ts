/** One transfer of one TCP flow through a tunnel. Processor times are in milliseconds. */
export interface Transfer {
  readonly direction: Direction;
  readonly bytes: number;
  /** From the request's first byte to the answer's last. */
  readonly seconds: number;
  /** Of the client's process that holds the tunnel. */
  readonly tunnelCpuMs: number;
  /** Of the program that transfers, where that is another process. */
  readonly programCpuMs: number;
  /** Of the server's process that holds the tunnel. */
  readonly serverCpuMs: number;
}

export type Direction = 'download' | 'upload';

export const DIRECTIONS: readonly Direction[] = ['download', 'upload'];

/** Rates and costs of several transfers: their medians. */
export interface Summary {
  readonly mbitPerSecond: number;
  /** Unit: milliseconds a megabyte. */
  readonly tunnelCpu: number;
  /** The transferring program's too, where that is another process. */
  readonly clientCpu: number;
  /** How much of one core the server's process had; 1 is all of it. */
  readonly serverLoad: number;
}

/** What both clients reached on one transport and in one direction. */
export interface Line {
  readonly transport: 'udp' | 'tcp';
  readonly direction: Direction;
  readonly openvpn: Summary;
  readonly tundial: Summary;
  /** What tundial has of openvpn's: of its rate, of its processor time a megabyte. */
  readonly rateRatio: number;
  readonly cpuRatio: number;
}

export function summary(transfers: readonly Transfer[]): Summary {
  const medianOf = (value: (transfer: Transfer) => number) => median(transfers.map(value));
  return {
    mbitPerSecond: medianOf(({ bytes, seconds }) => (bytes * 8) / seconds / 1e6),
    tunnelCpu: medianOf(({ bytes, tunnelCpuMs }) => tunnelCpuMs / (bytes / 1e6)),
    clientCpu: medianOf(
      ({ bytes, tunnelCpuMs, programCpuMs }) => (tunnelCpuMs + programCpuMs) / (bytes / 1e6),
    ),
    serverLoad: medianOf(({ seconds, serverCpuMs }) => serverCpuMs / 1000 / seconds),
  };
}

/** The middle one, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
