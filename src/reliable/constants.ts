/** Messages that may be unacknowledged at a time (ssl_pkt.h `TLS_RELIABLE_N_SEND_BUFFERS`). */
export const SEND_WINDOW = 6;

/** Ids that are taken from the next expected one on (ssl_pkt.h `TLS_RELIABLE_N_REC_BUFFERS`). */
export const RECEIVE_WINDOW = 12;

/** Most acknowledgements that a packet with a message of its own carries. */
export const MAX_PIGGYBACKED_ACKS = 4;

/** Most acknowledgements in a P_ACK_V1; a 2.x peer drops a packet with more. */
export const MAX_ACK_V1_ACKS = 8;

/** The same without a control wrap and without `tls-ekm`: SoftEther drops packets with more. */
export const MAX_ACK_V1_ACKS_UNWRAPPED = 4;

/** Ids that may wait for their first acknowledgement: all that `muxerToReliable` can hold. */
export const MAX_OWED_ACKS = 16;

/** Where doubling ends, unless the first wait is longer already. Unit: milliseconds. */
export const MAX_RESEND_DELAY_MS = 4000;

/** So many acknowledgements of later ids prove a loss: resend at once. */
export const EARLY_RESEND_ACKS = 3;

/** Key ids with state at a time: one that is being negotiated, the active one, the lame duck. */
export const MAX_KEY_STATES = 3;

/** Last id that its 32-bit field can hold. */
export const MAX_PACKET_ID = 0xffff_ffff;
