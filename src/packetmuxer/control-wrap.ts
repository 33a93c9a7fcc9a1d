import type { Drop } from '../core/machine.ts';

/**
 * Protects control packets on the wire. `plain` is the packet as `encodeControlPacket` makes it;
 * every wrap leaves its first nine bytes (opcode, key id, session id) in clear and in front.
 */
export interface ControlWrap {
  /** As the profile's directive: `tls-crypt`; `none` for the plain wrap. */
  readonly name: string;
  /** By how much a wrapped packet, sent or received, is longer at most. Unit: bytes. */
  readonly overheadBytes: number;
  /** The packet as sent. May keep and return `plain` itself. */
  wrap(plain: Buffer): Buffer;
  /** The plain packet, once it has proved authentic and new; or why it is refused. Never throws. */
  unwrap(packet: Buffer): Buffer | Drop;
}

/** No protection: the packet itself. Has no memory, so all sessions may share it. */
export const plainWrap: ControlWrap = {
  name: 'none',
  overheadBytes: 0,
  wrap: (plain) => plain,
  unwrap: (packet) => packet,
};
