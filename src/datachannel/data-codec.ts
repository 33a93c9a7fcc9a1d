import type { Drop, Millis } from '../core/machine.ts';
import type { Filling, Opened } from './cipher-provider.ts';

const BLOCK_SHIFT = 4;
const BLOCK_BYTES = 1 << BLOCK_SHIFT;

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

  /** @param textBytes of the plaintext, `packetBytes` of the outer packet around it */
  countSealed(textBytes: number, packetBytes: number): void {
    this.sealedPackets += 1;
    this.sealedBytes += packetBytes;
    this.sealedBlocks += blocksOf(textBytes);
  }

  countOpened(textBytes: number, packetBytes: number): void {
    this.openedPackets += 1;
    this.openedBytes += packetBytes;
    this.openedBlocks += blocksOf(textBytes);
  }
}

/** The data packets of one key id, both ways: what differs between AEAD, CBC and epoch formats. */
export interface DataCodec {
  readonly usage: KeyUsage;
  /** The packet id of the last sealed packet; 0 for none, and where packets have an epoch. */
  readonly lastPacketId: number;
  /** The epoch of sealed packets; 0 where packets have none. */
  readonly epoch: number;
  /** Whether the key may not seal another packet. */
  readonly exhausted: boolean;
  /** How far the packet is that `seal` gave last. */
  readonly filling: Filling;
  /**
   * An outer packet around `payload`, in a buffer of its own; undefined when exhausted. It is whole
   * once `filling` says so.
   */
  seal(payload: Buffer): Buffer | undefined;
  /**
   * The payload of an authentic packet that was not seen before, in a buffer of its own: `decipher`
   * and `accept` in one, for ciphers that answer at once.
   */
  open(packet: Buffer, now: Millis): Buffer | Drop;
  /** The first half of opening: what the cipher makes of `packet`. Changes nothing. */
  decipher(packet: Buffer): Opened | Drop;
  /**
   * The second half: counts, looks whether the packet is new, and gives its payload.
   * @param plaintext what `decipher` gave, or promised, for this very packet
   */
  accept(packet: Buffer, plaintext: Buffer | undefined, now: Millis): Buffer | Drop;
}

/** The answer of a cipher that is known to answer at once. */
export function atOnce(opened: Opened): Buffer | undefined {
  if (opened instanceof Promise) throw new Error('expected a cipher that answers at once');
  return opened;
}

/** Cipher blocks that `textBytes` take, the begun one included. */
export function blocksOf(textBytes: number): number {
  return (textBytes + BLOCK_BYTES - 1) >>> BLOCK_SHIFT;
}
