import type { Drop } from '../core/machine.ts';

/**
 * A key that protects control packets in one role. It remembers no packet: who counts them, and
 * refuses what came before, is the wrap around it.
 */
export interface ControlKey {
  /** As the profile's directive: `tls-auth`. */
  readonly name: string;
  /** What `seal` adds. Unit: bytes. */
  readonly overheadBytes: number;
  /** Where a sealed packet has its replay field: packet id (4 bytes), then net_time (4 bytes). */
  readonly replayIdAt: number;
  /** `plain` under this replay id. The pair (packetId, netTime) is never to be used twice. */
  seal(plain: Buffer, packetId: number, netTime: number): Buffer;
  /** The plain packet, once it has proved authentic; or why it is refused. Never throws. */
  open(packet: Buffer): Buffer | Drop;
}
