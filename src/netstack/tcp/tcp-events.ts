/**
 * Why a connection ended, or could not begin. `aborted`: by our own side; `address-gone`: the local
 * address is no longer ours.
 */
export type TcpFailure =
  | 'refused'
  | 'reset'
  | 'timed-out'
  | 'unreachable'
  | 'network-unreachable'
  | 'address-gone'
  | 'aborted';

/**
 * Who owns a connection hears these, called directly from inside `fromBelow`, `endOfBurst`,
 * `onTimeout`, `icmpError` and `abort`. A callback may call the connection back.
 */
export interface TcpEvents {
  /** Both directions are open. */
  connected(): void;
  /** Data or the end of the stream is there: call `read`. At most once a burst. */
  readable(): void;
  /** There is room in the send buffer again, after `write` returned false. */
  writable(): void;
  /**
   * Once, and last; undefined when both directions ended in order. `read` still gives what had
   * arrived before.
   */
  closed(failure: TcpFailure | undefined): void;
}
