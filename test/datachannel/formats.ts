import type { PayloadFormat } from '../../src/datachannel/payload-codec.ts';
import type { CompressionFraming } from '../../src/model/push-options.ts';

/** Payloads of 1,500 bytes in AES-GCM packets with a peer id, framed like this. */
export function framed(framing: CompressionFraming): PayloadFormat {
  return { ...PLAIN_FORMAT, framing };
}

/** The same, in parts of so many bytes, header included. */
export function inParts(maxSealedBytes: number): PayloadFormat {
  return { ...PLAIN_FORMAT, overheadBytes: PLAIN_FORMAT.overheadBytes + 4, maxSealedBytes };
}

/** Payloads as they are. */
export const PLAIN_FORMAT: PayloadFormat = {
  framing: 'none',
  mtu: 1500,
  overheadBytes: 24,
  maxSealedBytes: 0,
};
