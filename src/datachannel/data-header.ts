import { setU8, setU32 } from '../core/bytes.ts';
import { Opcode, opcodeOf } from '../model/opcode.ts';

/*
 *     V1     opcode, key id                 8 bits
 *     V2     opcode, key id | peer id       8 | 24 bits
 */

/** Length of DATA_V1's header. */
export const V1_HEADER_BYTES = 1;

/** Length of DATA_V2's header. */
export const V2_HEADER_BYTES = 4;

/** The header of one key's sealed packets. */
export class DataHeader {
  /** {@link V1_HEADER_BYTES} or {@link V2_HEADER_BYTES} */
  readonly bytes: number;
  /** As an integer of so many bytes. */
  readonly value: number;

  /** @param peerId 0 … 0xffffff: DATA_V2; undefined: DATA_V1 */
  constructor(keyId: number, peerId: number | undefined) {
    const isV1 = peerId === undefined;
    this.bytes = isV1 ? V1_HEADER_BYTES : V2_HEADER_BYTES;
    this.value = isV1
      ? (Opcode.P_DATA_V1 << 3) | keyId
      : (((Opcode.P_DATA_V2 << 3) | keyId) << 24) | peerId;
  }

  /** Writes it at the front of `packet`. */
  write(packet: Buffer): void {
    if (this.bytes === V2_HEADER_BYTES) setU32(packet, 0, this.value);
    else setU8(packet, 0, this.value);
  }
}

/** How long the header of a received data packet is. */
export function headerBytesOf(byte0: number): number {
  return opcodeOf(byte0) === Opcode.P_DATA_V2 ? V2_HEADER_BYTES : V1_HEADER_BYTES;
}
