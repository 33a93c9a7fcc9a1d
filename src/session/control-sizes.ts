import type { ControlWrapOptions } from '../model/control-wrap-options.ts';
import { MAX_ACK_V1_ACKS, MAX_ACK_V1_ACKS_UNWRAPPED } from '../reliable/constants.ts';

/**
 * Longest piece of TLS in one control packet, so that the outer datagram stays within 1,200 bytes
 * with the widest wrap and four acknowledgements. Unit: bytes.
 */
export const MAX_TLS_CHUNK_BYTES = 1_090;

/** The same for the first packet after the reset, which may carry the client's wrapped key along. */
export function firstTlsChunkBytes(wrap: ControlWrapOptions): number {
  return MAX_TLS_CHUNK_BYTES - (wrap.kind === 'tls-crypt-v2' ? wrap.wrappedKey.length : 0);
}

/** Most acknowledgements in a P_ACK_V1: SoftEther drops unwrapped packets with more than four. */
export function ackV1Limit(wrapped: boolean): number {
  return wrapped ? MAX_ACK_V1_ACKS : MAX_ACK_V1_ACKS_UNWRAPPED;
}
