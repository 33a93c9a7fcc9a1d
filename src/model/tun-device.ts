/**
 * Where IP packets enter and leave: what `tun/` offers and a netstack, a stream or a kernel device
 * stands on. Synchronous and batched: read until undefined, write while `writable`.
 */
export interface TunDevice {
  /** Largest IP packet. Unit: bytes. */
  readonly mtu: number;
  /** The next packet that came out of the tunnel; the caller owns it. */
  read(): Buffer | undefined;
  /** Whether `write` would take a packet now. */
  readonly writable: boolean;
  /** Puts one packet into the tunnel and keeps it; false, and nothing kept, when full or closed. */
  write(packet: Buffer): boolean;
  /** Names who is woken when a first packet can be read. */
  onReadable: () => void;
  /** Names who is woken when `writable` becomes true again. */
  onWritable: () => void;
  readonly closed: boolean;
  close(): void;
}
