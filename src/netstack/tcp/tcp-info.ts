import type { Millis } from '../../core/machine.ts';
import { Phase } from './recovery.ts';
import type { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';

/** A snapshot of one connection, as `ss -ti` would show it. Sizes are bytes. */
export interface TcpInfo {
  readonly state: TcpState;
  /** Largest payload of a segment that we send. */
  readonly mss: number;
  /** Name of the congestion control. */
  readonly congestion: string;
  readonly cwnd: number;
  /** `Infinity` before the first loss. */
  readonly ssthresh: number;
  /** 0 before the first sample. */
  readonly srttMs: number;
  readonly rttvarMs: number;
  readonly rtoMs: number;
  /** Shortest round trip of the last minutes; 0 before the first sample. */
  readonly minRttMs: Millis;
  /** Segments sent again. */
  readonly retransmits: number;
  /** Retransmission timeouts. */
  readonly timeouts: number;
  /** Tail loss probes. */
  readonly probes: number;
  /** Recoveries that were undone, because nothing had been lost. */
  readonly spuriousRecoveries: number;
  /** Whether loss is being repaired. */
  readonly recovering: boolean;
  /** Segments of ours have overtaken each other. */
  readonly reordering: boolean;
  /** Sent and not acknowledged. */
  readonly inFlight: number;
  /** Of these, held for lost and not sent again yet. */
  readonly lost: number;
  /** Of these, arrived behind a hole. */
  readonly sacked: number;
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

export function tcpInfo(tcb: Tcb): TcpInfo {
  const { state, sender, receiver, segmentsSent, segmentsReceived } = tcb;
  const { congestion, rto, rack, flight, recovery } = sender;
  return {
    state,
    mss: sender.mss,
    congestion: congestion.name,
    cwnd: congestion.cwnd,
    ssthresh: congestion.ssthresh,
    srttMs: rto.smoothedMs,
    rttvarMs: rto.variationMs,
    rtoMs: rto.valueMs,
    minRttMs: rack.minRtt.valueMs,
    retransmits: sender.retransmits,
    timeouts: sender.timeouts,
    probes: sender.probe.count,
    spuriousRecoveries: recovery.undone,
    recovering: recovery.phase !== Phase.NONE,
    reordering: rack.reordered,
    inFlight: sender.inFlight,
    lost: flight.lostBytes,
    sacked: flight.sackedBytes,
    unacknowledged: sender.buffer.length,
    unread: receiver.unread,
    aheadOfGap: receiver.reassemblyBytes,
    sndWnd: sender.sndWnd,
    rcvWnd: receiver.window,
    bytesSent: sender.bytesSent,
    bytesReceived: receiver.bytesReceived,
    segmentsSent,
    segmentsReceived,
  };
}
