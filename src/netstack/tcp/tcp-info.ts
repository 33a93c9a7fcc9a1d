import type { TcpState } from './state.ts';

/** A snapshot of one connection, as `ss -ti` would show it. Sizes are bytes. */
export interface TcpInfo {
  readonly state: TcpState;
  /** Largest payload of a segment that we send. */
  readonly mss: number;
  readonly cwnd: number;
  /** `Infinity` before the first loss. */
  readonly ssthresh: number;
  /** 0 before the first sample. */
  readonly srttMs: number;
  readonly rttvarMs: number;
  readonly rtoMs: number;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Retransmission timeouts. */
  readonly timeouts: number;
  /** Sent and not acknowledged. */
  readonly inFlight: number;
  /** In the send buffer, in flight or not. */
  readonly unacknowledged: number;
  /** Arrived in order and not read. */
  readonly unread: number;
  /** Memory held for segments that arrived ahead of a gap. */
  readonly aheadOfGap: number;
  /** The peer's window. */
  readonly sndWnd: number;
  /** Our window, as last told to the peer. */
  readonly rcvWnd: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly segmentsSent: number;
  readonly segmentsReceived: number;
}
