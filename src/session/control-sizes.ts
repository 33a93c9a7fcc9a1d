/**
 * Longest piece of TLS in one control packet, so that the outer datagram stays within 1,200 bytes
 * with the widest wrap and four acknowledgements. Unit: bytes.
 */
export const MAX_TLS_CHUNK_BYTES = 1_100;

/** Most acknowledgements in a P_ACK_V1: SoftEther drops unwrapped packets with more than four. */
export function ackV1Limit(wrapped: boolean): number {
  return wrapped ? ACKS_WRAPPED : ACKS_PLAIN;
}

const ACKS_WRAPPED = 8;
const ACKS_PLAIN = 4;
