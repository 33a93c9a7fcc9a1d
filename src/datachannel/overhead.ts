import type { DataCipher } from '../model/ciphers.ts';
import { DIGESTS } from '../model/digests.ts';
import type { CompressionFraming } from '../model/push-options.ts';
import { AEAD_V1_OVERHEAD_BYTES, AEAD_V2_OVERHEAD_BYTES } from './aead-codec.ts';
import { EPOCH_OVERHEAD_BYTES } from './aead-epoch-codec.ts';
import { CBC_MAX_OVERHEAD_BYTES } from './cbc-codec.ts';
import { framingOf } from './compression-framing.ts';
import { V1_HEADER_BYTES, V2_HEADER_BYTES } from './data-header.ts';
import { FRAGMENT_HEADER_BYTES } from './fragment-header.ts';

/** What decides how long data packets are. */
export interface PacketFormat {
  readonly cipher: DataCipher;
  /** The digest of CBC packets, a key of `DIGESTS`. */
  readonly auth: string;
  /** undefined: DATA_V1 */
  readonly peerId: number | undefined;
  readonly epoch: boolean;
  readonly framing: CompressionFraming;
  /** `fragment`: longest outer packet, without IP and UDP headers; 0 or undefined is off. */
  readonly fragmentBytes?: number | undefined;
}

/**
 * By how much an outer packet is longer, at most, than the IP packet inside.
 * Unit: bytes, without those of UDP or TCP.
 */
export function dataOverheadBytes(format: PacketFormat): number {
  const fragmentHeader = format.fragmentBytes ? FRAGMENT_HEADER_BYTES : 0;
  return (
    sealOverheadBytes(format) + fragmentHeader + (framingOf(format.framing)?.overheadBytes ?? 0)
  );
}

/** By how much an outer packet is longer, at most, than what is sealed in it. Unit: bytes. */
export function sealOverheadBytes({ cipher, auth, peerId, epoch }: PacketFormat): number {
  const isV1 = peerId === undefined;
  if (epoch) return EPOCH_OVERHEAD_BYTES;
  if (cipher.aead) return isV1 ? AEAD_V1_OVERHEAD_BYTES : AEAD_V2_OVERHEAD_BYTES;
  const macBytes = DIGESTS.get(auth)?.bytes ?? 0;
  return (isV1 ? V1_HEADER_BYTES : V2_HEADER_BYTES) + macBytes + CBC_MAX_OVERHEAD_BYTES;
}
