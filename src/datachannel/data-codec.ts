import type { Drop, Millis } from '../core/machine.ts';

/** What one key has been used for, both ways: the rekey policy reads it. */
export class KeyUsage {
  sealedPackets = 0;
  openedPackets = 0;
  /** Whole outer packets. */
  sealedBytes = 0;
  openedBytes = 0;
  /** Cipher blocks of 16 bytes, begun ones included. */
  sealedBlocks = 0;
  openedBlocks = 0;
  /** Packets whose tag was not the key's. */
  failedOpens = 0;
}

/** The data packets of one key id, both ways: what differs between AEAD, CBC and epoch formats. */
export interface DataCodec {
  readonly usage: KeyUsage;
  /** The packet id of the last sealed packet; 0 for none. */
  readonly lastPacketId: number;
  /** Whether the key may not seal another packet. */
  readonly exhausted: boolean;
  /** A whole outer packet around `payload`, in a buffer of its own; undefined when exhausted. */
  seal(payload: Buffer): Buffer | undefined;
  /** The payload of an authentic packet that was not seen before, in a buffer of its own. */
  open(packet: Buffer, now: Millis): Buffer | Drop;
}
