/** What every client has to do: a download, then an upload. */
export interface Course {
  readonly profile: string;
  /** `host:port` inside the tunnel. */
  readonly target: string;
  /** Of each transfer that counts, and of the one before it, which does not. */
  readonly bytes: number;
  readonly warmUpBytes: number;
  /** The server's process that holds the tunnel. */
  readonly serverPid: number;
}
