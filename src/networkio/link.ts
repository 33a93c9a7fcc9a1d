/** Who a {@link Link} gives its packets to. */
export interface LinkPort {
  /**
   * Takes one packet; false when there is no room. A datagram link has then lost it (and counts
   * it), a stream link stops reading until `resume`.
   */
  receive(packet: Buffer): boolean;
  /** `writable` has become true again. */
  drained(): void;
  /** The link ended by itself; nothing more comes. */
  ended(error: Error): void;
}

/**
 * Carries whole OpenVPN packets to and from one peer. It knows nothing of their content. Sockets
 * live outside the pump: they only push and arm.
 */
export interface Link {
  readonly protocol: 'udp' | 'tcp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Bytes on the wire, framing included, IP and UDP headers not. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Datagrams that came while the port had no room. */
  readonly overflows: number;
  /** Starts delivery. Called once. */
  open(port: LinkPort): void;
  /** False while earlier packets wait in the socket: leave packets in the channel. */
  readonly writable: boolean;
  /** Sends one packet and keeps no reference to it after it is on its way. Only while `writable`. */
  send(packet: Buffer): void;
  /** Reads again after `receive` gave false. */
  resume(): void;
  /** Sends what waits, then closes. May be called twice; never rejects. */
  close(): Promise<void>;
  /** Lets the open link keep the process alive, or not, where that can be chosen. Default: it does. */
  ref?(): void;
  unref?(): void;
}

/** The two ends of a link, for people and for statistics. */
export type LinkAddresses = Pick<
  Link,
  'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort'
>;

/** Longest wait of `close` for what is queued and for the peer. Unit: milliseconds. */
export const CLOSE_GRACE_MS = 1_000;
