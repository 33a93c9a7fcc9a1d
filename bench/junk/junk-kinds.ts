/** What comes beside the download. */
export type JunkKind =
  | 'none'
  /** From another port than the server's. */
  | 'stranger'
  /** From the server's address and port: control packets whose tag is wrong. */
  | 'control'
  /** From the server's address and port: data packets whose tag is wrong. */
  | 'data';

export const JUNK_KINDS: readonly JunkKind[] = ['none', 'stranger', 'control', 'data'];

/** What a download of fixed length in time came to. */
export interface JunkResult {
  readonly mbitPerSecond: number;
  /** Part of one core that the process of the tunnel used. */
  readonly load: number;
  /** Packets that the client refused; NaN where it does not say. */
  readonly refusedPerSecond: number;
}
